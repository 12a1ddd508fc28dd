// From a key to the slot that its table's rule gives it, pins aside: each rule of TableRuleJson as
// an object that was built once, so that routing does no more than its arithmetic.
//
//   hash       slotOf(text, slots)
//   range      the last range that begins at or before the key, by binary search
//   directory  the entry's slot, else by hash
//   zone       the zone's first slot + slotOf(rest of the text, slots of the zone)
//   table      always the same

import { slotOf } from '@ashlar/hash'
import { compareText } from './compare-text.ts'
import { ShardError } from './shard-error.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { KeyText, TableRuleJson } from './shard-map-json.ts'
import { show } from './show.ts'

/** Gives every key its slot. */
export interface TablePlacement {
  /** @throws {ShardError} `INVALID_KEY`, `UNKNOWN_KEY` */
  slotOf(key: ShardKey): number
}

/** A rule that says by itself where rows lie. */
export type PlacingRule = Exclude<TableRuleJson, { readonly by: 'colocated' | 'reference' }>

/** The placement by a rule, for a map of that many hash slots. */
export function placementOf(name: string, rule: PlacingRule, slots: number): TablePlacement {
  switch (rule.by) {
    case 'hash':
      return hashPlacement(slots)
    case 'range':
      return rangePlacement(name, rule.ranges)
    case 'directory':
      return directoryPlacement(name, rule, slots)
    case 'zone':
      return zonePlacement(name, rule.zones)
    case 'table':
      return { slotOf: () => rule.slot }
  }
}

/** The placement of keys by hash. */
export function hashPlacement(slots: number): TablePlacement {
  return { slotOf: (key) => slotOf(keyText(key), slots) }
}

type RangeRule = Extract<TableRuleJson, { readonly by: 'range' }>
type DirectoryRule = Extract<TableRuleJson, { readonly by: 'directory' }>
type ZoneRule = Extract<TableRuleJson, { readonly by: 'zone' }>

function rangePlacement(name: string, ranges: RangeRule['ranges']): TablePlacement {
  const cuts = ranges.slice(1).map(({ from }) => from!)
  const slotIds = ranges.map(({ slot }) => slot)
  const begins =
    typeof cuts[0] === 'number'
      ? (key: ShardKey) => {
          const number = wholeNumber(name, key)
          return (cut: KeyText) => (cut as number) <= number
        }
      : (key: ShardKey) => {
          const text = keyText(key)
          return (cut: KeyText) => compareText(cut as string, text) <= 0
        }
  return {
    slotOf: (key) => {
      const isAtOrBefore = begins(key)
      let low = 0
      let high = cuts.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (isAtOrBefore(cuts[middle]!)) low = middle + 1
        else high = middle
      }
      return slotIds[low]!
    },
  }
}

/** A key as a number, for ranges of numbers; drivers give large ones as digits. */
function wholeNumber(name: string, key: ShardKey): number | bigint {
  const value = Array.isArray(key) && key.length === 1 ? key[0] : key
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value
  if (typeof value === 'string' && /^-?[0-9]+$/.test(value)) return BigInt(value)
  throw new ShardError(
    'INVALID_KEY',
    `table ${show(name)} is cut by numbers: its key must be a whole number, got ${show(value)}`,
  )
}

function directoryPlacement(name: string, rule: DirectoryRule, slots: number): TablePlacement {
  const entries = new Map(rule.entries.map(({ key, slot }) => [keyText(key), slot]))
  return {
    slotOf: (key) => {
      const text = keyText(key)
      const slot = entries.get(text)
      if (slot !== undefined) return slot
      if (!rule.strict) return slotOf(text, slots)
      throw new ShardError(
        'UNKNOWN_KEY',
        `the directory of table ${show(name)} has no entry for ${show(text)}; ` +
          'add one with a change of the map',
      )
    },
  }
}

function zonePlacement(name: string, zones: ZoneRule['zones']): TablePlacement {
  const blocks = new Map(zones.map((block) => [block.zone, block]))
  return {
    slotOf: (key) => {
      const text = keyText(key)
      const [zone, rest] = splitZone(name, text)
      // A first column that holds U+0000 itself is no zone, though its beginning may be one.
      const isWhole = typeof key !== 'object' || keyText(key[0]!) === zone
      const block = isWhole ? blocks.get(zone) : undefined
      if (block !== undefined) return block.firstSlot + slotOf(rest, block.slots)
      throw new ShardError(
        'UNKNOWN_KEY',
        `table ${show(name)} has no zone ${show(zone)}; ` +
          `known: ${[...blocks.keys()].map(show).join(', ')}`,
      )
    },
  }
}

function splitZone(name: string, text: string): readonly [zone: string, rest: string] {
  const end = text.indexOf('\u0000')
  if (end >= 0) return [text.slice(0, end), text.slice(end + 1)]
  throw new ShardError(
    'INVALID_KEY',
    `table ${show(name)} is placed by zone: its key must be a list of the zone and the key ` +
      `within it, got ${show(text)}`,
  )
}

/** The zone that a key's text begins with. */
export function zoneOfText(text: string): string {
  return text.slice(0, Math.max(0, text.indexOf('\u0000')))
}
