// Shard maps and changes of them, built by construction: ids and names of every nasty kind, weights
// from 0 to huge, all rules, and steps that are read against the map they meet.

import { fc } from '@fast-check/vitest'
import type { MapChange } from '../src/map-change.ts'
import type { ShardMap, ShardMapOptions } from '../src/shard-map.ts'
import type { ShardJson } from '../src/shard-map-json.ts'
import {
  by,
  byDirectory,
  byRange,
  byZone,
  colocated,
  onShard,
  reference,
  type TableRule,
} from '../src/table-rule.ts'
import { compareCodePoints } from './map-naive-router.ts'

const NAMES = ['a', 'b', '__proto__', 'constructor', 'ñ', '\ud800', '10', '9', 'x y']
const ZONES = ['eu', '__proto__', '']
const TEXTS = ['', 'a', 'h', 'm', '__proto__', '\u{1f5ff}', '\ufffd', '\udc00', '42', 'k\0l']

const weight: fc.Arbitrary<number> = fc.constantFrom(1, 1, 1, 2, 0.5, 0, 1e-9, 1e300)

const shardList: fc.Arbitrary<ShardJson[]> = fc
  .uniqueArray(
    fc.record(
      { id: fc.constantFrom(...NAMES), weight, zone: fc.constantFrom(...ZONES) },
      { requiredKeys: ['id'] },
    ),
    { selector: ({ id }) => id, minLength: 1, maxLength: 5 },
  )
  // One at least may own slots; the first does.
  .map(([first, ...rest]) => [withoutWeight(first!), ...rest])

function withoutWeight({ id, zone }: ShardJson): ShardJson {
  return zone === undefined ? { id } : { id, zone }
}

/** What a table shall be, before it is known which shards and tables there are. */
const tableSeed = fc.record({
  name: fc.constantFrom('users', 'orders', '__proto__', 'constructor', 'toString', '0', '\udfff'),
  kind: fc.constantFrom(
    'hash',
    'colocated',
    'range',
    'numbers',
    'directory',
    'zone',
    'table',
    'ref',
  ),
  pick: fc.nat(100),
  isStrict: fc.boolean(),
  cuts: fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 4 }),
  words: fc.uniqueArray(fc.constantFrom(...TEXTS), { maxLength: 4 }),
})
type TableSeed = typeof tableSeed extends fc.Arbitrary<infer T> ? T : never

export const mapOptions: fc.Arbitrary<ShardMapOptions> = fc
  .record({
    slots: fc.constantFrom(1, 2, 16, 100, 128),
    shards: shardList,
    seeds: fc.uniqueArray(tableSeed, { selector: ({ name }) => name, maxLength: 6 }),
  })
  .map(({ slots, shards, seeds }) => ({ slots, shards, tables: tablesOf(seeds, shards) }))

function tablesOf(
  seeds: readonly TableSeed[],
  shards: readonly ShardJson[],
): Record<string, TableRule> {
  const rules = new Map<string, TableRule>()
  for (const seed of seeds) rules.set(seed.name, ruleOf(seed, shards, rules))
  return Object.fromEntries(rules)
}

function ruleOf(
  { kind, pick, isStrict, cuts, words }: TableSeed,
  shards: readonly ShardJson[],
  rules: ReadonlyMap<string, TableRule>,
): TableRule {
  const shard = shards[pick % shards.length]!.id
  switch (kind) {
    case 'colocated': {
      const targets = [...rules].filter(([, rule]) => 'key' in rule)
      if (targets.length === 0) return by('id')
      const [name, rule] = targets[pick % targets.length]!
      const { length } = 'key' in rule ? rule.key : []
      return colocated(
        name,
        Array.from({ length }, (_, i) => `other${i}`),
      )
    }
    case 'range':
      return byRange('id', words.toSorted(compareCodePoints))
    case 'numbers':
      return byRange(
        'id',
        cuts.toSorted((a, b) => a - b),
        {
          shards: Array.from({ length: cuts.length + 1 }, (_, i) => shards[i % shards.length]!.id),
        },
      )
    case 'directory':
      return byDirectory('id', {
        entries: words.map((word) => [word, shard] as const),
        strict: isStrict,
      })
    case 'zone': {
      const zones = liveZones(shards)
      return zones.length === 0 ? by(['zone', 'id']) : byZone(['zone', 'id'], { zones, slots: 7 })
    }
    case 'table':
      return onShard(isStrict ? shard : undefined)
    case 'ref':
      return reference({ primaryKey: ['code'] })
    default:
      return by(isStrict ? 'id' : ['id', 'sub'])
  }
}

