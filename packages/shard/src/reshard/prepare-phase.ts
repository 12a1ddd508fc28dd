// planned → prepared: gives new shards their tables, the reference tables and a place in the map,
// and begins to capture changes.
//
// A new shard must not miss a write to a reference table. So those are frozen on all shards, which
// are written in one transaction; copied; and written again only by who knows the map with the new
// shard in it, since their fences are at its epoch from then on.

import { type Fence, REFERENCE_SLOT } from '../engine.ts'
import type { ShardMap } from '../shard-map.ts'
import { checkTables, resolveOpen } from './flip-slots.ts'
import { shardsOf } from './reshard-body.ts'
import { checkBlockers } from './reshard-plan.ts'
import { allOf, type ReshardWork } from './reshard-work.ts'
import { isCopyingReferences, openReferences } from './settle-fences.ts'

/** Does all that comes before the first row is copied. */
export async function prepare(work: ReshardWork): Promise<void> {
  const { body } = work
  checkTables(work, await work.map())
  await installNew(work)
  await inspect(work)
  if (body.admit.length > 0 && body.admittedAt === undefined) await admit(work)
  if (!work.mayGoOn) return
  await startCapture(work)
  await work.save({ state: 'prepared' })
}

async function installNew({ body, settings }: ReshardWork): Promise<void> {
  const { engine } = settings
  const { ddl } = body.rules
  await allOf(
    body.admit.map(async ({ id }) => {
      await engine.check(id)
      await engine.install(id, { ddl, tables: body.tables })
    }),
  )
}

async function inspect({ body, mover }: ReshardWork): Promise<void> {
  const { tables, pairs, rules } = body
  const shards = (side: 'from' | 'to') => [...new Set(pairs.map((pair) => pair[side]))]
  const found = await allOf([
    ...shards('from').map((id) => {
      return mover.inspect(id, tables, { role: 'source', capture: rules.capture })
    }),
    ...shards('to').map((id) => {
      return mover.inspect(id, tables, { role: 'target', capture: rules.capture })
    }),
  ])
  checkBlockers(found.flat())
}

/** Takes the new shards into the map, with the reference tables as all have them. */
async function admit(work: ReshardWork): Promise<void> {
  for (;;) {
    const map = await work.map()
    const { next } = map.change({ admit: work.body.admit })
    try {
      await giveReferences(work, map)
    } catch (error) {
      await thawReferences(work, map)
      throw error
    }
    // If this is not answered, nobody may thaw: the map may have the new shards already.
    const options = { map: { expected: map.epoch, next: next.toJSON() } }
    if (!(await work.save({ admittedAt: next.epoch }, options))) continue
    await openReferences(work, next, next.epoch)
    return
  }
}

async function giveReferences(work: ReshardWork, map: ShardMap): Promise<void> {
  const { mover, lease, body, signal } = work
  const { maxFreezeMs: maxMs } = body.rules
  const as = (state: Fence['state']): Fence[] => [{ slot: REFERENCE_SLOT, state, epoch: map.epoch }]
  await allOf(body.admit.map(({ id }) => mover.setFences(id, lease, as('arriving'))))
  if (!isCopyingReferences(body)) return
  // One after the other, in the order in which transactions take them.
  for (const { id } of map.shards) await mover.freeze(id, lease, as('frozen'), { maxMs, signal })
  const source = map.shards[0]!.id
  for (const { id } of map.shards) await resolveOpen(work, id)
  await allOf(body.admit.map(({ id }) => mover.copyReference(source, id, lease)))
}

async function thawReferences(work: ReshardWork, map: ShardMap): Promise<void> {
  if (!isCopyingReferences(work.body)) return
  const fence: Fence = { slot: REFERENCE_SLOT, state: 'owned', epoch: map.epoch }
  await allOf(map.shards.map(({ id }) => work.mover.setFences(id, work.lease, [fence])))
}

/** On sources with the slots that leave; on targets with none, so that they can begin at once. */
async function startCapture({ body, mover, lease, signal }: ReshardWork): Promise<void> {
  const { tables, pairs, rules } = body
  const { capture, maxBarrierMs } = rules
  const leaving = (shard: string) => {
    return pairs.filter(({ from }) => from === shard).flatMap(({ slots }) => slots)
  }
  await allOf(
    shardsOf(body).map((shard) => {
      const slots = leaving(shard)
      return mover.startCapture(shard, lease, { capture, slots, tables, maxBarrierMs, signal })
    }),
  )
}
