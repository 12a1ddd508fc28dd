// The laws of shard maps, each as a check of one thing that a map does, so that broken ways of
// doing it can be put in its place.

import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import type { MapChange, MapPlan } from '../src/map-change.ts'
import { ShardError } from '../src/shard-error.ts'
import { partKey, type ShardKey } from '../src/shard-key.ts'
import { type Route, ShardMap } from '../src/shard-map.ts'
import { changeOf, keysFor, mapOptions, step } from './map-arbitrary.ts'
import {
  naiveHome,
  naiveOwners,
  naivePin,
  naiveRoot,
  naiveSlot,
  naiveText,
} from './map-naive-router.ts'

export type Change = (map: ShardMap, change: MapChange) => MapPlan
export type Router = (map: ShardMap, key: ShardKey, table?: string) => Route

const ownChange: Change = (map, change) => map.change(change)
const ownRoute: Router = (map, key, table) => map.route(key, table)

/** A step of a history that was taken. */
export interface Taken {
  readonly before: ShardMap
  readonly change: MapChange
  readonly plan: MapPlan
}

const REFUSALS = ['INVALID_MAP', 'UNKNOWN_SHARD', 'UNKNOWN_KEY']
const history = fc.record({ options: mapOptions, steps: fc.array(step, { maxLength: 8 }) })

/** Runs random histories; what a map refuses leaves it as it was. Broken ways get a fixed seed. */
export function along(
  check: (map: ShardMap, taken: readonly Taken[]) => void,
  { change = ownChange, ...runs }: { change?: Change; numRuns?: number; seed?: number } = {},
): void {
  const law = fc.property(history, ({ options, steps }) => {
    let map = ShardMap.create(options)
    const taken: Taken[] = []
    check(map, taken)
    for (const wish of steps) {
      const asked = changeOf(map, wish)
      const plan = asked && attempt(map, asked, change)
      if (asked === undefined || plan === undefined) continue
      taken.push({ before: map, change: asked, plan })
      map = plan.next
      check(map, taken)
    }
  })
  fc.assert(law, { numRuns: 100, ...runs })
}

function attempt(map: ShardMap, asked: MapChange, change: Change): MapPlan | undefined {
  try {
    return change(map, asked)
  } catch (error) {
    if (error instanceof ShardError && REFUSALS.includes(error.code)) return undefined
    throw error
  }
}

/** All keys of all tables, and keys without a table. */
function places(map: ShardMap): { table: string | undefined; key: ShardKey }[] {
  return [undefined, ...map.tables.keys()].flatMap((table) =>
    keysFor(map, table).map((key) => ({ table, key })),
  )
}

/** Every key routes to exactly one live slot and its one shard, as the naive router says. */
export function checkRouting(map: ShardMap, route: Router = ownRoute): void {
  const json = map.toJSON()
  const owners = naiveOwners(json)
  expect(map.liveSlots()).toEqual([...owners.keys()])
  const found = places(map).map(({ table, key }) => {
    const { slot, shard, epoch } = route(map, key, table)
    const pin = map.pinOf(key, table)
    return { key, slot, shard, epoch, pin, owner: map.ownerOf(slot), alone: map.slotOf(key, table) }
  })
  const expected = places(map).map(({ table, key }) => {
    const slot = naiveSlot(json, key, table)!
    const owner = owners.get(slot)
    const pin = naivePin(json, key, table)
    return { key, slot, shard: owner, epoch: map.epoch, pin, owner, alone: slot }
  })
  expect(found).toEqual(expected)
  const held = map.shards.flatMap(({ id }) => map.slotsOf(id))
  expect(held.sort((a, b) => a - b)).toEqual([...owners.keys()])
}

/** Rows of one key lie together in all tables of a family, whatever pins there are. */
export function checkColocation(map: ShardMap, route: Router = ownRoute): void {
  for (const [table, rule] of map.tables) {
    if (rule.by !== 'colocated') continue
    expect(map.rootOf(table)).toBe(map.rootOf(rule.with))
    for (const key of keysFor(map, table)) {
      expect(route(map, key, table)).toEqual(route(map, key, rule.with))
    }
  }
}

/** A row may carry the slots that its key has, now or while it moves, and no other. */
export function checkRows(map: ShardMap): void {
  const json = map.toJSON()
  const someSlots = [...map.liveSlots().slice(0, 3), ...map.liveSlots().slice(-3)]
  for (const { table, key } of places(map)) {
    if (table === undefined) continue
    const pin = naivePin(json, key, table)
    const home = naiveHome(json, key, table)!
    const may =
      pin === undefined ? [home] : pin.state === 'moving' ? [pin.slot, pin.from] : [pin.slot]
    const values = Array.isArray(key) ? key : [key]
    const allowed = [...someSlots, ...may].filter((slot) => map.checkRow(table, values, slot))
    if (`${allowed}` !== `${[...someSlots, ...may].filter((slot) => may.includes(slot))}`) {
      expect.fail(`rows of ${String(key)} in ${table} may carry ${may}, not ${allowed}`)
    }
  }
}

