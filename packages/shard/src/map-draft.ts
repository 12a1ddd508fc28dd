// A shard map under construction: what create and change work on. Owners are by id, so that shards
// may come and go; toJSON gives the plain map, which is checked like any other.

import { assignSlots, SlotTable } from '@ashlar/ring'
import { invalidMap } from './invalid-map.ts'
import type {
  PinJson,
  ShardJson,
  ShardMapJson,
  SplitJson,
  TableRuleJson,
} from './shard-map-json.ts'
import { show } from './show.ts'
import { zoneOfText } from './table-placement.ts'

/** Slots [first, first + count) that a group of shards shares. */
export interface SlotBlock {
  readonly first: number
  readonly count: number
  /** The zone whose shards share it; undefined: all shards, the slots placed by hash. */
  readonly zone: string | undefined
}

/** A map that can still be changed. */
export class MapDraft {
  readonly slots: number
  readonly tables: Map<string, TableRuleJson>
  pins: readonly PinJson[]
  splits: readonly SplitJson[]
  readonly #epoch: number
  readonly #shards: Map<string, ShardJson>
  /** Owner by slot, of all slots alive. */
  readonly #owners = new Map<number, string>()
  /** How many single slots each shard owns: those of no block. */
  readonly #singles = new Map<string, number>()
  #nextSlot: number

  constructor(json: ShardMapJson) {
    this.slots = json.slots
    this.#epoch = json.epoch
    this.#nextSlot = json.nextSlot
    this.#shards = new Map(json.shards.map((shard) => [shard.id, shard]))
    this.tables = new Map(Object.entries(json.tables))
    this.pins = json.pins
    this.splits = json.splits
    let slot = 0
    for (const [count, shard] of json.owners) {
      for (const end = slot + count; slot < end; slot++) {
        this.#owners.set(slot, json.shards[shard]!.id)
      }
    }
    for (const entry of json.extra) this.#owners.set(entry.slot, json.shards[entry.shard]!.id)
    for (const single of this.singles()) this.#count(this.ownerOf(single)!, 1)
  }

  /** The shards, by id. */
  get shards(): ReadonlyMap<string, ShardJson> {
    return this.#shards
  }

  /** The owner of a slot, undefined if the slot is not alive. */
  ownerOf(slot: number): string | undefined {
    return this.#owners.get(slot)
  }

