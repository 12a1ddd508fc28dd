// Gives a table's rule its slots: from how callers say it to how the map keeps it. A table that is
// there already may only grow where no row can lie: what would give rows another slot is refused.

import { at, invalidMap, invalidValue } from './invalid-map.ts'
import { readList } from './json-fields.ts'
import type { MapDraft } from './map-draft.ts'
import { UnknownShard } from './shard-error.ts'
import { keyText } from './shard-key.ts'
import type { TableRuleJson } from './shard-map-json.ts'
import { show } from './show.ts'
import type { TableRule } from './table-rule.ts'
import { readTableRule } from './table-rule-reader.ts'

const ZONE_SLOTS = 1024

/** Adds a table to the draft, or extends the one of that name. */
export function putTable(draft: MapDraft, name: string, rule: TableRule): void {
  checkShape(name, rule)
  const before = draft.tables.get(name)
  const after =
    before === undefined ? placed(draft, name, rule) : extended(draft, name, before, rule)
  draft.tables.set(name, readTableRule(after, name))
}

function checkShape(name: string, rule: TableRule): void {
  const given: unknown = rule
  if (typeof given !== 'object' || given === null || !('by' in given)) {
    throw invalidValue(at('tables', name), 'a rule: by(key), reference() and the like', given)
  }
}

/** The rule with its slots, as the reader will check it. */
function placed(draft: MapDraft, name: string, rule: TableRule): unknown {
  switch (rule.by) {
    case 'range':
      return placedRanges(draft, name, rule)
    case 'directory': {
      const { entries, ...rest } = rule
      readList(entries, `${at('tables', name)}.entries`)
      return { ...rest, entries: entries.map((entry) => placedEntry(draft, name, entry)) }
    }
    case 'zone': {
      const { zones = zonesOf(draft), slots = ZONE_SLOTS, ...rest } = rule
      return { ...rest, zones: zones.map((zone) => placedZone(draft, name, zone, slots)) }
    }
    case 'table': {
      const { shard, ...rest } = rule
      return { ...rest, slot: draft.addSingle(known(draft, shard)) }
    }
    default:
      return rule
  }
}

type RangeRule = Extract<TableRule, { readonly by: 'range' }>

function placedRanges(draft: MapDraft, name: string, rule: RangeRule): unknown {
  const { cuts, shards, ...rest } = rule
  readList(cuts, `${at('tables', name)}.cuts`)
  if (shards !== undefined && shards.length !== cuts.length + 1) {
    throw invalidMap(
      `${at('tables', name)}.shards`,
      `must be one more than there are cuts: ${cuts.length + 1}, got ${shards.length}`,
    )
  }
  const owner = (i: number) => draft.addSingle(known(draft, shards?.[i]))
  const first = { slot: owner(0) }
  const others = cuts.map((from, i) => ({ from, slot: owner(i + 1) }))
  return { ...rest, ranges: [first, ...others] }
}

type DirectoryEntries = Extract<TableRule, { readonly by: 'directory' }>['entries']

function placedEntry(draft: MapDraft, name: string, entry: DirectoryEntries[number]) {
  const [key, shard] = entry
  if (shard === undefined) {
    throw invalidMap(`${at('tables', name)}.entries`, `must name a shard for key ${show(key)}`)
  }
  return { key, slot: draft.addSingle(known(draft, shard)) }
}

function placedZone(draft: MapDraft, name: string, zone: string, slots: number) {
  if (!(Number.isInteger(slots) && slots >= 1 && slots <= 65_536)) {
    throw invalidValue(`${at('tables', name)}.slots`, 'a whole number from 1 to 65536', slots)
  }
  return { zone, firstSlot: draft.addBlock(zone, slots), slots }
}

function zonesOf(draft: MapDraft): string[] {
  const zones = [...draft.shards.values()].map(({ zone }) => zone)
  return [...new Set(zones)].filter((zone) => zone !== undefined).sort()
}

