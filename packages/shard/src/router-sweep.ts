// Looks now and then for what crashed half-way, transactions and sagas, and finishes it.

import type { TransactionContext } from './distributed-transaction.ts'
import type { ShardTx } from './engine.ts'
import { type Recovery, type RecoveryOptions, recover } from './recovery.ts'
import type { Saga } from './saga.ts'
import { recoverSagas, type SagaRecovery } from './saga-recovery.ts'
import type { Timers } from './timers.ts'

/** What {@link ShardRouter.recover} found and did. */
export interface RouterRecovery extends Recovery {
  readonly sagas: SagaRecovery
}

/** How the last look went. */
export interface LastSweep {
  readonly atMs: number
  /** What it found, undefined if it failed. */
  readonly recovery: RouterRecovery | undefined
  readonly error: unknown
}

/** What a sweep needs to know. */
export interface SweepSettings {
  /** 0: only when asked. */
  readonly sweepMs: number
  readonly inDoubtMs: number
  readonly now: () => number
  readonly timers: Timers
}

/** The sweeper of one router. */
export class RouterSweep<Tx extends ShardTx> {
  /** The sagas defined here, by name. */
  readonly sagas: Map<string, Pick<Saga<never, Tx>, 'settle'>> = new Map()
  readonly #context: TransactionContext<Tx>
  readonly #settings: SweepSettings
  readonly #stop = new AbortController()
  #last: LastSweep | undefined
  #timer: unknown
  #sweeping: Promise<void> | undefined

  constructor(context: TransactionContext<Tx>, settings: SweepSettings) {
    this.#context = context
    this.#settings = settings
  }

  get last(): LastSweep | undefined {
    return this.#last
  }

  /** Looks now. */
  async recover(options: RecoveryOptions = {}): Promise<RouterRecovery> {
    const { inDoubtMs = this.#settings.inDoubtMs, signal } = options
    const recovery = await recover(this.#context, { inDoubtMs, signal })
    const sagas = await recoverSagas(this.#context.store, this.sagas, { signal })
    return { ...recovery, sagas }
  }

  /** Looks from time to time until stopped. */
  start(): void {
    const { sweepMs, timers } = this.#settings
    if (sweepMs === 0 || this.#stop.signal.aborted) return
    this.#timer = timers.setTimeout(() => {
      this.#timer = undefined
      this.#sweeping = this.#sweep().then(() => this.start())
    }, sweepMs)
    unref(this.#timer)
  }

  /** Stops; resolves when a look that was under way has ended. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stop.abort()
    if (this.#timer !== undefined) this.#settings.timers.clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#sweeping
  }

  async #sweep(): Promise<void> {
    const atMs = this.#settings.now()
    try {
      const recovery = await this.recover({ signal: this.#stop.signal })
      this.#last = { atMs, recovery, error: undefined }
    } catch (error) {
      // Whatever it is, the next time may do better; status() shows it until then.
      this.#last = { atMs, recovery: undefined, error }
    }
  }
}

/** A sweeper alone keeps no process running, where the platform can tell (Node). */
function unref(timer: unknown): void {
  if (typeof timer !== 'object' || timer === null || !('unref' in timer)) return
  if (typeof timer.unref === 'function') timer.unref()
}
