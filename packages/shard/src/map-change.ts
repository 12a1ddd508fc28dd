// Changes to a shard map, and what they cost: a plan lists the slots that change hands beside the
// fewest that would have done.

import { fewestMoves } from './fewest-moves.ts'
import { invalidMap, invalidValue } from './invalid-map.ts'
import { MapDraft, type SlotBlock } from './map-draft.ts'
import { editPins, type KeyRef, type PinEdit } from './pin-edit.ts'
import { PlanConflict, ShardError, UnknownShard } from './shard-error.ts'
import type { ShardMap } from './shard-map.ts'
import type { ShardJson, ShardMapJson } from './shard-map-json.ts'
import { readShard } from './shard-map-reader.ts'
import { show } from './show.ts'
import { editSplits, type SplitEdit } from './split-edit.ts'
import type { TableFamilies } from './table-family.ts'
import type { TableRule } from './table-rule.ts'
import { putTable } from './table-slots.ts'

/** What shall be different; all that is left out stays. */
export interface MapChange {
  /** New shards, with their share of the slots. */
  readonly add?: readonly (string | ShardJson)[] | undefined
  /** Shards that leave; others take all their slots. */
  readonly remove?: readonly string[] | undefined
  /** New weights of shards that stay; 0 drains one of the slots it shares with others. */
  readonly weights?: Readonly<Record<string, number>> | undefined
  /** Slots handed over by name; not together with `add`, `remove` or `weights`. */
  readonly moves?: readonly { readonly slot: number; readonly to: string }[] | undefined
  /**
   * Shards that join without slots, for `moves` to give them some; those that are there take this
   * weight and zone. No slot changes hands.
   */
  readonly admit?: readonly (string | ShardJson)[] | undefined
  /** Shards that leave and own nothing any more. */
  readonly dismiss?: readonly string[] | undefined
  /** New tables; entries, zones and primary keys of those there are. */
  readonly tables?: Readonly<Record<string, TableRule>> | undefined
  /** Keys that begin to move to a slot of their own on a shard: their pins are `moving`. */
  readonly pins?: readonly PinEdit[] | undefined
  /** Pinned keys that begin to move back to the slot that their table's rule gives them. */
  readonly unpin?: readonly KeyRef[] | undefined
  /** Keys whose rows have arrived: their pins are `pinned`, or gone where they went back. */
  readonly arrived?: readonly KeyRef[] | undefined
  /** Keys to be laid under several; one part undoes it. */
  readonly splits?: readonly SplitEdit[] | undefined
  /**
   * How far shards may be from their share of the slots, see `assignSlots` of @ashlar/ring: above
   * 1, default 1.25. Closer to 1 is evener and moves more.
   */
  readonly factor?: number | undefined
}

/** A slot that changes hands. */
export interface SlotTransfer {
  readonly slot: number
  readonly from: string
  readonly to: string
}

/** A change worked out: nothing is in force until `next` is. */
export interface MapPlan {
  /** The map after the change, one epoch later. */
  readonly next: ShardMap
  /** The slots alive before and after whose owner differs, in order. */
  readonly moves: readonly SlotTransfer[]
  /** The fewest slots that had to change hands for this change. */
  readonly optimum: number
  /** Slots moved beyond the optimum, between shards that both stay; 0 is what to expect. */
  readonly collateral: number
}

/** The map after a change, and the fewest slots that had to move for it. */
export function changed(
  before: ShardMapJson,
  families: TableFamilies,
  change: MapChange,
): { next: ShardMapJson; optimum: number } {
  const { factor = 1.25 } = change
  if (!(factor > 1 && factor < Infinity)) {
    throw new ShardError(
      'INVALID_OPTION',
      `factor must be a finite number above 1, got ${show(factor)}; 1.25 is a good start`,
    )
  }
  const draft = new MapDraft(before)
  admitShards(draft, change)
  const handed = handOver(draft, change)
  dismissShards(draft, change)
  let optimum = 0
  if (isAboutShards(change)) {
    changeShards(draft, change)
    optimum += settleBlocks(draft, factor)
    handed.push(...rehomeSingles(draft))
  }
  for (const [name, rule] of Object.entries(change.tables ?? {})) putTable(draft, name, rule)
  editPins(draft, families, change)
  editSplits(draft, families, change.splits ?? [])
  // A slot that this change also ends did not have to go anywhere.
  optimum += handed.filter((slot) => draft.ownerOf(slot) !== undefined).length
  return { next: draft.toJSON(), optimum }
}

