// The laws of shard maps along random histories of changes, and broken ways of routing and changing
// that they must catch.

import { describe, expect, test } from 'vitest'
import type { MapPlan } from '../src/map-change.ts'
import { keyText } from '../src/shard-key.ts'
import { ShardMap } from '../src/shard-map.ts'
import type { ShardMapJson } from '../src/shard-map-json.ts'
import {
  along,
  type Change,
  checkColocation,
  checkFreshness,
  checkOptimum,
  checkParts,
  checkPlan,
  checkRoundTrip,
  checkRouting,
  checkRows,
  checkStability,
  checkZones,
  type Router,
  type Taken,
} from './map-laws.ts'

const last = (check: (taken: Taken) => void) => (_: ShardMap, taken: readonly Taken[]) => {
  const latest = taken.at(-1)
  if (latest !== undefined) check(latest)
}

const fresh = (_: ShardMap, taken: readonly Taken[]) => {
  if (taken.length > 0) checkFreshness(taken)
}

test('every key routes to exactly one live slot and its shard', () => along((m) => checkRouting(m)))
test('rows of one key lie together in a family', () => along((m) => checkColocation(m)))
test('a row may carry the slots of its key and no other', () => along(checkRows))
test('the parts of a split key are distinct, the first is the key', () => along(checkParts))
test('data by zone stays in its zone', () => along(checkZones))
test('a map survives JSON', () => along(checkRoundTrip))
test('a plan lists exactly what moves', () => along(last(checkPlan)))
test('no more slots move than must', () => along(last(checkOptimum)))
test('what does not move is routed as before', () => along(last(checkStability)))
test('slot ids are given out once', () => along(fresh))

test('the histories take steps of every kind', () => {
  const kinds = new Map<string, number>()
  const count = last(({ change }) => {
    for (const kind of Object.keys(change)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  })
  along(count, { numRuns: 200, seed: 1 })
  const all = ['add', 'remove', 'weights', 'moves', 'pins', 'unpin', 'arrived', 'splits', 'tables']
  expect(all.filter((kind) => (kinds.get(kind) ?? 0) < 5)).toEqual([])
})

describe('the laws catch a map', () => {
  test('that hashes colocated tables by themselves', () => {
    const apart: Router = (map, key, table) =>
      table !== undefined && map.tables.get(table)?.by === 'colocated'
        ? map.route(`${table}:${keyText(key)}`)
        : map.route(key, table)
    expect(() => along((map) => checkColocation(map, apart), { seed: 3 })).toThrow()
    expect(() => along((map) => checkRouting(map, apart), { seed: 3 })).toThrow()
  })

  test('that forgets pins where a table is colocated', () => {
    const forgetful: Router = (map, key, table) => {
      if (table === undefined || map.tables.get(table)?.by !== 'colocated') {
        return map.route(key, table)
      }
      const bare = without(map.toJSON())
      return ShardMap.fromJSON(bare).route(key, table)
    }
    expect(() =>
      along((map) => checkColocation(map, forgetful), { numRuns: 2000, seed: 3 }),
    ).toThrow()
  })

  test('that sends keys ahead of their rows', () => {
    const hasty: Router = (map, key, table) => {
      const pin = map.pinOf(key, table)
      const slot = pin?.slot ?? map.slotOf(key, table)
      return { slot, shard: map.ownerOf(slot), epoch: map.epoch }
    }
    expect(() => along((map) => checkRouting(map, hasty), { numRuns: 1000, seed: 3 })).toThrow()
  })

  test('that gives slot ids out again', () => {
    const thrifty: Change = (map, change) => {
      const plan = map.change(change)
      const nextSlot = Math.max(map.slots, ...plan.next.liveSlots().map((slot) => slot + 1))
      return { ...plan, next: ShardMap.fromJSON({ ...plan.next.toJSON(), nextSlot }) }
    }
    expect(() => along(fresh, { change: thrifty, numRuns: 2000, seed: 3 })).toThrow()
  })

  test('that shares all slots out anew', () => {
    const restless: Change = (map, change) => reshuffled(map, map.change(change))
    expect(() => along(last(checkOptimum), { change: restless, seed: 3 })).toThrow()
    expect(() => along(last(checkPlan), { change: restless, seed: 3 })).not.toThrow()
  })

  test('that does not count what it moved by the way', () => {
    const quiet: Change = (map, change) => {
      const plan = map.change(change)
      return { ...plan, next: reshuffled(map, plan).next }
    }
    expect(() => along(last(checkPlan), { change: quiet, seed: 3 })).toThrow()
    expect(() => along(last(checkStability), { change: quiet, seed: 3 })).toThrow()
  })
})

/** The same map without its pins, whose slots nobody uses then. */
function without(json: ShardMapJson): ShardMapJson {
  const dropped = new Set(json.pins.flatMap(({ slot, from }) => [slot, from]))
  const extra = json.extra.filter(({ slot }) => !dropped.has(slot))
  return { ...json, pins: [], extra }
}

/** The plan, but every slot shared by hash goes to the next shard of the list besides. */
function reshuffled(map: ShardMap, plan: MapPlan): MapPlan {
  const json = plan.next.toJSON()
  const owners = json.owners.map(([count, shard]) => [count, (shard + 1) % json.shards.length])
  const next = ShardMap.fromJSON({ ...json, owners })
  const moves = map.liveSlots().flatMap((slot) => {
    if (!next.liveSlots().includes(slot)) return []
    const [from, to] = [map.ownerOf(slot), next.ownerOf(slot)]
    return from === to ? [] : [{ slot, from, to }]
  })
  return { ...plan, next, moves, collateral: moves.length - plan.optimum }
}
