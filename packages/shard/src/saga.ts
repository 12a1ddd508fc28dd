// A saga: steps on shards of their own, each with what undoes it, for work too long for one
// transaction (Garcia-Molina & Salem, "Sagas", 1987). Its promise is kept by names in the shards,
// written in the transaction of the step that they speak of (saga-step.ts); the store only knows
// who is at it (a lease), so a wrong belief about that can delay a saga and never tear it:
//
//   begin in the store ─ step 0 ─ … ─ step n - 1 ─ end
//                        failure or crash: last step closed, then undo n - 2, …, 0 ─ end
//
// The last step's transaction is the commit point: with it the saga is done, without it undone.

import type { TransactionContext } from './distributed-transaction.ts'
import type { ShardTx } from './engine.ts'
import type { SagaRecord } from './map-store.ts'
import { sagaInput } from './saga-input.ts'
import { SagaProgress } from './saga-progress.ts'
import { InDoubtTransaction, ShardError } from './shard-error.ts'
import type { ShardKey } from './shard-key.ts'

/** One step of a saga. */
export interface SagaStep<I, Tx extends ShardTx = ShardTx> {
  /** For messages. */
  readonly name: string
  /** The key whose shard the step works on; must give the same for the same input. */
  key(input: I): ShardKey
  /** The table that the key belongs to, where that is not placed by hash. */
  readonly table?: string | undefined
  /** Does the step; takes effect once or not at all. May run more than once until it does. */
  run(tx: Tx, input: I): Promise<unknown> | unknown
  /** Undoes the step; takes effect once, and only if the step did. */
  undo(tx: Tx, input: I): Promise<unknown> | unknown
}

/** Options of a saga. */
export interface SagaOptions {
  /**
   * How long one step may take before others believe that its runner has crashed, in milliseconds.
   * Default 30,000. A step that takes longer may find the saga undone.
   */
  readonly leaseMs?: number | undefined
  /** How often undoing one step is tried before it is left to recovery. Default 8, at least 1. */
  readonly maxUndoTries?: number | undefined
}

/** Options of one run. */
export interface SagaRunOptions {
  /** Once it aborts no further step begins, what was done is undone, and no wait is taken. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Steps that all take effect, or are all undone in reverse order.
 *
 * Other transactions see what lies between. Must be defined under the same name, with the same
 * steps, in every process that recovers.
 */
export class Saga<I, Tx extends ShardTx = ShardTx> {
  /** What it is known by in the store. */
  readonly name: string
  readonly #context: TransactionContext<Tx>
  readonly #steps: readonly SagaStep<I, Tx>[]
  readonly #leaseMs: number
  readonly #maxUndoTries: number

  /** @throws {ShardError} `INVALID_OPTION` without a name or steps, or out of range. */
  constructor(
    context: TransactionContext<Tx>,
    name: string,
    steps: readonly SagaStep<I, Tx>[],
    { leaseMs = 30_000, maxUndoTries = 8 }: SagaOptions = {},
  ) {
    if (name === '') refuse('the name of a saga must not be empty; recovery finds it by its name')
    if (steps.length === 0) refuse(`saga ${name} has no steps; give it at least one`)
    if (!(leaseMs > 0)) refuse(`leaseMs must be above 0, got ${leaseMs}`)
    if (!(Number.isSafeInteger(maxUndoTries) && maxUndoTries > 0)) {
      refuse(`maxUndoTries must be a whole number of at least 1, got ${maxUndoTries}`)
    }
    this.#context = context
    this.name = name
    this.#steps = steps
    this.#leaseMs = leaseMs
    this.#maxUndoTries = maxUndoTries
  }

