// A lease as its holder keeps it: it renews itself in the background, and knows up to which tick
// its generator may make ids. Uniqueness rests on the ticks alone; a renewal that comes late, or
// never, stops the generator at `untilTick` and can do no other harm.

// Consumers whose own `lib` is older get the type of Symbol.asyncDispose with the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { IdError, requireAtLeast } from './id-error.ts'
import type { Layout } from './layout.ts'
import { platformTimers, type Timers } from './timers.ts'
import type { LeaseGrant, WorkerLeaseStore } from './worker-lease-store.ts'

/** What a {@link Snowflake} needs of a lease; {@link WorkerLease} is one. */
export interface TickLease {
  readonly layout: Layout
  readonly workerId: number
  readonly fromTick: number
  readonly untilTick: number
  /** When a later `untilTick` can be expected, undefined if never. */
  readonly renewalMs: number | undefined
  /**
   * Takes the lease for one generator.
   *
   * @param stop ends the generator for good and returns the last tick that it has used
   * @throws IdError INVALID_WORKER if a generator has it already
   */
  claim(stop: () => number): void
}

/** How a lease is acquired and kept. */
export interface WorkerLeaseOptions {
  /** Who asks, for people who read the store: a host, a pod, a process. */
  readonly owner: string
  /** How far past the store's clock the lease reaches; default 60,000, the store may cap it. */
  readonly ttlMs?: number
  /** How often it is renewed; default a third of `ttlMs`, 0 for never by itself. */
  readonly renewEveryMs?: number
  /** Called once, with LEASE_LOST, when the store has given the worker id to somebody else. */
  readonly onLost?: (error: IdError) => void
  /** Default: the platform's. */
  readonly timers?: Timers
  /** Gives up acquiring; a worker id that was granted meanwhile is given back. */
  readonly signal?: AbortSignal
}

/**
 * A worker id and its ticks, leased from a store.
 *
 * @example
 * const lease = await WorkerLease.acquire(store, { owner: 'pod-7' })
 * const ids = new Snowflake({ lease })
 * ids.next()
 * await lease.close() // the worker id is free again at once
 */
export class WorkerLease implements TickLease {
  readonly layout: Layout
  readonly #store: WorkerLeaseStore
  readonly #ttlMs: number
  readonly #renewEveryMs: number
  readonly #onLost: ((error: IdError) => void) | undefined
  readonly #timers: Timers
  #grant: LeaseGrant
  #timer: unknown
  #renewing: Promise<void> | undefined
  #stop: (() => number) | undefined
  #closing: Promise<void> | undefined
  #isLost = false

  private constructor(store: WorkerLeaseStore, grant: LeaseGrant, options: WorkerLeaseOptions) {
    const ttlMs = options.ttlMs ?? 60_000
    this.layout = store.layout
    this.#store = store
    this.#grant = grant
    this.#ttlMs = ttlMs
    this.#renewEveryMs = requireAtLeast('renewEveryMs', options.renewEveryMs ?? ttlMs / 3, 0)
    this.#onLost = options.onLost
    this.#timers = options.timers ?? platformTimers
    this.#schedule(this.#renewEveryMs)
  }

  /**
   * Asks the store for a worker id.
   *
   * @throws IdError NOT_READY with `waitMs` if all worker ids are taken, STORE_UNAVAILABLE,
   *   INVALID_OPTION.
   */
  static async acquire(store: WorkerLeaseStore, options: WorkerLeaseOptions): Promise<WorkerLease> {
    const { owner, ttlMs = 60_000, signal } = options
    signal?.throwIfAborted()
    const grant = await store.acquire(owner, ttlMs)
    if (signal?.aborted) await store.release(grant, grant.fromTick - 1)
    signal?.throwIfAborted()
    return new WorkerLease(store, grant, options)
  }

  get workerId(): number {
    return this.#grant.workerId
  }

  get fromTick(): number {
    return this.#grant.fromTick
  }

  get untilTick(): number {
    return this.#grant.untilTick
  }

  get renewalMs(): number | undefined {
    const isOver = this.#isLost || this.#closing !== undefined || this.#renewEveryMs === 0
    return isOver ? undefined : this.#renewEveryMs
  }

  /** Whether the store has given the worker id away; ids up to `untilTick` are still our own. */
  get isLost(): boolean {
    return this.#isLost
  }

  claim(stop: () => number): void {
    if (this.#closing !== undefined) throw closed(this.workerId)
    if (this.#stop !== undefined) {
      throw new IdError(
        'INVALID_WORKER',
        `the lease of worker ${this.workerId} already has a generator: acquire one lease for each`,
      )
    }
    this.#stop = stop
  }

  /**
   * Asks the store for more ticks now; calls at the same time are one.
   *
   * @throws IdError LEASE_LOST, or what the store throws: then a later renewal may still succeed.
   */
  renew(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.workerId))
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  /**
   * Ends the generator and gives the worker id back, with the ticks that it did not use. If the
   * store cannot be told, the worker id is free when the lease runs out. Safe to call twice.
   *
   * @throws what the store throws.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #renew(): Promise<void> {
    try {
      this.#grant = await this.#store.renew(this.#grant, this.#ttlMs)
    } catch (error) {
      if (error instanceof IdError && error.code === 'LEASE_LOST' && !this.#isLost) {
        this.#isLost = true
        this.#onLost?.(error)
      }
      throw error
    }
  }

  async #close(): Promise<void> {
    this.#timers.clearTimeout(this.#timer)
    // The generator stops before the store hears of it: no id can follow the tick reported here.
    const lastTick = this.#stop?.() ?? this.#grant.fromTick - 1
    await this.#renewing?.catch(() => {})
    await this.#store.release(this.#grant, lastTick)
  }

  #schedule(delayMs: number): void {
    if (delayMs === 0 || this.#closing !== undefined) return
    const tryAgain = () => this.#schedule(this.#renewEveryMs / 4)
    this.#timer = this.#timers.setTimeout(() => {
      if (this.#closing !== undefined || this.#isLost) return
      this.renew().then(() => this.#schedule(this.#renewEveryMs), tryAgain)
    }, delayMs)
    // A lease alone is no reason for a Node process to stay alive.
    const handle = this.#timer as { unref?: () => void } | undefined
    handle?.unref?.()
  }
}

function closed(workerId: number): IdError {
  return new IdError('LEASE_LOST', `the lease of worker ${workerId} is closed: acquire a new one`)
}