function isAboutShards({ add = [], remove = [], weights = {} }: MapChange): boolean {
  return add.length + remove.length + Object.keys(weights).length > 0
}

function admitShards(draft: MapDraft, { admit = [], add = [], remove = [] }: MapChange): void {
  const others = new Set([...add.map((shard) => readShard(shard, 'add').id), ...remove])
  for (const given of admit) {
    const shard = readShard(given, 'admit')
    if (others.has(shard.id)) {
      throw invalidMap('admit', `must not be of ${show(shard.id)}, which is added or removed too`)
    }
    draft.setShard(shard)
  }
}

function dismissShards(draft: MapDraft, { dismiss = [] }: MapChange): void {
  for (const id of dismiss) {
    checkKnown(draft, id)
    const slot = draft.liveSlots().find((one) => draft.ownerOf(one) === id)
    if (slot !== undefined) {
      throw new PlanConflict(
        `shard ${show(id)} cannot leave the map: it owns slot ${slot}; move its slots first`,
        { shard: id, slot },
      )
    }
    draft.removeShard(id)
  }
}

function changeShards(draft: MapDraft, change: MapChange): void {
  const { add = [], remove = [], weights = {} } = change
  for (const id of remove) {
    checkKnown(draft, id)
    draft.removeShard(id)
  }
  for (const given of add) {
    const shard = readShard(given, 'add')
    if (draft.shards.has(shard.id) || remove.includes(shard.id)) {
      throw invalidMap('add', `must be new shards, but ${show(shard.id)} is or was there`)
    }
    draft.setShard(shard)
  }
  for (const [id, weight] of Object.entries(weights)) {
    checkKnown(draft, id)
    draft.setShard(readShard({ ...draft.shards.get(id), weight }, `weights of ${show(id)}`))
  }
}

/** Shares the slots of blocks out again; returns the fewest moves that could do. */
function settleBlocks(draft: MapDraft, factor: number): number {
  let optimum = 0
  for (const block of draft.blocks()) {
    optimum += fewestMoves(heldIn(draft, block), membersOf(draft, block), block.count, factor)
    draft.settle(block, factor)
  }
  return optimum
}

function checkKnown(draft: MapDraft, id: string): void {
  if (!draft.shards.has(id)) throw new UnknownShard(id, [...draft.shards.keys()])
}

/** How many slots of a block each shard owns. */
function heldIn(draft: MapDraft, { first, count }: SlotBlock): Map<string, number> {
  const held = new Map<string, number>()
  for (let slot = first; slot < first + count; slot++) {
    const owner = draft.ownerOf(slot)!
    held.set(owner, (held.get(owner) ?? 0) + 1)
  }
  return held
}

function membersOf(draft: MapDraft, { zone }: SlotBlock): ShardJson[] {
  const shards = [...draft.shards.values()]
  return zone === undefined ? shards : shards.filter((shard) => shard.zone === zone)
}

/** Hands the single slots of shards that left to others; returns them. */
function rehomeSingles(draft: MapDraft): number[] {
  const orphans = draft.singles().filter((slot) => !draft.shards.has(draft.ownerOf(slot)!))
  const zones = draft.zonesOfSingles()
  for (const slot of orphans) draft.rehome(slot, zones.get(slot))
  return orphans
}

/** Hands slots over by name; returns those that changed hands. */
function handOver(draft: MapDraft, change: MapChange): number[] {
  const { moves = [] } = change
  if (moves.length > 0 && isAboutShards(change)) {
    throw new ShardError(
      'INVALID_OPTION',
      'moves cannot go with add, remove or weights, which share the slots out anew: make two ' +
        'changes, one after the other',
    )
  }
  const targets = new Map<number, string>()
  for (const { slot, to } of moves) {
    checkKnown(draft, to)
    if (draft.ownerOf(slot) === undefined) throw invalidValue('moves', 'of slots alive', slot)
    if (targets.has(slot)) throw invalidValue('moves', 'of each slot once', slot)
    targets.set(slot, to)
  }
  const moved = [...targets].filter(([slot, to]) => draft.ownerOf(slot) !== to)
  for (const [slot, to] of moved) draft.give(slot, to)
  return moved.map(([slot]) => slot)
}
