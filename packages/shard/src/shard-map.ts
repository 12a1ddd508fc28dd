// The shard map: which slot a key has, and which shard owns the slot, at one epoch. Immutable;
// a change makes another map, one epoch later, and lists what moves.
//
//   key -> family of its table -> pin, else the rule -> slot -> route { slot, shard, epoch }
//
// A route is made for each call: a table of one kept object a slot was tried and takes twice the
// time, since with thousands of slots in use each of them is a cache miss, where a young object
// costs next to nothing, and nothing at all where the caller takes it apart at once.

import { xxh32 } from '@ashlar/hash'
import { REFERENCE_SLOT, type TableSpec } from './engine.ts'
import { readList } from './json-fields.ts'
import { changed, type MapChange, type MapPlan, type SlotTransfer } from './map-change.ts'
import { checkConsistency } from './map-consistency.ts'
import { MapDraft } from './map-draft.ts'
import { ShardError, UnknownShard } from './shard-error.ts'
import { keyText, partKey, type ShardKey } from './shard-key.ts'
import type { PinJson, ShardJson, ShardMapJson, TableRuleJson } from './shard-map-json.ts'
import { readShard, readShardMap } from './shard-map-reader.ts'
import { show } from './show.ts'
import { TableFamilies, type TableFamily } from './table-family.ts'
import type { TableRule } from './table-rule.ts'
import { putTable } from './table-slots.ts'

/** Where a key lies. */
export interface Route {
  readonly slot: number
  /** The shard that owns the slot. */
  readonly shard: string
  /** The epoch of the map that says so. */
  readonly epoch: number
}

/** Options of {@link ShardMap.create}. */
export interface ShardMapOptions {
  /** How many slots are shared by hash, from 1 to 2^16; default 16384. Fixed for ever. */
  readonly slots?: number | undefined
  /** The shards, at least one with a weight above 0; their order does not matter. */
  readonly shards: readonly (string | ShardJson)[]
  /** The rules by table name; default none. */
  readonly tables?: Readonly<Record<string, TableRule>> | undefined
}

/**
 * Which shard holds which key, at one epoch.
 *
 * @example
 * const map = ShardMap.create({ shards: ['oak', 'ash'], tables: { users: by('id') } })
 * const { shard, epoch } = map.route('ada', 'users')
 * epoch // → 1
 */
export class ShardMap {
  /** Counts the maps of a fleet, from 1. */
  readonly epoch: number
  /** How many slots are shared by hash. */
  readonly slots: number
  /** All slot ids are below it. */
  readonly slotCount: number
  /** Sorted by id. */
  readonly shards: readonly ShardJson[]
  /** The rules by table name. */
  readonly tables: ReadonlyMap<string, TableRuleJson>
  readonly #json: ShardMapJson
  readonly #families: TableFamilies
  /** Whether a key placed by hash has a pin. */
  readonly #isPinned: boolean
  /** Owner of each slot shared by hash, as index into shards. */
  readonly #owners: Int32Array
  /** Likewise of the slots above. */
  readonly #extra: ReadonlyMap<number, number>
  /** slots - 1 where that is a mask, else -1. */
  readonly #mask: number
  readonly #ids: readonly string[]

  private constructor(json: ShardMapJson, families: TableFamilies) {
    this.epoch = json.epoch
    this.slots = json.slots
    this.slotCount = json.nextSlot
    this.shards = json.shards
    this.tables = new Map(Object.entries(json.tables))
    this.#json = json
    this.#families = families
    this.#isPinned = families.hash.pins !== undefined
    this.#owners = new Int32Array(json.slots)
    let slot = 0
    for (const [count, shard] of json.owners) {
      this.#owners.fill(shard, slot, slot + count)
      slot += count
    }
    this.#extra = new Map(json.extra.map((entry) => [entry.slot, entry.shard]))
    this.#mask = (json.slots & (json.slots - 1)) === 0 ? json.slots - 1 : -1
    this.#ids = json.shards.map(({ id }) => id)
  }

