// Gives a key a slot of its own on a shard, or takes it back, while others read and write:
//
//   1  map: the pin is `moving` { from, slot }; routers that see it answer ShardFrozen for the key
//   2  both slots' fences at that epoch: routers that have not seen it get StaleEpoch
//   3  one transaction over both shards moves the key's rows (pin-rows.ts)
//   4  the fence of a slot that ends is `moved`, at the epoch of the map to come
//   5  map: the pin is `pinned`, or gone
//
// The pin in the map says all that is needed to go on, so after a crash anybody may call again, and
// two who do so at once only repeat each other: the rows are at one of the two slots, all of them.
// No map holds the key's routers back and has a fence that lets them through: 1 precedes 2, and
// only who finds the very same pin still moving may take step 5.
//
// While a resharding job runs, step 3 may find a copy of the rows on the target and be refused. The
// job in turn waits for keys that move: so a pin that has only begun turns round.

import { isRefusedByFence } from './distributed-commit.ts'
import { retryConflicts, type TransactionContext } from './distributed-transaction.ts'
import type { Fence, ShardTx } from './engine.ts'
import type { MapChange } from './map-change.ts'
import { movePinnedRows } from './pin-rows.ts'
import { ShardError, ShardFrozen, ShardMoved, StaleEpoch } from './shard-error.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { ShardMap } from './shard-map.ts'
import type { PinJson } from './shard-map-json.ts'

/** Options of `ShardRouter.pin` and `unpin`. */
export interface PinOptions {
  /** The table whose family the key is of; default all tables placed by hash. */
  readonly table?: string | undefined
  /** Stops between two steps; calling again goes on from there. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Moves all rows of one key, of all tables of its family, to a slot of its own on a shard. Does
 * nothing if it is pinned there. Finishes a move that is under way first, whoever began it.
 *
 * For the time that the rows take, reads and writes of this key wait; its rows must fit in memory
 * and in one transaction. Other keys of its old slot go on.
 *
 * @throws {ShardError} `UNKNOWN_SHARD`, `UNKNOWN_TABLE`; `MAP_CONFLICT` where the map changed each
 * time it was tried; `CROSS_SHARD` where a resharding job keeps a copy of the rows on that shard: a
 * key that was not pinned is where it was, pin it again once the job has ended; one that was pinned
 * stays on its way, and the job waits for it: abort the job, or finish it if it has been cut
 * over, then call again; what else the shards refuse with. If it rejects, call it again: the key
 * may be on its way, and then waits.
 */
export async function pinKey<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  key: ShardKey,
  shard: string,
  { table, signal }: PinOptions = {},
): Promise<void> {
  await changePin(context, { key, table }, signal, (map, pin) => {
    const isThere = pin?.state === 'pinned' && map.ownerOf(pin.slot) === shard
    return isThere ? undefined : { pins: [{ key, table, shard }] }
  })
}

/**
 * Moves the rows of a pinned key back to the slot that its table's rule gives it. Does nothing if
 * it is not pinned. Otherwise as {@link pinKey}, for a key that was pinned.
 */
export async function unpinKey<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  key: ShardKey,
  { table, signal }: PinOptions = {},
): Promise<void> {
  await changePin(context, { key, table }, signal, (_, pin) =>
    pin === undefined ? undefined : { unpin: [{ key, table }] },
  )
}

interface PinnedKey {
  readonly key: ShardKey
  readonly table: string | undefined
}

/** How often it is tried where the map changes in between. */
const MAX_TRIES = 16

async function changePin<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  pinned: PinnedKey,
  signal: AbortSignal | undefined,
  wanted: (map: ShardMap, pin: PinJson | undefined) => MapChange | undefined,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    signal?.throwIfAborted()
    const map = await context.refresh()
    const pin = map.pinOf(pinned.key, pinned.table)
    if (pin?.state === 'moving') {
      try {
        await finishMove(context, pinned, signal)
      } catch (error) {
        if (!(error instanceof ShardError && error.code === 'CROSS_SHARD')) throw error
        await turnRound(context, pinned, signal)
        const now = context.map()
        if (wanted(now, now.pinOf(pinned.key, pinned.table)) !== undefined) throw error
      }
      continue
    }
    const change = wanted(map, pin)
    if (change === undefined) return
    await context.store.compareAndSet(map.epoch, map.change(change).next.toJSON())
  }
  throw new ShardError(
    'MAP_CONFLICT',
    `the map changed each of ${MAX_TRIES} times while key ${JSON.stringify(keyText(pinned.key))} ` +
      'was being moved; call again once other changes are done',
  )
}

