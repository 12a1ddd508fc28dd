// Applies what was captured on a shard where the other copy of the slot is, and forgets it.
//
// On shard X a key of slot s matters only while X owns s, and only if the other copy has it
// already: a slot that is not copied yet gets the change with its snapshot. What X has by way of
// the job itself is of slots that X does not own. So changes captured at both ends never echo.
//
//                  from                          to
//   forward    [flipped, copied) ──────────▶
//              ◀────────────────────────── [0, flipped)
//
// Never while a unit of a copy from X is under way: a key dropped as not copied yet, whose row was
// already read for the unit, would be lost.

import type { DirtyKey } from '../slot-mover.ts'
import { type ReshardBody, shardsOf } from './reshard-body.ts'
import { allOf, type ReshardWork } from './reshard-work.ts'

/** Keys read at once. */
const LIMIT_KEYS = 1_000

/** Where changes on a shard go. */
export interface ChangeRoute {
  /** The shard with the other copy. */
  readonly to: string
  readonly slots: readonly number[]
}

/** Where changes on a shard go, as the body stands. */
export function routesFrom({ pairs, state }: ReshardBody, shard: string): ChangeRoute[] {
  if (state === 'cleaning' || state === 'aborting') return []
  const routes: ChangeRoute[] = []
  for (const { from, to, slots, copied, flipped } of pairs) {
    if (from === shard) routes.push({ to, slots: slots.slice(flipped, copied) })
    if (to === shard) routes.push({ to: from, slots: slots.slice(0, flipped) })
  }
  return routes.filter((route) => route.slots.length > 0)
}

/** How a drain ended. */
export interface Drained {
  /** Whether all that had been captured when it was asked last was applied. */
  readonly isAll: boolean
  /** Keys read. */
  readonly keys: number
}

/**
 * Applies changes of one shard until there are none left, or that many times.
 *
 * @param onKeys Is told of keys before they are applied.
 * @param check Called before each time; throws to stop.
 */
export async function drain(
  work: ReshardWork,
  shard: string,
  options: {
    readonly times?: number
    readonly onKeys?: ((keys: readonly DirtyKey[]) => void) | undefined
    readonly check?: () => void
  } = {},
): Promise<Drained> {
  const { mover, lease } = work
  const {
    times = Number.POSITIVE_INFINITY,
    onKeys,
    check = () => work.signal.throwIfAborted(),
  } = options
  const routes = routesFrom(work.body, shard).map((route) => {
    return { ...route, has: new Set(route.slots) }
  })
  let keys = 0
  for (let i = 0; i < times; i++) {
    check()
    const batch = await mover.changes(shard, lease, LIMIT_KEYS)
    keys += batch.keys.length
    onKeys?.(batch.keys)
    for (const { to, slots, has } of routes) {
      const some = batch.keys.filter(({ slot }) => slot === undefined || has.has(slot))
      if (some.length === 0) continue
      check()
      await mover.apply(shard, to, lease, some, slots)
      work.count(({ changes }) => ({ changes: changes + some.length }))
    }
    check()
    if (batch.receipt !== undefined) await mover.acknowledge(shard, lease, batch)
    if (batch.isAll) return { isAll: true, keys }
  }
  return { isAll: false, keys }
}

/** {@link drain} on all shards of the job, at once. */
export async function drainAll(work: ReshardWork, times = 64): Promise<Drained> {
  const drained = await allOf(shardsOf(work.body).map((shard) => drain(work, shard, { times })))
  const keys = drained.reduce((sum, one) => sum + one.keys, 0)
  work.count(() => ({ lagKeys: keys }))
  return { isAll: drained.every(({ isAll }) => isAll), keys }
}