  /**
   * Runs the steps in order; resolves once all have taken effect.
   *
   * @param input JSON: steps get a copy of it, and recovery the same.
   * @throws {ShardError} `ROLLED_BACK` with the failure as `cause` once every step is undone;
   * `IN_DOUBT` where undoing was left to recovery or taken over by it; `INVALID_OPTION` for input
   * that is not JSON, nothing having begun.
   */
  async run(input: I, { signal }: SagaRunOptions = {}): Promise<void> {
    const json = sagaInput(input)
    signal?.throwIfAborted()
    const id = this.#context.newId()
    const { sagas } = this.#context.store
    const progress = this.#progress(id, json, this.#context.map().epoch)
    await sagas.begin({ id, name: this.name, input: json, leaseMs: this.#leaseMs })
    for (const index of this.#steps.keys()) {
      try {
        signal?.throwIfAborted()
        if (index > 0) await progress.renew()
        await progress.run(index, signal)
      } catch (cause) {
        if (await this.#undoOwn(progress, id, index, cause, signal)) break
        throw this.#undone(id, index, cause)
      }
    }
    await this.#end(progress, id)
  }

  /**
   * Settles a saga whose runner let its lease run out: for `ShardRouter.recover`. `done` where its
   * last step had taken effect, `taken` where somebody else is at it.
   *
   * @throws {InDoubtTransaction} where a step could not be undone; it stays for the next time.
   */
  async settle(
    { id, input }: SagaRecord,
    signal?: AbortSignal,
  ): Promise<'done' | 'undone' | 'taken'> {
    if (!(await this.#context.store.sagas.takeToUndo(id, this.#leaseMs))) return 'taken'
    // Where its steps ran is not known: slots may have moved since.
    const progress = this.#progress(id, input, undefined)
    const isDone = await this.#undoFrom(progress, id, this.#steps.length - 1, signal)
    await this.#end(isDone ? progress : undefined, id)
    return isDone ? 'done' : 'undone'
  }

  #progress(id: string, json: string, sinceEpoch: number | undefined): SagaProgress<I, Tx> {
    return new SagaProgress(this.#context, this.#steps, {
      id,
      input: JSON.parse(json),
      leaseMs: this.#leaseMs,
      sinceEpoch,
    })
  }

  /** Undoes what this run has done; true if it turns out that all of it was done. */
  async #undoOwn(
    progress: SagaProgress<I, Tx>,
    id: string,
    failed: number,
    cause: unknown,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { sagas } = this.#context.store
    const isOurs = await sagas.takeToUndo(id, this.#leaseMs).catch(() => false)
    if (!isOurs) throw new InDoubtTransaction(id, cause)
    const isDone = await this.#undoFrom(progress, id, failed, signal)
    if (!isDone) await sagas.end(id).catch(() => {})
    return isDone
  }

  /** Undoes steps in reverse; true, with nothing undone, if the last one has taken effect. */
  async #undoFrom(
    progress: SagaProgress<I, Tx>,
    id: string,
    from: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const last = this.#steps.length - 1
    if (from === last && (await this.#again(id, () => progress.closeLast(), signal))) return true
    for (let index = Math.min(from, last - 1); index >= 0; index--) {
      await this.#again(id, () => progress.undo(index), signal)
    }
    return false
  }

  /** Until it works, boundedly, as long as nobody else has taken the saga over. */
  async #again<R>(
    id: string,
    action: () => Promise<R>,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    const context = this.#context
    for (let tries = 1; ; tries++) {
      try {
        if (!(await context.store.sagas.renew(id, 'undoing', this.#leaseMs))) break
        return await action()
      } catch (cause) {
        if (tries >= this.#maxUndoTries || signal?.aborted) throw new InDoubtTransaction(id, cause)
      }
      const pauseMs = FIRST_PAUSE_MS * 2 ** tries * (0.5 + context.random() / 2)
      await context.sleep(pauseMs, signal).catch(() => {})
    }
    throw new InDoubtTransaction(id, new Error('another process has taken over undoing it'))
  }

  async #end(progress: SagaProgress<I, Tx> | undefined, id: string): Promise<void> {
    // What was decided stands in the shards: should the store not answer, recovery ends it.
    await this.#context.store.sagas.end(id).catch(() => {})
    await progress?.forget().catch(() => {})
  }

  #undone(id: string, index: number, cause: unknown): ShardError {
    const why = cause instanceof Error ? cause.message : String(cause)
    return new ShardError(
      'ROLLED_BACK',
      `saga ${this.name} was undone, since step ${this.#steps[index]!.name} failed: ${why}`,
      { transaction: id, cause },
    )
  }
}

const FIRST_PAUSE_MS = 25

function refuse(message: string): never {
  throw new ShardError('INVALID_OPTION', message)
}
