// shard map × ring × hash: plans of the map are the ring's assignments, with its minimal moves, and
// the slot of a key can be recomputed by anyone who has xxHash, in whatever language.

import { assignSlots } from '@ashlar/ring'
import { type MapChange, type MapPlan, type ShardKey, ShardMap } from '@ashlar/shard'
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import xxhash from 'xxhash-wasm'

const { h32Raw } = await xxhash()

const SLOTS = 64
const ids = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', 's1', 's11', 'ÿ'),
)
const weights = fc.constantFrom(0, 0.1, 1, 2.5, 1e9)
const fleet = fc
  .uniqueArray(fc.record({ id: ids, weight: weights }), {
    selector: ({ id }) => id,
    minLength: 1,
    maxLength: 8,
  })
  .filter((shards) => shards.some(({ weight }) => weight > 0))
/** A fleet, and what becomes of it: some leave, some change, some come. */
const histories = fc
  .tuple(fleet, fleet, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([before, others, stays]) => {
    const kept = before.filter((_, i) => stays[i])
    const known = new Set(others.map(({ id }) => id))
    return { before, after: [...others, ...kept.filter(({ id }) => !known.has(id))] }
  })
const factors = fc.constantFrom(1.05, 1.25, 3)

interface Fleets {
  readonly before: readonly { id: string; weight: number }[]
  readonly after: readonly { id: string; weight: number }[]
}

type Plan = (map: ShardMap, change: MapChange, fleets: Fleets) => Pick<MapPlan, 'moves'>

const change: Plan = (map, wish) => map.change(wish)

/** The law: a plan hands over what the ring would, which is the least that leads there. */
function plansAreAssignments(fleets: Fleets, factor: number, plan = change): void {
  const { before, after } = fleets
  const old = new Set(before.map(({ id }) => id))
  const stays = new Set(after.map(({ id }) => id))
  const map = ShardMap.create({ slots: SLOTS, shards: before })
  const table = assignSlots(before, { slots: SLOTS })
  for (let slot = 0; slot < SLOTS; slot++) expect(map.ownerOf(slot)).toBe(table.ownerOf(slot)!.id)
  const wish = {
    add: after.filter(({ id }) => !old.has(id)),
    remove: before.filter(({ id }) => !stays.has(id)).map(({ id }) => id),
    weights: Object.fromEntries(
      after.filter(({ id }) => old.has(id)).map(({ id, weight }) => [id, weight]),
    ),
    factor,
  }
  const { moves } = plan(map, wish, fleets)
  const assigned = assignSlots(after, { slots: SLOTS, factor, previous: table })
  expect(moves).toEqual(assigned.moves)
  const { next, optimum, collateral } = map.change(wish)
  expect({ optimum, collateral }).toEqual({ optimum: assigned.moves.length, collateral: 0 })
  for (let slot = 0; slot < SLOTS; slot++) {
    expect(next.ownerOf(slot)).toBe(assigned.ownerOf(slot)!.id)
  }
}

/** A broken twin: shares all slots out anew, as if there had been none before. */
const changeAnew: Plan = (map, _, { after }) => {
  const table = assignSlots(after, { slots: SLOTS })
  const slots = Array.from({ length: SLOTS }, (_, slot) => {
    return { slot, from: map.ownerOf(slot), to: table.ownerOf(slot)!.id }
  })
  return { moves: slots.filter(({ from, to }) => from !== to) }
}

const parts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', '\ud800', 'a\udfffb', '0', '\u0000', '__proto__', -0),
  fc.maxSafeInteger(),
  fc.bigInt(),
)
const keys = fc.oneof(parts, fc.array(parts, { minLength: 1, maxLength: 3 }))
const slotCounts = fc.oneof(fc.constantFrom(1, 16_384), fc.integer({ min: 1, max: 20_000 }))

/** The rule as its docs tell it: decimal numbers, lists joined by U+0000, UTF-8, xxHash, modulo. */
function slotByTheBook(key: ShardKey, slots: number, seed = 0): number {
  const list: readonly (string | number | bigint)[] = Array.isArray(key) ? key : [key]
  const text = list.map((part) => (typeof part === 'string' ? part : `${part}`)).join('\u0000')
  return h32Raw(new TextEncoder().encode(text), seed) % slots
}

describe('shard map and ring together', () => {
  test.prop([histories, factors])('a plan is what the ring assigns', (fleets, factor) => {
    plansAreAssignments(fleets, factor)
  })

  test('a plan that shares all slots out anew is caught', () => {
    const law = fc.property(histories, factors, (fleets, factor) => {
      plansAreAssignments(fleets, factor, changeAnew)
    })
    expect(fc.check(law, { seed: 10, numRuns: 100 }).failed).toBe(true)
  })
})

describe('shard map and hash together', () => {
  test.prop([keys, slotCounts])('anyone with xxHash finds the slot', (key, slots) => {
    const map = ShardMap.create({ slots, shards: ['a', 'b'] })
    const { slot, shard } = map.route(key)
    expect(slot).toBe(slotByTheBook(key, slots))
    expect(shard).toBe(map.ownerOf(slot))
  })

  test('a client with another seed is noticed', () => {
    const map = ShardMap.create({ slots: 16_384, shards: ['a', 'b'] })
    expect(map.slotOf('ada')).not.toBe(slotByTheBook('ada', 16_384, 1))
  })
})
