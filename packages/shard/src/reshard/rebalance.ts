// Evens out what shards hold by what their slots hold, measured now: hash slots are of about equal
// size as long as keys are, and then one customer grows.
//
// The most loaded shard, beside its share by weight, gives the least loaded one a slot, the one
// that brings both nearest together, until all are within the factor or no slot is small enough.
// The sum of the squares of what shards are off falls with each, so it ends. Slots that somebody
// placed by hand stay: pins, directory entries, tables that lie on one shard as a whole. Those of a
// zone stay in it. O(moves · (shards + slots of a shard)).

import type { Engine } from '../engine.ts'
import type { MapStore } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMap } from '../shard-map.ts'
import { show } from '../show.ts'
import { moverOf, type ReshardChange } from './reshard-options.ts'
import { loadMap } from './reshard-plan.ts'

/** Options of {@link rebalance}. */
export interface RebalanceOptions {
  readonly engine: Engine
  readonly store: MapStore
  /** What is to be evened out; default `bytes`. */
  readonly by?: 'rows' | 'bytes' | undefined
  /** How far above its share a shard may be; above 1, default 1.1. */
  readonly factor?: number | undefined
}

/** How much a shard holds, and how much its share would be. */
export interface ShardLoad {
  readonly shard: string
  readonly before: number
  readonly after: number
  /** By its weight; of its zone, where all it holds is of one. */
  readonly share: number
}

/** What {@link rebalance} finds. */
export interface Rebalance {
  /** For `Reshard.create`; without moves where all is even. */
  readonly change: ReshardChange
  readonly loads: readonly ShardLoad[]
}

/**
 * Works out which slots to move so that no shard holds more than `factor` times its share, as far
 * as whole slots allow. Counts rows on every shard, changes nothing.
 *
 * @throws {ShardError} `INVALID_OPTION`, `NO_MAP`, `UNSUPPORTED`.
 *
 * @example
 * const { change } = await rebalance({ engine, store })
 * const { blockers } = await Reshard.plan({ engine, store, change })
 */
export async function rebalance(options: RebalanceOptions): Promise<Rebalance> {
  const { engine, store, by = 'bytes', factor = 1.1 } = options
  if (by !== 'rows' && by !== 'bytes') {
    throw new ShardError('INVALID_OPTION', `by must be rows or bytes, got ${show(by)}`)
  }
  if (!(factor > 1 && factor < Number.POSITIVE_INFINITY)) {
    throw new ShardError('INVALID_OPTION', `factor must be a number above 1, got ${show(factor)}`)
  }
  const mover = moverOf(engine)
  const map = await loadMap(store)
  const sizes = new Map<number, number>()
  await Promise.all(
    map.shards.map(async ({ id }) => {
      for (const [slot, size] of await mover.count(id, map.slotsOf(id))) sizes.set(slot, size[by])
    }),
  )
  return evenOut(map, sizes, factor)
}

/** As {@link rebalance}, by sizes that are known. */
export function evenOut(
  map: ShardMap,
  sizes: ReadonlyMap<number, number>,
  factor: number,
): Rebalance {
  const groups = groupsOf(map)
  const loads = new Map(map.shards.map(({ id }) => [id, { before: 0, after: 0, share: 0 }]))
  const moves: { slot: number; to: string }[] = []
  for (const group of groups) {
    const held = heldBy(map, group, sizes)
    const total = group.slots.reduce((sum, slot) => sum + (sizes.get(slot) ?? 0), 0)
    const weights = group.shards.reduce((sum, { weight }) => sum + weight, 0)
    const shareOf = (weight: number) => (weights === 0 ? 0 : (total * weight) / weights)
    const shares = new Map(group.shards.map(({ id, weight }) => [id, shareOf(weight)]))
    for (const [shard, { load }] of held) loads.get(shard)!.before += load
    if (group.isFixed) for (const [shard, { load }] of held) loads.get(shard)!.share += load
    else {
      for (const [shard, share] of shares) loads.get(shard)!.share += share
      moves.push(...settle(held, shares, factor))
    }
    for (const [shard, { load }] of held) loads.get(shard)!.after += load
  }
  moves.sort((a, b) => a.slot - b.slot)
  return { change: { moves }, loads: [...loads].map(([shard, load]) => ({ shard, ...load })) }
}