/** The parts of a split key are those of distinct keys, the first being the key itself. */
export function checkParts(map: ShardMap): void {
  const json = map.toJSON()
  for (const { table, key } of places(map)) {
    const { family } = naiveRoot(json, table)
    const text = naiveText(key)
    const split = json.splits.find((found) => found.table === family && found.key === text)
    const parts = map.parts(key, table)
    const own = map.route(key, table)
    if (split === undefined && parts.length === 1 && parts[0]!.slot === own.slot) continue
    const texts = Array.from({ length: split?.parts ?? 1 }, (_, part) => partKey(text, part))
    expect(new Set(texts).size).toBe(texts.length)
    expect(parts).toEqual([own, ...texts.slice(1).map((part) => map.route(part, table))])
  }
}

/** Data by zone stays in its zone. */
export function checkZones(map: ShardMap): void {
  const zoneOf = new Map(map.shards.map(({ id, zone }) => [id, zone]))
  for (const [table, rule] of map.tables) {
    if (rule.by !== 'zone') continue
    for (const key of keysFor(map, table)) {
      expect(zoneOf.get(map.route(key, table).shard)).toBe((key as string[])[0])
    }
  }
}

/** A map is what its JSON says, through text and back. */
export function checkRoundTrip(map: ShardMap): void {
  const text = JSON.stringify(map)
  const again = ShardMap.fromJSON(JSON.parse(text))
  expect(JSON.stringify(again)).toBe(text)
  expect(again.toJSON()).toEqual(map.toJSON())
  for (const { table, key } of places(map)) {
    expect(again.route(key, table)).toEqual(map.route(key, table))
  }
}

/** The moves are the slots alive before and after whose owner differs; epochs grow by one. */
export function checkPlan({ before, plan }: Taken): void {
  const [old, now] = [naiveOwners(before.toJSON()), naiveOwners(plan.next.toJSON())]
  const moves = [...old]
    .filter(([slot, from]) => now.has(slot) && now.get(slot) !== from)
    .map(([slot, from]) => ({ slot, from, to: now.get(slot) }))
  expect(plan.moves).toEqual(moves)
  expect(plan.next.epoch).toBe(before.epoch + 1)
  expect(plan.collateral).toBe(plan.moves.length - plan.optimum)
}

/** Law 18: no more slots move than must, however they are counted. */
export function checkOptimum(taken: Taken): void {
  const { plan } = taken
  expect(plan.optimum).toBe(fewest(taken))
  expect(plan.moves).toHaveLength(plan.optimum)
}

/** The bounds as `assignSlots` states them, and what cannot stay within them. */
function fewest({ before, change, plan: { next, moves } }: Taken): number {
  if (change.moves !== undefined) {
    return change.moves.filter(({ slot, to }) => before.ownerOf(slot) !== to).length
  }
  if (!(change.add || change.remove || change.weights)) return 0
  const old = naiveOwners(before.toJSON())
  const blocks = [{ first: 0, count: before.slots, zone: undefined as string | undefined }]
  for (const rule of before.tables.values()) {
    for (const { zone, firstSlot, slots } of rule.by === 'zone' ? rule.zones : []) {
      blocks.push({ first: firstSlot, count: slots, zone })
    }
  }
  let needed = 0
  for (const { first, count, zone } of blocks) {
    const live = next.shards.filter((shard) => shard.weight !== 0 && (!zone || shard.zone === zone))
    const members = zone === '' ? live.filter((shard) => shard.zone === '') : live
    const largest = Math.max(...members.map((shard) => shard.weight ?? 1))
    const total = members.reduce((sum, shard) => sum + (shard.weight ?? 1) / largest, 0)
    let [stays, excess, lack] = [0, 0, 0]
    for (const { id, weight = 1 } of members) {
      const share = (count * weight) / largest / total
      const by = change.factor ?? 1.25
      let held = 0
      for (let slot = first; slot < first + count; slot++) if (old.get(slot) === id) held++
      stays += held
      excess += Math.max(0, held - Math.ceil(share * by - share * by * 1e-12))
      lack += Math.max(0, Math.floor((share / by) * (1 + 1e-12)) - held)
    }
    needed += Math.max(count - stays + excess, lack)
  }
  const inBlock = (slot: number) =>
    blocks.some(({ first, count }) => slot >= first && slot < first + count)
  return needed + moves.filter(({ slot }) => !inBlock(slot)).filter(gone(next)).length
}

function gone(next: ShardMap): (move: { from: string }) => boolean {
  return ({ from }) => next.shards.every(({ id }) => id !== from)
}

/** Keys whose slot did not move, and is still theirs, are routed as before. */
export function checkStability({ before, plan }: Taken): void {
  const moved = new Set(plan.moves.map(({ slot }) => slot))
  for (const { table, key } of places(before)) {
    const [old, now] = [before.route(key, table), plan.next.route(key, table)]
    if (old.slot !== now.slot || moved.has(old.slot)) continue
    expect(now).toEqual({ ...old, epoch: plan.next.epoch })
  }
}

/** Slot ids are given out once: what comes to life was never alive before. */
export function checkFreshness(taken: readonly Taken[]): void {
  const { before, plan } = taken.at(-1)!
  const ever = new Set(taken.flatMap((earlier) => earlier.before.liveSlots()))
  const alive = new Set(before.liveSlots())
  const born = plan.next.liveSlots().filter((slot) => !alive.has(slot))
  expect(born.filter((slot) => ever.has(slot))).toEqual([])
  expect(Math.max(...plan.next.liveSlots())).toBeLessThan(plan.next.slotCount)
  expect(plan.next.slotCount).toBeGreaterThanOrEqual(before.slotCount)
}
