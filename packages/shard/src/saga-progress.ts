// How far a saga is, as names in the shards where its steps work:
//
//   saga:<id>:<n>          step n has taken effect; written and taken away with the step and its
//                          undo, in the same transaction, so each takes effect once
//   saga:<id>:<n>:closed   step n takes effect no more; written before the first look at its name,
//                          so a runner that was believed dead cannot go on
//
// Names go with their slot when it moves to another shard, so one name must never stand under two
// slots: those could not come to lie on one shard. They do not follow a key that is pinned. So
// where the map has changed since the saga began, a name that is not on the slot's shard is looked
// for on the others; what a job that moves the slot has copied there is no name, see slot-copies.

import {
  retryConflicts,
  runOnShards,
  settledRoute,
  type TransactionContext,
} from './distributed-transaction.ts'
import { REFERENCE_SLOT, type ShardTx } from './engine.ts'
import type { SagaStep } from './saga.ts'
import { ShardError } from './shard-error.ts'
import type { Route, ShardMap } from './shard-map.ts'
import { refuseCopy } from './slot-copies.ts'

/** One saga under way. */
export interface SagaRun<I> {
  readonly id: string
  readonly input: I
  readonly leaseMs: number
  /** The epoch of the map when it began, if that was here: names are where slots are, then. */
  readonly sinceEpoch: number | undefined
}

/** Runs, undoes and forgets the steps of one saga. */
export class SagaProgress<I, Tx extends ShardTx> {
  readonly #context: TransactionContext<Tx>
  readonly #steps: readonly SagaStep<I, Tx>[]
  readonly #saga: SagaRun<I>
  #renewedEpoch: number | undefined

  constructor(
    context: TransactionContext<Tx>,
    steps: readonly SagaStep<I, Tx>[],
    saga: SagaRun<I>,
  ) {
    this.#context = context
    this.#steps = steps
    this.#saga = saga
    this.#renewedEpoch = saga.sinceEpoch
  }

  /** Prolongs the lease; rejects if the saga was taken over. */
  async renew(): Promise<void> {
    const { id, leaseMs } = this.#saga
    const epoch = this.#context.map().epoch
    if (!(await this.#context.store.sagas.renew(id, 'running', leaseMs))) throw takenOver(id)
    this.#renewedEpoch = epoch
  }

  /** Runs a step, once. */
  run(index: number, signal: AbortSignal | undefined): Promise<void> {
    const { input, id } = this.#saga
    const attempt = async (): Promise<void> => {
      // A key that was pinned has left the name that says `closed` behind: ask the store again.
      while (this.#context.map().epoch !== this.#renewedEpoch) await this.renew()
      await this.#onShardOf(index, signal, async (tx) => {
        const closed = this.#closed(index)
        if (!(await tx.mark(closed))) throw takenOver(id)
        await tx.unmark(closed)
        if (await tx.mark(this.#name(index))) await this.#steps[index]!.run(tx, input)
      })
    }
    return retryConflicts(this.#context, attempt, signal)
  }

  /**
   * Makes sure that the last step never takes effect any more, unless it has: true then. It
   * decides, in one transaction of one shard, how the saga ends.
   */
  closeLast(): Promise<boolean> {
    const last = this.#steps.length - 1
    const name = this.#name(last)
    const closed = this.#closed(last)
    const attempt = async (): Promise<boolean> => {
      const map = this.#context.map()
      const route = this.#route(map, last)
      const isDone = await this.#onShardOf(last, undefined, async (tx) => {
        await tx.mark(closed)
        const isThere = !(await tx.mark(name))
        await tx.unmark(isThere ? closed : name)
        return isThere
      })
      return isDone || (await this.#strayShard(map, route, name)) !== undefined
    }
    return retryConflicts(this.#context, attempt, undefined)
  }

  /** Undoes a step if it has taken effect, and keeps it from doing so later. */
  undo(index: number): Promise<void> {
    const name = this.#name(index)
    const step = this.#steps[index]!
    const { input } = this.#saga
    const attempt = async (): Promise<void> => {
      const map = this.#context.map()
      const route = this.#route(map, index)
      const isUndone = await this.#onShardOf(index, undefined, async (tx) => {
        // First: it waits for a step that is still being committed, whose name is then seen.
        await tx.mark(this.#closed(index))
        if (!(await tx.unmark(name))) return false
        await step.undo(tx, input)
        return true
      })
      if (isUndone) return
      const stray = await this.#strayShard(map, route, name)
      if (stray === undefined) return
      const slots = new Map([
        [route.shard, [route.slot]],
        [stray, [REFERENCE_SLOT]],
      ])
      await runOnShards(this.#context, { epoch: map.epoch, slots }, async (handles) => {
        if (!(await handles.tx(stray, REFERENCE_SLOT).unmark(name))) return
        await step.undo(handles.tx(route.shard, route.slot), input)
      })
    }
    return retryConflicts(this.#context, attempt, undefined)
  }

  /**
   * Takes away the names of a saga that is done. In order, and not beyond one that is not where
   * it should be: whoever still finds any name then finds the last, and knows that it is done.
   */
  async forget(): Promise<void> {
    for (const index of this.#steps.keys()) {
      const attempt = () => this.#onShardOf(index, undefined, (tx) => tx.unmark(this.#name(index)))
      if (!(await retryConflicts(this.#context, attempt, undefined))) return
    }
  }

  #name(index: number): string {
    return `saga:${this.#saga.id}:${index}`
  }

  #closed(index: number): string {
    return `${this.#name(index)}:closed`
  }

  #route(map: ShardMap, index: number): Route {
    const { key, table } = this.#steps[index]!
    return settledRoute(map, key(this.#saga.input), table)
  }

  #onShardOf<R>(
    index: number,
    signal: AbortSignal | undefined,
    body: (tx: Tx) => Promise<R>,
  ): Promise<R> {
    const map = this.#context.map()
    const { shard, slot } = this.#route(map, index)
    const claims = { epoch: map.epoch, slots: new Map([[shard, [slot]]]) }
    return runOnShards(this.#context, claims, ({ tx }) => body(tx(shard, slot)), { signal })
  }

  /** The shard other than that of the route where a name is. */
  async #strayShard(map: ShardMap, route: Route, name: string): Promise<string | undefined> {
    if (map.epoch === this.#saga.sinceEpoch) return undefined
    for (const { id } of map.shards) {
      if (id === route.shard || !(await this.#isMarked(map, id, name))) continue
      await refuseCopy(this.#context.store.jobs, id, route)
      return id
    }
    return undefined
  }

  async #isMarked(map: ShardMap, shard: string, name: string): Promise<boolean> {
    const claim = { slots: [REFERENCE_SLOT], epoch: map.epoch }
    const open = await this.#context.engine.open(shard, claim)
    try {
      return !(await open.tx(REFERENCE_SLOT).mark(name))
    } finally {
      await open.rollback()
    }
  }
}

function takenOver(id: string): ShardError {
  return new ShardError(
    'IN_DOUBT',
    `saga ${id} held out longer than its lease and was taken over to be undone; raise leaseMs if ` +
      'its steps take that long',
    { transaction: id },
  )
}
