// Checks what the parts of a map say of each other, once each part is well formed:
//
//   every extra slot has one owner and one use: a range, an entry, a table, a zone or a pin
//   slots of a zone, and pins of keys in it, belong to shards that stand in it
//   pins and splits are of families with keys, and of keys that have a slot
//
// so that every key routes to exactly one live slot, and none that is not used stays fenced.

import { at, invalidMap } from './invalid-map.ts'
import { ShardError } from './shard-error.ts'
import type { PinJson, ShardMapJson, SplitJson, TableRuleJson } from './shard-map-json.ts'
import { show } from './show.ts'
import type { TableFamilies, TableFamily } from './table-family.ts'
import { zoneOfText } from './table-placement.ts'

/** @throws {ShardError} `INVALID_MAP`, naming the place. */
export function checkConsistency(json: ShardMapJson, families: TableFamilies): void {
  const census = new SlotCensus(json)
  for (const [name, rule] of Object.entries(json.tables)) checkTable(name, rule, json, census)
  json.pins.forEach((pin, i) => {
    checkPin(pin, `pins[${i}]`, json, families, census)
  })
  json.splits.forEach((split, i) => {
    checkSplit(split, `splits[${i}]`, families)
  })
  census.close()
}

/** Who owns each extra slot, and whether exactly one part of the map uses it. */
class SlotCensus {
  readonly #slots: number
  readonly #owners = new Map<number, number>()
  readonly #used = new Set<number>()

  constructor({ extra, slots, nextSlot }: ShardMapJson) {
    this.#slots = slots
    let least = slots
    extra.forEach(({ slot, shard }, i) => {
      if (slot < least || slot >= nextSlot) {
        throw invalidMap(
          `extra[${i}].slot`,
          `must be from ${least} up, in order, and below nextSlot, ${nextSlot}; got ${slot}`,
        )
      }
      least = slot + 1
      this.#owners.set(slot, shard)
    })
  }

  /** Notes a use; returns the index of the shard that owns the slot. */
  use(slot: number, place: string): number {
    const owner = this.#owners.get(slot)
    if (owner === undefined) {
      const why = slot < this.#slots ? 'one of those shared by hash' : 'without an owner in extra'
      throw invalidMap(place, `must be an extra slot, but ${slot} is ${why}`)
    }
    if (this.#used.has(slot)) throw invalidMap(place, `must be a slot of its own, not ${slot}`)
    this.#used.add(slot)
    return owner
  }

  close(): void {
    let i = 0
    for (const slot of this.#owners.keys()) {
      if (!this.#used.has(slot)) {
        throw invalidMap(`extra[${i}]`, `must be used by a table or pin, but slot ${slot} is not`)
      }
      i++
    }
  }
}

function checkTable(
  name: string,
  rule: TableRuleJson,
  json: ShardMapJson,
  census: SlotCensus,
): void {
  const place = at('tables', name)
  if (rule.by === 'table') census.use(rule.slot, `${place}.slot`)
  if (rule.by === 'range') {
    rule.ranges.forEach(({ slot }, i) => {
      census.use(slot, `${place}.ranges[${i}].slot`)
    })
  }
  if (rule.by === 'directory') {
    rule.entries.forEach(({ slot }, i) => {
      census.use(slot, `${place}.entries[${i}].slot`)
    })
  }
  if (rule.by !== 'zone') return
  rule.zones.forEach(({ zone, firstSlot, slots }, i) => {
    for (let slot = firstSlot; slot < firstSlot + slots; slot++) {
      const owner = census.use(slot, `${place}.zones[${i}].firstSlot`)
      checkZone(zone, owner, json, `${place}.zones[${i}]`)
    }
  })
}

function checkZone(zone: string, owner: number, json: ShardMapJson, place: string): void {
  const shard = json.shards[owner]!
  if (shard.zone === zone) return
  throw invalidMap(
    place,
    `must lie on shards of zone ${show(zone)}, but a slot of it is on ${show(shard.id)}`,
  )
}

function checkPin(
  pin: PinJson,
  place: string,
  json: ShardMapJson,
  families: TableFamilies,
  census: SlotCensus,
): void {
  const { rule, home } = checkKey(pin, place, families)
  if (pin.slot === pin.from) throw invalidMap(`${place}.slot`, 'must differ from its from')
  if (pin.state === 'pinned') {
    if (pin.from !== home) throw invalidMap(`${place}.from`, `must be the key's own slot, ${home}`)
    if (pin.slot === home) throw invalidMap(`${place}.slot`, "must not be the key's own slot")
  }
  const zone = rule.by === 'zone' ? zoneOfText(pin.key) : undefined
  for (const part of ['slot', 'from'] as const) {
    if (pin[part] === home) continue
    const owner = census.use(pin[part], `${place}.${part}`)
    if (zone !== undefined) checkZone(zone, owner, json, place)
  }
}

function checkSplit(split: SplitJson, place: string, families: TableFamilies): void {
  const { rule } = checkKey(split, place, families)
  if (rule.by === 'hash' || rule.by === 'zone') return
  if (rule.by === 'directory' && !rule.strict) return
  throw invalidMap(
    place,
    `must be of a table placed by hash, zone or a directory that is not strict: elsewhere the ` +
      'parts of a key could not be told apart',
  )
}

/** The rule of the family and the slot that it gives the key. */
function checkKey(
  { table, key }: PinJson | SplitJson,
  place: string,
  families: TableFamilies,
): { rule: TableFamily['rule']; home: number } {
  const family = families.rootedAt(table)
  if (family === undefined || family.rule.by === 'table') {
    throw invalidMap(
      `${place}.table`,
      `must be "*" or a table with a shard key that roots its family, got ${show(table)}`,
    )
  }
  try {
    return { rule: family.rule, home: family.placement.slotOf(key) }
  } catch (error) {
    if (!(error instanceof ShardError)) throw error
    throw invalidMap(`${place}.key`, `has no slot: ${error.message}`)
  }
}