/** A shard that the draft has. */
function known(draft: MapDraft, shard: string | undefined): string | undefined {
  if (shard === undefined || draft.shards.has(shard)) return shard
  throw new UnknownShard(shard, [...draft.shards.keys()])
}

function extended(
  draft: MapDraft,
  name: string,
  before: TableRuleJson,
  rule: TableRule,
): TableRuleJson {
  const place = at('tables', name)
  const same = 'key' in before ? 'key' in rule && `${before.key}` === `${rule.key}` : true
  if (before.by !== rule.by || !same) throw rowsWouldMove(place)
  const { primaryKey } = rule
  const kept = primaryKey === undefined ? before : { ...before, primaryKey }
  switch (rule.by) {
    case 'colocated':
      if (kept.by === 'colocated' && kept.with === rule.with) return kept
      throw rowsWouldMove(place)
    case 'table':
      if (kept.by === 'table') checkOwner(draft, kept.slot, rule.shard, place)
      return kept
    case 'range':
      return sameRanges(draft, place, kept, rule)
    case 'directory':
      return moreEntries(draft, name, kept, rule)
    case 'zone':
      return moreZones(draft, name, kept, rule)
    default:
      return kept
  }
}

function sameRanges(
  draft: MapDraft,
  place: string,
  before: TableRuleJson,
  rule: RangeRule,
): TableRuleJson {
  if (before.by !== 'range') return before
  const cuts = before.ranges.slice(1).map(({ from }) => from)
  if (JSON.stringify(cuts) !== JSON.stringify(rule.cuts)) throw rowsWouldMove(place)
  before.ranges.forEach(({ slot }, i) => {
    checkOwner(draft, slot, rule.shards?.[i], place)
  })
  return before
}

function moreEntries(
  draft: MapDraft,
  name: string,
  before: TableRuleJson,
  rule: Extract<TableRule, { readonly by: 'directory' }>,
): TableRuleJson {
  if (before.by !== 'directory') return before
  const place = at('tables', name)
  const listed = new Map(before.entries.map(({ key, slot }) => [keyText(key), slot]))
  const fresh = rule.entries.filter(([key, shard]) => {
    const slot = listed.get(keyText(key))
    if (slot !== undefined) checkOwner(draft, slot, shard, place)
    return slot === undefined
  })
  // Without strictness a key that has no entry lies by hash, and so may have rows.
  if (rule.strict !== before.strict || (fresh.length > 0 && !before.strict)) {
    throw rowsWouldMove(place)
  }
  const added = fresh.map((entry) => placedEntry(draft, name, entry))
  return { ...before, entries: [...before.entries, ...added] }
}

/** A rule that is put again may not hand over in passing what is there. */
function checkOwner(draft: MapDraft, slot: number, shard: string | undefined, place: string): void {
  const owner = draft.ownerOf(slot)
  if (shard === undefined || shard === owner) return
  throw invalidMap(
    place,
    `has slot ${slot} on ${show(owner)}, not on ${show(shard)}: hand it over with moves`,
  )
}

function moreZones(
  draft: MapDraft,
  name: string,
  before: TableRuleJson,
  rule: Extract<TableRule, { readonly by: 'zone' }>,
): TableRuleJson {
  if (before.by !== 'zone') return before
  const listed = new Set(before.zones.map(({ zone }) => zone))
  const fresh = (rule.zones ?? zonesOf(draft)).filter((zone) => !listed.has(zone))
  const slots = rule.slots ?? ZONE_SLOTS
  const added = fresh.map((zone) => placedZone(draft, name, zone, slots))
  return { ...before, zones: [...before.zones, ...added] }
}

function rowsWouldMove(place: string) {
  return invalidMap(
    place,
    'is there already, and by the new rule its rows would belong to other slots: only entries of ' +
      'a strict directory, zones and the primary key can be added; pin single keys instead',
  )
}
