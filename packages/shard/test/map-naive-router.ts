// The obvious and slow reading of a shard map's JSON: lists are searched from the front, nothing is
// prepared. What the laws of map-*.test.ts hold ShardMap against.

import { slotOf } from '@ashlar/hash'
import type { PinJson, ShardMapJson, TableRuleJson } from '../src/shard-map-json.ts'

type Part = string | number | bigint
export type NaiveKey = Part | readonly Part[]

/** The key's text: decimal digits and strings, joined by U+0000. */
export function naiveText(key: NaiveKey): string {
  return (Array.isArray(key) ? key : [key]).map(String).join('\u0000')
}

/** The rule at the end of a table's colocation, and the name of its family. */
export function naiveRoot(json: ShardMapJson, table: string | undefined) {
  const tables = new Map(Object.entries(json.tables))
  let name = table
  let rule: TableRuleJson | undefined = name === undefined ? undefined : tables.get(name)
  while (rule?.by === 'colocated') {
    name = rule.with
    rule = tables.get(name)
  }
  const isHash = rule === undefined || rule.by === 'hash'
  return { family: isHash ? '*' : name!, rule }
}

/** The slot by rule alone, undefined where the rule has none for the key. */
export function naiveHome(json: ShardMapJson, key: NaiveKey, table?: string): number | undefined {
  const { rule } = naiveRoot(json, table)
  const text = naiveText(key)
  switch (rule?.by) {
    case 'range': {
      const begun = rule.ranges.filter(({ from }) => {
        if (from === undefined) return true
        if (typeof from === 'number') return BigInt(from) <= BigInt(text)
        return compareCodePoints(from, text) <= 0
      })
      return begun.at(-1)!.slot
    }
    case 'directory': {
      const entry = rule.entries.find((candidate) => String(candidate.key) === text)
      return entry?.slot ?? (rule.strict ? undefined : slotOf(text, json.slots))
    }
    case 'zone': {
      const [zone, ...rest] = text.split('\u0000')
      const block = rule.zones.find((candidate) => candidate.zone === zone)
      return block && block.firstSlot + slotOf(rest.join('\u0000'), block.slots)
    }
    case 'table':
      return rule.slot
    default:
      return slotOf(text, json.slots)
  }
}

export function naivePin(json: ShardMapJson, key: NaiveKey, table?: string): PinJson | undefined {
  const { family } = naiveRoot(json, table)
  return json.pins.find((pin) => pin.table === family && pin.key === naiveText(key))
}

export function naiveSlot(json: ShardMapJson, key: NaiveKey, table?: string): number | undefined {
  const pin = naivePin(json, key, table)
  if (pin === undefined) return naiveHome(json, key, table)
  return pin.state === 'moving' ? pin.from : pin.slot
}

/** Every slot with its owner. */
export function naiveOwners(json: ShardMapJson): Map<number, string> {
  const owners = new Map<number, string>()
  for (const [count, shard] of json.owners) {
    for (let i = 0; i < count; i++) owners.set(owners.size, json.shards[shard]!.id)
  }
  for (const { slot, shard } of json.extra) owners.set(slot, json.shards[shard]!.id)
  return owners
}

/** Code point by code point, what has none of its own (a lone surrogate) after all that have. */
export function compareCodePoints(a: string, b: string): number {
  const [x, y] = [a, b].map((text) =>
    Array.from(text, (char) => {
      const code = char.codePointAt(0)!
      return code >= 0xd800 && code <= 0xdfff ? code + 0x110000 : code
    }),
  ) as [number[], number[]]
  const differs = x.findIndex((code, i) => code !== y[i])
  if (differs < 0) return x.length - y.length
  return (x[differs] ?? -1) - (y[differs] ?? -1)
}
