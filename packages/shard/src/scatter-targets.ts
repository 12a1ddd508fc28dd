// Which shards a scatter asks, by one version of the map, and whether what they own in their
// snapshots is the whole: each live slot exactly once. Each shard tells the truth about its slots
// at its own moment; only a sum that comes out right shows that no slot moved in between, so that
// no row is missing and none is counted twice.

import type { Where } from './scan-request.ts'
import { keyCondition } from './scatter-key.ts'
import type { ScatterPlan } from './scatter-query.ts'
import { ShardError, ShardFrozen } from './shard-error.ts'
import type { ShardMap } from './shard-map.ts'
import { show } from './show.ts'

/** A shard to ask, and the slots to be read there; undefined: all that it owns. */
export interface ScatterTarget {
  readonly shard: string
  readonly slots?: readonly number[] | undefined
}

/** Whom to ask. */
export interface ScatterTargets {
  readonly map: ShardMap
  /** `all` live slots of the map, the `given` ones of each target, or `any` one of the targets. */
  readonly cover: 'all' | 'given' | 'any'
  readonly targets: readonly ScatterTarget[]
  /** The condition that rows must meet. */
  readonly where: Where | undefined
}

/** What a shard owned in its snapshot. */
export interface OwnedSlots {
  readonly shard: string
  readonly owned: readonly number[]
}

/**
 * The shards that hold the rows of a plan.
 *
 * @throws {ShardError} `UNKNOWN_TABLE`; {@link ShardFrozen} while a key of the table's family is on
 * its way to or from a slot of its own.
 */
export function targetsOf(map: ShardMap, { query, key }: ScatterPlan): ScatterTargets {
  const { where } = query
  const rule = map.tables.get(query.table)
  if (rule === undefined) throw unknownTable(map, query.table)
  if (rule.by === 'reference') {
    const targets = map.shards.map(({ id }) => ({ shard: id }))
    return { map, cover: 'any', targets, where }
  }
  const { owners, moving } = factsOf(map)
  const root = map.rootOf(query.table)
  const slot = moving.get(root)
  if (slot !== undefined) throw new ShardFrozen(map.ownerOf(slot), slot, map.epoch)
  if (key !== undefined) {
    const targets = groupByShard(map.parts(key, query.table))
    return { map, cover: 'given', targets, where: keyCondition(map, query.table, key, where) }
  }
  const rootRule = map.tables.get(root)
  if (rootRule?.by === 'table') {
    const target = { shard: map.ownerOf(rootRule.slot), slots: [rootRule.slot] }
    return { map, cover: 'given', targets: [target], where }
  }
  return { map, cover: 'all', targets: owners, where }
}

/**
 * Refuses snapshots that are not the whole, but for the slots of the shards that are missing.
 *
 * @throws {ShardError} `SHARD_MOVED` or `STALE_EPOCH`: another version of the map will do.
 */
export function checkCover(
  { map, cover, targets }: ScatterTargets,
  snapshots: readonly OwnedSlots[],
  missing: ReadonlySet<string>,
): void {
  if (cover === 'all') checkAll(map, snapshots, missing)
  if (cover !== 'given') return
  const slotsOf = new Map(targets.map(({ shard, slots }) => [shard, slots]))
  for (const { shard, owned } of snapshots) {
    const has = new Set(owned)
    const lost = slotsOf.get(shard)!.find((slot) => !has.has(slot))
    if (lost !== undefined) throw moved(map, shard, lost, 'is not owned there')
  }
}

/** Exactly once: nobody owns a slot of another, all are there. O(slots). */
function checkAll(
  map: ShardMap,
  snapshots: readonly OwnedSlots[],
  missing: ReadonlySet<string>,
): void {
  const { live } = factsOf(map)
  const seen = new Uint8Array(map.slotCount)
  for (const { shard, owned } of snapshots) {
    for (const slot of owned) {
      if (slot < 0) continue
      if (live[slot] !== 1) throw notLive(map, shard, slot)
      if (seen[slot] === 1) throw moved(map, shard, slot, 'is owned by two shards')
      seen[slot] = 1
    }
  }
  for (let slot = 0; slot < live.length; slot++) {
    if (live[slot] === seen[slot]) continue
    const owner = map.ownerOf(slot)
    if (!missing.has(owner)) throw moved(map, owner, slot, 'is owned by none')
  }
}

interface MapFacts {
  /** 1 for each slot that is live. */
  readonly live: Uint8Array
  /** The shards that own any. */
  readonly owners: readonly ScatterTarget[]
  /** Families with a pin that moves, and the slot its rows come from. */
  readonly moving: ReadonlyMap<string, number>
}

const facts = new WeakMap<ShardMap, MapFacts>()

// A map never changes, so what costs a look at every slot is found once for each.
function factsOf(map: ShardMap): MapFacts {
  const known = facts.get(map)
  if (known !== undefined) return known
  const live = new Uint8Array(map.slotCount)
  const owning = new Set<string>()
  for (const slot of map.liveSlots()) {
    live[slot] = 1
    owning.add(map.ownerOf(slot))
  }
  const owners = map.shards.filter(({ id }) => owning.has(id)).map(({ id }) => ({ shard: id }))
  const pins = map.toJSON().pins.filter(({ state }) => state === 'moving')
  const moving = new Map(pins.map(({ table, from }) => [table, from]))
  const found = { live, owners, moving }
  facts.set(map, found)
  return found
}

function groupByShard(routes: readonly { shard: string; slot: number }[]): ScatterTarget[] {
  const slots = new Map<string, Set<number>>()
  for (const { shard, slot } of routes) {
    const others = slots.get(shard)
    if (others === undefined) slots.set(shard, new Set([slot]))
    else others.add(slot)
  }
  return [...slots].map(([shard, set]) => ({ shard, slots: [...set].sort((a, b) => a - b) }))
}

function unknownTable(map: ShardMap, table: string): ShardError {
  const known = [...map.tables.keys()].map(show).join(', ')
  return new ShardError(
    'UNKNOWN_TABLE',
    `the map has no rule for the table ${show(table)}; known: ${known || 'none'}`,
  )
}

function moved(map: ShardMap, shard: string, slot: number, how: string): ShardError {
  return new ShardError(
    'SHARD_MOVED',
    `slot ${slot}, which map ${map.epoch} gives to ${map.ownerOf(slot)}, ${how}: asked of ` +
      `${shard}; if this stays, verify() tells which fences disagree with the map`,
    { shard, slot, epoch: map.epoch },
  )
}

function notLive(map: ShardMap, shard: string, slot: number): ShardError {
  return new ShardError(
    'STALE_EPOCH',
    `shard ${shard} owns slot ${slot}, which map ${map.epoch} does not know; if this stays, ` +
      'verify() tells which fences disagree with the map',
    { shard, slot, epoch: map.epoch },
  )
}