  /**
   * The first map of a fleet, at epoch 1. It follows from the options alone: whoever makes it gets
   * the same. O(slots × shards).
   *
   * @throws {ShardError} `INVALID_MAP`, naming the place; `UNKNOWN_SHARD` where a rule names one.
   * @example
   * const map = ShardMap.create({ shards: ['a', 'b'], tables: { users: by('id') } })
   * map.route('42', 'users').shard // → 'a'
   */
  static create(options: ShardMapOptions): ShardMap {
    const { slots = 16_384, shards, tables = {} } = options
    const list = readList(shards, 'shards').map((shard, i) => readShard(shard, `shards[${i}]`))
    list.sort((a, b) => (a.id < b.id ? -1 : 1))
    const empty = emptyMap(slots, list)
    readShardMap({ ...empty, epoch: 1, owners: [[slots, 0]] })
    const draft = new MapDraft(empty)
    draft.settle({ first: 0, count: slots, zone: undefined }, undefined)
    for (const [name, rule] of Object.entries(tables).sort(byName)) putTable(draft, name, rule)
    return ShardMap.fromJSON(draft.toJSON())
  }

  /**
   * The map that {@link toJSON} described; unknown fields are left out.
   *
   * @param json As it was parsed.
   * @throws {ShardError} `INVALID_MAP`, naming the place, for anything that is not a whole map.
   */
  static fromJSON(json: unknown): ShardMap {
    const read = readShardMap(json)
    const families = new TableFamilies(read)
    checkConsistency(read, families)
    return new ShardMap(deepFreeze(read), families)
  }

  /** The map as plain data, frozen: equal maps give equal JSON. */
  toJSON(): ShardMapJson {
    return this.#json
  }