/** Steps 2 to 5, until the pin no longer moves or another map is in force. */
async function finishMove<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  { key, table }: PinnedKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  const attempt = async (): Promise<void> => {
    const map = context.map()
    const pin = map.pinOf(key, table)
    if (pin?.state !== 'moving') return
    const { next } = map.change({ arrived: [{ key, table }] })
    const isEnding = !next.liveSlots().includes(pin.from)
    const end: Fence = { slot: pin.from, state: 'moved', epoch: next.epoch }
    if (!(isEnding && (await hasEnded(context, map, end)))) {
      await raiseFence(context, map, pin.slot)
      await raiseFence(context, map, pin.from)
      await movePinnedRows(context, map, pin, signal)
      // Committed, but a shard that has not heard so shows the rows where they were. A fence is
      // written only after the transactions that hold it: from then on readers find them.
      const arrived: Fence = { slot: pin.slot, state: 'owned', epoch: map.epoch }
      await context.engine.setFences(map.ownerOf(pin.slot), [arrived])
      const left: Fence = { slot: pin.from, state: 'owned', epoch: map.epoch }
      await context.engine.setFences(map.ownerOf(pin.from), [isEnding ? end : left])
    }
    signal?.throwIfAborted()
    await context.store.compareAndSet(map.epoch, next.toJSON())
  }
  try {
    await retryConflicts(context, attempt, signal)
  } catch (error) {
    // Refused to the end: perhaps since others move the key as well. The caller looks again.
    if (!isRefusedByFence(error)) throw error
  }
}

/**
 * Sends a key back to its own slot if it has left it and met a copy of its rows. A slot that ends
 * may have its last fence already, which nothing takes back: a key that leaves one goes on.
 */
async function turnRound<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  pinned: PinnedKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  const map = await context.refresh()
  const pin = map.pinOf(pinned.key, pinned.table)
  if (pin?.state !== 'moving') return
  const arrived = map.change({ arrived: [pinned] }).next
  if (!arrived.liveSlots().includes(pin.from)) return
  const { next } = map.change({ unpin: [pinned] })
  await context.store.compareAndSet(map.epoch, next.toJSON())
  await context.refresh()
  await finishMove(context, pinned, signal)
  await context.refresh()
}

/**
 * Whether step 4 was done: the slot's fence says that its rows have all been moved away. It is at
 * the epoch to come, so that who is late with step 2 finds a later one there.
 */
async function hasEnded<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  map: ShardMap,
  end: Fence,
): Promise<boolean> {
  const fence = await fenceOf(context, map.ownerOf(end.slot), end.slot)
  return fence?.state === 'moved' && fence.epoch <= end.epoch
}

/** Makes the shard refuse claims of this slot at earlier epochs than the map's. */
async function raiseFence<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  map: ShardMap,
  slot: number,
): Promise<void> {
  const shard = map.ownerOf(slot)
  const fence = await fenceOf(context, shard, slot)
  if (fence !== undefined) {
    // A fence never goes back: whoever raised it higher knows a later map than ours.
    if (fence.epoch > map.epoch) throw new StaleEpoch(shard, slot, fence.epoch)
    if (fence.state === 'moved') throw new ShardMoved(shard, slot, fence.epoch)
    // A slot on its way to another shard stays as it is, for whoever moves it counts on that.
    if (fence.state !== 'owned') throw new ShardFrozen(shard, slot, fence.epoch)
    if (fence.epoch === map.epoch) return
  }
  await context.engine.setFences(shard, [{ slot, state: 'owned', epoch: map.epoch }])
}

async function fenceOf<Tx extends ShardTx>(
  { engine }: TransactionContext<Tx>,
  shard: string,
  slot: number,
): Promise<Fence | undefined> {
  const fences = await engine.fences(shard)
  return fences.find((fence) => fence.slot === slot)
}
