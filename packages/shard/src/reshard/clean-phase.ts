// The end of a job, either way: rows that nobody owns any more are deleted, whatever the job has
// put on the shards is taken away, and shards leave the map.
//
//   cleaning → done       what the old owners hold; shards that were to be removed leave
//   aborting → aborted    what was copied; shards that had joined leave, if they own nothing

import { type Fence, REFERENCE_SLOT } from '../engine.ts'
import type { ShardMap } from '../shard-map.ts'
import type { ShardJson } from '../shard-map-json.ts'
import { drainAll } from './change-drain.ts'
import { type ReshardPair, shardsOf } from './reshard-body.ts'
import { ReshardThrottler } from './reshard-throttle.ts'
import { allOf, type ReshardWork } from './reshard-work.ts'

/** Slots cleaned at once, at most. */
const MOST_SLOTS = 512

/** Ends a job that was carried out. */
export async function clean(work: ReshardWork): Promise<void> {
  if (!(await deleteRows(work, 'from', work.body.pairs))) return
  await releaseAll(work)
  const { dismiss, reweigh } = work.body
  await leaveMap(work, () => dismiss, reweigh)
  await work.save({ state: 'done' }, { end: true })
}

/** Ends a job that was given up; nothing is flipped by then. */
export async function abort(work: ReshardWork): Promise<void> {
  if (!(await deleteRows(work, 'to', await begunPairs(work)))) return
  await releaseAll(work)
  const joined = work.body.admit.map(({ id }) => id)
  // A shard that somebody has put to use meanwhile stays.
  const unused = (map: ShardMap) => {
    return joined.filter((id) => isIn(map, id) && map.slotsOf(id).length === 0)
  }
  await leaveMap(work, unused, [])
  await work.save({ state: 'aborted' }, { end: true })
}

/** The pairs of which anything was copied: where nothing was, a shard may not even have tables. */
async function begunPairs({ body, mover, lease }: ReshardWork): Promise<readonly ReshardPair[]> {
  const positions = await allOf(
    body.pairs.map(({ from, to }) => mover.position(from, to, lease.job)),
  )
  return body.pairs.filter((_, i) => positions[i]! > 0)
}

/** Deletes what lies at one side of pairs; false if a wish came first. */
async function deleteRows(
  work: ReshardWork,
  side: 'from' | 'to',
  pairs: readonly ReshardPair[],
): Promise<boolean> {
  const throttler = new ReshardThrottler(work)
  const left = chunks(pairs, await work.map(), side)
  while (left.size > 0) {
    if (!work.mayGoOn) return false
    await throttler.admit([...left.keys()])
    if (!work.mayGoOn) return false
    await allOf(
      [...left].map(async ([shard, lists]) => {
        const { mover, lease } = work
        const deleted = await mover.clean(shard, lease, lists[0]!, mover.unitRows)
        throttler.spend(deleted)
        if (deleted > 0) {
          work.steps += 1
          return
        }
        lists.shift()
        if (lists.length === 0) left.delete(shard)
      }),
    )
    // Nobody follows any more: this only keeps the logs short.
    await drainAll(work, 4)
  }
  return true
}

function chunks(
  pairs: readonly ReshardPair[],
  map: ShardMap,
  side: 'from' | 'to',
): Map<string, (readonly number[])[]> {
  const alive = new Set(map.liveSlots())
  const stale = new Map<string, number[]>()
  for (const pair of pairs) {
    for (const slot of pair.slots) {
      // The rows of a slot that has ended may be left at either side.
      const shards = alive.has(slot) ? [pair[side]] : [pair.from, pair.to]
      for (const shard of shards) {
        const slots = stale.get(shard)
        if (slots === undefined) stale.set(shard, [slot])
        else slots.push(slot)
      }
    }
  }
  const lists = [...stale].map(([shard, slots]): [string, (readonly number[])[]] => {
    const count = Math.ceil(slots.length / MOST_SLOTS)
    const at = (i: number) => slots.slice(i * MOST_SLOTS, (i + 1) * MOST_SLOTS)
    return [shard, Array.from({ length: count }, (_, i) => at(i))]
  })
  return new Map(lists)
}

async function releaseAll({ body, mover, lease }: ReshardWork): Promise<void> {
  await allOf(shardsOf(body).map((shard) => mover.release(shard, lease)))
}

/**
 * Takes shards out of the map, and gives others their new weight.
 *
 * A shard that leaves is not written any more with the reference tables, so nobody may take it for
 * a member who has not heard of it: its fence closes before the map is saved.
 */
async function leaveMap(
  work: ReshardWork,
  leaving: (map: ShardMap) => readonly string[],
  reweigh: readonly ShardJson[],
): Promise<void> {
  const { mover, lease } = work
  for (;;) {
    const map = await work.map()
    const dismiss = leaving(map).filter((id) => isIn(map, id))
    const admit = reweigh.filter((shard) => {
      const present = map.shards.find(({ id }) => id === shard.id)
      return present !== undefined && present.weight !== shard.weight
    })
    if (dismiss.length + admit.length === 0) return
    const { next } = map.change({ admit, dismiss })
    const fence = (state: Fence['state'], epoch: number): Fence[] => [
      { slot: REFERENCE_SLOT, state, epoch },
    ]
    const set = (fences: Fence[]) => allOf(dismiss.map((id) => mover.setFences(id, lease, fences)))
    await set(fence('arriving', map.epoch))
    const options = { map: { expected: map.epoch, next: next.toJSON() } }
    if (await work.save({}, options)) {
      await set(fence('moved', next.epoch))
      return
    }
    await set(fence('owned', map.epoch))
  }
}

function isIn(map: ShardMap, shard: string): boolean {
  return map.shards.some(({ id }) => id === shard)
}