  /**
   * Where a key lies: O(1). While a pin is `moving` that is where its rows come from.
   *
   * @param table Whose rule holds; default: by hash.
   * @throws {ShardError} `INVALID_KEY`, `UNKNOWN_TABLE`; `UNKNOWN_KEY` where a strict directory or
   * a zone does not have it; `INVALID_OPTION` for a reference table.
   */
  route(key: ShardKey, table?: string): Route {
    const slot = this.slotOf(key, table)
    const owner = slot < this.slots ? this.#owners[slot]! : this.#extra.get(slot)!
    return { slot, shard: this.#ids[owner]!, epoch: this.epoch }
  }

  /**
   * The slot of a key of a table, see {@link route}; nothing is allocated for strings placed by
   * hash.
   */
  slotOf(key: ShardKey, table?: string): number {
    if (table !== undefined || this.#isPinned) {
      const family = this.#families.of(table)
      if (family.pins !== undefined || family.rule.by !== 'hash') return slotIn(family, key)
    }
    // slotOf of @ashlar/hash, its division spared where it can be.
    const hash = xxh32(typeof key === 'string' ? key : keyText(key), 0)
    return this.#mask >= 0 ? hash & this.#mask : (hash >>> 0) % this.slots
  }

  /**
   * The shard that owns a slot.
   *
   * @throws {ShardError} `INVALID_OPTION` if no slot of that id is alive.
   */
  ownerOf(slot: number): string {
    return this.#ids[this.#ownerIndex(slot)]!
  }

  /** Every slot that has an owner, in order. */
  liveSlots(): number[] {
    return [...this.#owners.keys(), ...this.#extra.keys()]
  }

  /**
   * The slots of a shard, in order; empty for a shard that owns none.
   *
   * @throws {ShardError} `UNKNOWN_SHARD`.
   */
  slotsOf(shard: string): number[] {
    const place = this.#ids.indexOf(shard)
    if (place < 0)
      throw new UnknownShard(
        shard,
        this.shards.map(({ id }) => id),
      )
    return this.liveSlots().filter((slot) => this.#ownerIndex(slot) === place)
  }

  /**
   * The routes of all parts of a split key, its own first; that one alone if it is not split.
   *
   * @param table Whose rule holds; default: by hash.
   */
  parts(key: ShardKey, table?: string): readonly Route[] {
    const text = keyText(key)
    const parts = this.#families.of(table).splits.get(text) ?? 1
    return Array.from({ length: parts }, (_, part) => this.route(partKey(text, part), table))
  }

  /** The pin of a key in the family of a table, undefined if it has none. */
  pinOf(key: ShardKey, table?: string): PinJson | undefined {
    return this.#families.of(table).pins?.get(keyText(key))
  }

  /** The table that roots the family of a table; `*` if it is placed by hash. */
  rootOf(table: string): string {
    return this.#families.of(table).root
  }

  /** How the tables are laid out, for engines; by name. */
  specs(): TableSpec[] {
    return [...this.tables].map(([name, rule]) => ({
      name,
      kind: rule.by === 'reference' ? 'reference' : 'sharded',
      key: 'key' in rule ? rule.key : [],
      primaryKey: rule.primaryKey,
    }))
  }

  /**
   * Whether a row of a table with this key may carry this slot: it is the key's own, or, while a
   * pin moves its rows, either of the pin's. False for values that no key can have.
   *
   * @param key The values of the key's columns, as the database gave them.
   * @throws {ShardError} `UNKNOWN_TABLE`.
   */
  checkRow(table: string, key: readonly unknown[], slot: number): boolean {
    if (this.tables.get(table)?.by === 'reference') return slot === REFERENCE_SLOT
    const family = this.#families.of(table)
    if (family.rule.by === 'table') return slot === family.rule.slot
    if (!key.every(isKeyPart)) return false
    try {
      const pin = family.pins?.get(keyText(key))
      if (pin === undefined) return family.placement.slotOf(key) === slot
      return slot === pin.slot || (pin.state === 'moving' && slot === pin.from)
    } catch (error) {
      if (error instanceof ShardError) return false
      throw error
    }
  }

  /**
   * Works a change out; nothing is changed until the plan's `next` is put in force.
   *
   * @throws {ShardError} `INVALID_MAP`, naming the place; `UNKNOWN_SHARD`, `UNKNOWN_TABLE`,
   * `UNKNOWN_KEY` where the change names one; `INVALID_OPTION` for a factor or a mix of changes.
   * @example
   * const plan = map.change({ add: ['c'] })
   * plan.moves.every(({ to }) => to === 'c') // → true
   */
  change(change: MapChange): MapPlan {
    const { next: json, optimum } = changed(this.#json, this.#families, change)
    const next = ShardMap.fromJSON(json)
    const moves: SlotTransfer[] = []
    for (const slot of this.liveSlots()) {
      if (!next.#isLive(slot)) continue
      const from = this.ownerOf(slot)
      const to = next.ownerOf(slot)
      if (from !== to) moves.push({ slot, from, to })
    }
    return { next, moves, optimum, collateral: moves.length - optimum }
  }

  #isLive(slot: number): boolean {
    return slot < this.slots || this.#extra.has(slot)
  }

  #ownerIndex(slot: number): number {
    const owner = this.#owners[slot] ?? this.#extra.get(slot)
    if (owner !== undefined) return owner
    throw new ShardError('INVALID_OPTION', `no slot ${show(slot)} is alive in the map`, {
      epoch: this.epoch,
    })
  }
}

function slotIn(family: TableFamily, key: ShardKey): number {
  const pin = family.pins?.get(keyText(key))
  return pin === undefined ? family.placement.slotOf(key) : slotNow(pin)
}

/** The slot that holds the rows of a pinned key: the old one until all have arrived. */
function slotNow(pin: PinJson): number {
  return pin.state === 'moving' ? pin.from : pin.slot
}

function isKeyPart(value: unknown): value is string | number | bigint {
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number'
}

function emptyMap(slots: number, shards: readonly ShardJson[]): ShardMapJson {
  return {
    format: '@ashlar/shard/map',
    version: 1,
    epoch: 0,
    slots,
    shards,
    owners: [],
    extra: [],
    nextSlot: slots,
    tables: {},
    pins: [],
    splits: [],
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