function liveZones(shards: readonly ShardJson[]): string[] {
  const zones = shards.filter((shard) => shard.weight !== 0).map(({ zone }) => zone)
  return [...new Set(zones)].filter((zone) => zone !== undefined)
}

/** Keys that a table has a slot for, of every kind it takes. */
export function keysFor(
  map: ShardMap,
  table: string | undefined,
): (string | number | bigint | string[])[] {
  const plain = [...TEXTS, 7, -3, 2n ** 70n, Number.MAX_SAFE_INTEGER]
  const rule = table === undefined ? undefined : map.tables.get(table)
  if (rule === undefined || rule.by === 'hash') return plain
  if (rule.by === 'reference') return []
  if (rule.by === 'colocated') return keysFor(map, rule.with)
  if (rule.by === 'zone') {
    return rule.zones.flatMap(({ zone }) => TEXTS.map((text) => [zone, text]))
  }
  if (rule.by === 'directory') return rule.strict ? rule.entries.map(({ key }) => key) : plain
  if (rule.by === 'range' && typeof rule.ranges[1]?.from === 'number') {
    return [-51, -1, 0, 50, 51, '42', '-7', 2n ** 70n, -(2n ** 70n)]
  }
  return plain
}

/** A step of a history; numbers are read modulo what there is to pick from. */
export const step = fc.record({
  kind: fc.constantFrom(
    'add',
    'remove',
    'weights',
    'moves',
    'pin',
    'arrive',
    'unpin',
    'split',
    'entry',
  ),
  first: fc.nat(1000),
  second: fc.nat(1000),
  weight,
  factor: fc.constantFrom(undefined, 1.0001, 1.1, 2),
})
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** The change that a step asks of this map, undefined where there is nothing to pick. */
export function changeOf(
  map: ShardMap,
  { kind, first, second, ...rest }: Step,
): MapChange | undefined {
  const shard = map.shards[first % map.shards.length]!.id
  const factor = rest.factor === undefined ? {} : { factor: rest.factor }
  const pins = map.toJSON().pins
  const pinned = pins[first % pins.length]
  const ref = pinned && {
    key: pinned.key,
    ...(pinned.table === '*' ? {} : { table: pinned.table }),
  }
  switch (kind) {
    case 'add': {
      const zone = ZONES[second % (2 * ZONES.length)]
      const id = NAMES[first % NAMES.length]!
      const weighed = { id, weight: rest.weight }
      return { add: [zone === undefined ? weighed : { ...weighed, zone }], ...factor }
    }
    case 'remove':
      return { remove: [shard], ...factor }
    case 'weights':
      return { weights: Object.fromEntries([[shard, rest.weight]]), ...factor }
    case 'moves': {
      const live = map.liveSlots()
      const to = map.shards[second % map.shards.length]!.id
      return { moves: [{ slot: live[first % live.length]!, to }] }
    }
    case 'arrive':
      return ref && { arrived: [ref] }
    case 'unpin':
      return ref && { unpin: [ref] }
    default:
      return keyChange(map, kind, first, second)
  }
}

function keyChange(
  map: ShardMap,
  kind: string,
  first: number,
  second: number,
): MapChange | undefined {
  const names = [undefined, ...map.tables.keys()]
  const table = names[first % names.length]
  const rule = table === undefined ? undefined : map.tables.get(table)
  if (rule?.by === 'table') return undefined
  const shard = map.shards[second % map.shards.length]!.id
  if (kind === 'entry') {
    // Another entry of a strict directory, or a directory there was not.
    const strict = [...map.tables].filter(([, found]) => found.by === 'directory' && found.strict)
    const name = strict[first % strict.length]?.[0] ?? `directory${first % 3}`
    const entries = [[`new${second}`, shard] as const]
    return { tables: Object.fromEntries([[name, byDirectory('id', { entries, strict: true })]]) }
  }
  const keys = keysFor(map, table)
  if (keys.length === 0) return undefined
  const ref = { key: keys[second % keys.length]!, ...(table === undefined ? {} : { table }) }
  if (kind === 'pin') return { pins: [{ ...ref, shard }] }
  return { splits: [{ ...ref, parts: 1 + (first % 5) }] }
}