  /** Every slot that has an owner. */
  liveSlots(): number[] {
    return [...this.#owners.keys()]
  }

  setShard(shard: ShardJson): void {
    this.#shards.set(shard.id, shard)
  }

  removeShard(id: string): void {
    this.#shards.delete(id)
  }

  /** A slot that never was, on that shard or where there is least. */
  addSingle(shard: string | undefined, zone?: string): number {
    const owner = shard ?? this.#emptiest(zone)
    this.#owners.set(this.#nextSlot, owner)
    this.#count(owner, 1)
    return this.#nextSlot++
  }

  /** Slots that never were, shared among the shards of a zone; returns the first. */
  addBlock(zone: string, count: number): number {
    const first = this.#nextSlot
    this.#nextSlot += count
    this.settle({ first, count, zone }, undefined)
    return first
  }

  /** Takes a single slot out of the map for good. */
  dropSingle(slot: number): void {
    this.#count(this.ownerOf(slot)!, -1)
    this.#owners.delete(slot)
  }

  /** Hands a slot over. */
  give(slot: number, shard: string): void {
    this.#owners.set(slot, shard)
  }

  /** Hands a single slot to the shard that has least, of its zone if it has one. */
  rehome(slot: number, zone: string | undefined): void {
    this.give(slot, this.#emptiest(zone))
    this.#count(this.ownerOf(slot)!, 1)
  }

  /** Shares a block out among its shards, moving as few slots as can be. */
  settle(block: SlotBlock, factor: number | undefined): void {
    const { first, count, zone } = block
    const nodes = this.#candidates(zone)
    const table = assignSlots(nodes, {
      slots: count,
      ...(factor === undefined ? {} : { factor }),
      ...(this.ownerOf(first) === undefined ? {} : { previous: this.#table(block, nodes) }),
    })
    for (let i = 0; i < count; i++) this.give(first + i, table.ownerOf(i)!.id)
  }

  /** The shards that may own slots of a zone, or any; at least one has a weight. */
  #candidates(zone: string | undefined): ShardJson[] {
    const shards = [...this.#shards.values()]
    const nodes = zone === undefined ? shards : shards.filter((shard) => shard.zone === zone)
    if (nodes.some((shard) => shard.weight !== 0)) return nodes
    const where = zone === undefined ? '' : ` in zone ${show(zone)}`
    throw invalidMap('shards', `must have at least one of a weight above 0${where}`)
  }

  #table({ first, count }: SlotBlock, shards: readonly ShardJson[]): SlotTable<ShardJson> {
    const nodes = shards.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const places = new Map(nodes.map(({ id }, place) => [id, place]))
    const owners = Int32Array.from(
      { length: count },
      (_, i) => places.get(this.ownerOf(first + i)!) ?? -1,
    )
    return new SlotTable({ nodes, owners, factor: 1.25, moves: [] })
  }

  /** The shard with the fewest single slots for its weight, the first by id among equals. */
  #emptiest(zone: string | undefined): string {
    let best = ''
    let lowest = Infinity
    for (const { id, weight = 1 } of this.#candidates(zone)) {
      const fill = ((this.#singles.get(id) ?? 0) + 1) / weight
      if (fill > lowest || (fill === lowest && id > best && best !== '') || weight === 0) continue
      best = id
      lowest = fill
    }
    return best
  }

  #count(shard: string, change: number): void {
    this.#singles.set(shard, (this.#singles.get(shard) ?? 0) + change)
  }

  /** The blocks: all that is shared by hash, and the zones of tables. */
  blocks(): SlotBlock[] {
    const blocks: SlotBlock[] = [{ first: 0, count: this.slots, zone: undefined }]
    for (const rule of this.tables.values()) {
      if (rule.by !== 'zone') continue
      for (const { zone, firstSlot, slots } of rule.zones) {
        blocks.push({ first: firstSlot, count: slots, zone })
      }
    }
    return blocks
  }

  /** The slots alive that are in no block, in order. */
  singles(): number[] {
    const shared = new Set<number>()
    for (const { first, count } of this.blocks()) {
      for (let slot = first; slot < first + count; slot++) shared.add(slot)
    }
    return [...this.#owners.keys()].filter((slot) => !shared.has(slot)).sort((a, b) => a - b)
  }

  /** The zone that a single slot must stay in: that of a pinned key of a table placed by zone. */
  zonesOfSingles(): Map<number, string> {
    const zones = new Map<number, string>()
    for (const { table, key, slot, from } of this.pins) {
      if (this.tables.get(table)?.by !== 'zone') continue
      zones.set(slot, zoneOfText(key)).set(from, zoneOfText(key))
    }
    return zones
  }

  /** The map as it is now, one epoch later. */
  toJSON(): ShardMapJson {
    const shards = [...this.#shards.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    const places = new Map(shards.map(({ id }, place) => [id, place]))
    const placeOf = (slot: number) => places.get(this.ownerOf(slot)!)!
    const extra = [...this.#owners.keys()]
      .filter((slot) => slot >= this.slots)
      .sort((a, b) => a - b)
    return {
      format: '@ashlar/shard/map',
      version: 1,
      epoch: this.#epoch + 1,
      slots: this.slots,
      shards,
      owners: Array.from({ length: this.slots }, (_, slot): [number, number] => [1, placeOf(slot)]),
      extra: extra.map((slot) => ({ slot, shard: placeOf(slot) })),
      nextSlot: this.#nextSlot,
      tables: Object.fromEntries(this.tables),
      pins: this.pins,
      splits: this.splits,
    }
  }
}
