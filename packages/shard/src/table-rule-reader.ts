// Checks one table's rule as it stands in a map.

import { compareText } from './compare-text.ts'
import { at, invalidMap, invalidValue } from './invalid-map.ts'
import { readColumns, readList, readName, readObject, readText, readWhole } from './json-fields.ts'
import { keyText } from './shard-key.ts'
import type { KeyText, TableRuleJson } from './shard-map-json.ts'

/** Slot ids are 32-bit columns in the shards. */
export const LAST_SLOT: number = 2 ** 31 - 2

type Fields = ReadonlyMap<string, unknown>

/** The rule of table `name`, shape and values checked, unknown fields left out. */
export function readTableRule(value: unknown, name: string): TableRuleJson {
  const place = at('tables', name)
  const fields = readObject(value, place)
  const primaryKey = fields.get('primaryKey')
  const options =
    primaryKey === undefined ? {} : { primaryKey: readColumns(primaryKey, `${place}.primaryKey`) }
  const kind = fields.get('by')
  switch (kind) {
    case 'hash':
      return { by: kind, key: readKey(fields, place), ...options }
    case 'colocated':
      return {
        by: kind,
        with: readName(fields.get('with'), `${place}.with`),
        key: readKey(fields, place),
        ...options,
      }
    case 'range':
      return {
        by: kind,
        key: readOneColumn(fields, place),
        ranges: readRanges(fields.get('ranges'), `${place}.ranges`),
        ...options,
      }
    case 'directory':
      return {
        by: kind,
        key: readOneColumn(fields, place),
        entries: readEntries(fields.get('entries'), `${place}.entries`),
        strict: readFlag(fields.get('strict'), `${place}.strict`),
        ...options,
      }
    case 'zone':
      return {
        by: kind,
        key: readZoneColumns(fields, place),
        zones: readZones(fields.get('zones'), `${place}.zones`),
        ...options,
      }
    case 'table':
      return { by: kind, slot: readSlot(fields.get('slot'), `${place}.slot`), ...options }
    case 'reference':
      return { by: kind, ...options }
    default:
      throw invalidValue(
        `${place}.by`,
        'hash, colocated, range, directory, zone, table or reference',
        kind,
      )
  }
}

function readKey(fields: Fields, place: string): readonly string[] {
  return readColumns(fields.get('key'), `${place}.key`)
}

function readOneColumn(fields: Fields, place: string): readonly string[] {
  const key = readKey(fields, place)
  if (key.length > 1) throw invalidMap(`${place}.key`, 'must be one column')
  return key
}

function readZoneColumns(fields: Fields, place: string): readonly string[] {
  const key = readKey(fields, place)
  if (key.length > 1) return key
  throw invalidMap(`${place}.key`, 'must be the column of the zone and those of the key within it')
}

function readFlag(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw invalidValue(place, 'true or false', value)
  return value
}

function readSlot(value: unknown, place: string): number {
  return readWhole(value, place, 0, LAST_SLOT)
}

function readRanges(value: unknown, place: string): readonly { from?: KeyText; slot: number }[] {
  const ranges = readList(value, place).map((range, i) => {
    const fields = readObject(range, `${place}[${i}]`)
    const slot = readSlot(fields.get('slot'), `${place}[${i}].slot`)
    const from = fields.get('from')
    if (i > 0) return { from: readKeyText(from, `${place}[${i}].from`), slot }
    if (from === undefined) return { slot }
    throw invalidMap(`${place}[0].from`, 'must not be there: the first range has no beginning')
  })
  if (ranges.length === 0) throw invalidMap(place, 'must have at least one range')
  for (let i = 2; i < ranges.length; i++) {
    if (isBefore(ranges[i - 1]!.from!, ranges[i]!.from!)) continue
    throw invalidMap(
      `${place}[${i}].from`,
      'must come after the one before it, and be of its type, text or number',
    )
  }
  return ranges
}

function isBefore(a: KeyText, b: KeyText): boolean {
  if (typeof a === 'string') return typeof b === 'string' && compareText(a, b) < 0
  return typeof b === 'number' && a < b
}

function readEntries(value: unknown, place: string): readonly { key: KeyText; slot: number }[] {
  const seen = new Set<string>()
  return readList(value, place).map((entry, i) => {
    const fields = readObject(entry, `${place}[${i}]`)
    const key = readKeyText(fields.get('key'), `${place}[${i}].key`)
    const text = keyText(key)
    if (seen.has(text)) {
      throw invalidValue(`${place}[${i}].key`, 'a key that has no other entry', key)
    }
    seen.add(text)
    return { key, slot: readSlot(fields.get('slot'), `${place}[${i}].slot`) }
  })
}

function readKeyText(value: unknown, place: string): KeyText {
  if (typeof value === 'string') return value
  if (Number.isSafeInteger(value)) return (value as number) + 0 // never -0, which JSON forgets
  throw invalidValue(place, 'a string or a whole number up to 2^53 - 1', value)
}

function readZones(
  value: unknown,
  place: string,
): readonly { zone: string; firstSlot: number; slots: number }[] {
  const seen = new Set<string>()
  const zones = readList(value, place).map((block, i) => {
    const fields = readObject(block, `${place}[${i}]`)
    const zone = readText(fields.get('zone'), `${place}[${i}].zone`)
    if (zone.includes('\u0000')) {
      throw invalidValue(`${place}[${i}].zone`, 'text without U+0000', zone)
    }
    if (seen.has(zone)) throw invalidValue(`${place}[${i}].zone`, 'a zone of its own', zone)
    seen.add(zone)
    const slots = readWhole(fields.get('slots'), `${place}[${i}].slots`, 1, 65_536)
    const firstSlot = readSlot(fields.get('firstSlot'), `${place}[${i}].firstSlot`)
    return { zone, firstSlot, slots }
  })
  if (zones.length === 0) throw invalidMap(place, 'must have at least one zone')
  return zones
}