/** Slots that may lie on any of these shards. */
interface SlotGroup {
  readonly slots: readonly number[]
  readonly shards: readonly { readonly id: string; readonly weight: number }[]
  /** They stay where they are, and count. */
  readonly isFixed: boolean
}

function groupsOf(map: ShardMap): SlotGroup[] {
  const live = map.liveSlots()
  const shards = map.shards.map(({ id, weight = 1, zone }) => ({ id, weight, zone }))
  const rules = [...map.tables.values()]
  const ranges = rules.flatMap((rule) => (rule.by === 'range' ? rule.ranges : []))
  const free = new Set(ranges.map(({ slot }) => slot))
  const zones = rules.flatMap((rule) => (rule.by === 'zone' ? rule.zones : []))
  const inZone = ({ firstSlot, slots }: (typeof zones)[number]) =>
    live.filter((slot) => slot >= firstSlot && slot < firstSlot + slots)
  const zoned = zones.map((zone): SlotGroup => {
    const members = shards.filter((shard) => shard.zone === zone.zone)
    return { slots: inZone(zone), shards: members, isFixed: false }
  })
  const ofZones = new Set(zoned.flatMap(({ slots }) => slots))
  const open = live.filter((slot) => slot < map.slots || free.has(slot))
  const fixed = live.filter((slot) => slot >= map.slots && !free.has(slot) && !ofZones.has(slot))
  return [
    { slots: open, shards, isFixed: false },
    ...zoned,
    { slots: fixed, shards, isFixed: true },
  ]
}

interface Held {
  load: number
  readonly slots: { readonly slot: number; readonly size: number }[]
}

function heldBy(
  map: ShardMap,
  { slots, shards }: SlotGroup,
  sizes: ReadonlyMap<number, number>,
): Map<string, Held> {
  const held = new Map<string, Held>(shards.map(({ id }) => [id, { load: 0, slots: [] }]))
  for (const slot of slots) {
    const size = sizes.get(slot) ?? 0
    const at = held.get(map.ownerOf(slot))
    if (at === undefined) continue
    at.load += size
    if (size > 0) at.slots.push({ slot, size })
  }
  return held
}

function settle(
  held: ReadonlyMap<string, Held>,
  shares: ReadonlyMap<string, number>,
  factor: number,
): { slot: number; to: string }[] {
  const moved = new Map<number, string>()
  const excess = (shard: string) => held.get(shard)!.load - shares.get(shard)!
  const isFull = (shard: string) => held.get(shard)!.load > shares.get(shard)! * factor
  for (let isBetter = true; isBetter; ) {
    const byExcess = [...held.keys()].sort((a, b) => excess(b) - excess(a))
    const to = byExcess.at(-1)!
    isBetter = byExcess.filter(isFull).some((from) => {
      const slot = handOver(held.get(from)!, held.get(to)!, excess(from) - excess(to))
      if (slot !== undefined) moved.set(slot, to)
      return slot !== undefined
    })
  }
  return [...moved].map(([slot, to]) => ({ slot, to }))
}

/** Moves the slot that brings the two nearest together; undefined if each is too large for that. */
function handOver(from: Held, to: Held, gap: number): number | undefined {
  const at = nearest(from.slots, gap / 2)
  // One as large as the whole gap would only swap who is too full.
  if (at < 0 || from.slots[at]!.size >= gap) return undefined
  const [one] = from.slots.splice(at, 1)
  from.load -= one!.size
  to.load += one!.size
  to.slots.push(one!)
  return one!.slot
}

/** The index of the slot whose size is nearest, -1 of none. */
function nearest(slots: Held['slots'], size: number): number {
  let best = -1
  for (const [i, one] of slots.entries()) {
    const isNearer = best < 0 || Math.abs(one.size - size) < Math.abs(slots[best]!.size - size)
    if (isNearer) best = i
  }
  return best
}
