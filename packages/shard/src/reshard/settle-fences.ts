// Puts the fences of a job right by its body, as a worker does first that takes over:
//
//   a flip that the body has           its fences follow, whether they had or not
//   frozen without one                 owned again, at the epoch it has: it never came to a flip
//   arriving without one               moved
//
// The body is saved in one transaction with the map, so it tells whether the commit point was
// passed. Nobody of an earlier token can write a fence once all shards were claimed.

import { type Fence, REFERENCE_SLOT } from '../engine.ts'
import type { ShardMap } from '../shard-map.ts'
import { type OpenFlip, type ReshardBody, shardsOf } from './reshard-body.ts'
import { allOf, type ReshardWork } from './reshard-work.ts'

/** Settles all shards of the job; see above. */
export async function settleFences(work: ReshardWork): Promise<void> {
  const { body } = work
  const map = await work.map()
  if (body.admittedAt !== undefined && body.state === 'planned') {
    await openReferences(work, map, body.admittedAt)
  }
  if (body.flip !== undefined) await finishFlip(work, body.flip)
  await allOf(shardsToClaim(body, map).map((shard) => settleShard(work, map, shard)))
}

/** The shards that a worker may have to change something on. */
export function shardsToClaim(body: ReshardBody, map: ShardMap): string[] {
  // Reference tables are frozen on all shards while new ones join, and on no other occasion.
  const all = body.state === 'planned' && isCopyingReferences(body)
  const others = all ? map.shards.map(({ id }) => id) : []
  return [...new Set([...shardsOf(body), ...others])].sort()
}

/** Whether shards join that must be given the reference tables. */
export function isCopyingReferences({ admit, tables }: ReshardBody): boolean {
  return admit.length > 0 && tables.some(({ kind }) => kind === 'reference')
}

/** Makes the fences of slots follow the map. Safe to repeat. */
export async function finishFlip(work: ReshardWork, flip: OpenFlip): Promise<void> {
  const { mover, lease } = work
  const { from, to, slots, epoch } = flip
  const as = (state: Fence['state']): Fence[] => slots.map((slot) => ({ slot, state, epoch }))
  // In this order: who goes by the old map must not read what the new owner has overwritten.
  await mover.setFences(from, lease, as('moved'), { end: slots })
  await mover.setFences(to, lease, as('owned'), { begin: slots })
}

/** Lets reference tables be written again, by who knows of the shards that joined. */
export async function openReferences(
  work: ReshardWork,
  map: ShardMap,
  epoch: number,
): Promise<void> {
  const { mover, lease, body } = work
  const shards = isCopyingReferences(body) ? map.shards : body.admit
  const fence: Fence = { slot: REFERENCE_SLOT, state: 'owned', epoch }
  await allOf(shards.map(({ id }) => mover.setFences(id, lease, [fence])))
}

async function settleShard(work: ReshardWork, map: ShardMap, shard: string): Promise<void> {
  const { mover, lease, body, settings } = work
  const isMember = map.shards.some(({ id }) => id === shard)
  const ours = new Set(body.pairs.flatMap(({ slots }) => slots))
  const writes: Fence[] = []
  for (const { slot, state, epoch } of await settings.engine.fences(shard)) {
    if (state !== 'frozen' && state !== 'arriving') continue
    if (slot === REFERENCE_SLOT) writes.push({ slot, state: isMember ? 'owned' : 'moved', epoch })
    else if (ours.has(slot)) {
      writes.push({ slot, state: state === 'frozen' ? 'owned' : 'moved', epoch })
    }
  }
  if (writes.length > 0) await mover.setFences(shard, lease, writes)
}
