// Checks a shard map that comes from outside: first every value by itself, here, then what they say
// of each other (map-consistency.ts). What passes is a map that routes every key.

import { at, invalidMap, invalidValue } from './invalid-map.ts'
import { readList, readName, readObject, readText, readWhole } from './json-fields.ts'
import type {
  PinJson,
  ShardJson,
  ShardMapJson,
  SplitJson,
  TableRuleJson,
} from './shard-map-json.ts'
import { show } from './show.ts'
import { LAST_SLOT, readTableRule } from './table-rule-reader.ts'

/** More would make fences and plans slow, for nothing: a shard needs some hundred. */
const MOST_SLOTS = 2 ** 16

/**
 * The map in a canonical form: runs joined, tables sorted, unknown fields left out.
 *
 * @throws {ShardError} `INVALID_MAP`, naming the place.
 */
export function readShardMap(json: unknown): ShardMapJson {
  const fields = readObject(json, 'it')
  const format = fields.get('format')
  if (format !== '@ashlar/shard/map') throw invalidValue('format', '@ashlar/shard/map', format)
  const version = fields.get('version')
  if (version !== 1) throw invalidValue('version', '1, the only one known', version)
  const slots = readWhole(fields.get('slots'), 'slots', 1, MOST_SLOTS)
  const shards = readShards(fields.get('shards'))
  return {
    format,
    version,
    epoch: readWhole(fields.get('epoch'), 'epoch', 1, Number.MAX_SAFE_INTEGER),
    slots,
    shards,
    owners: readOwners(fields.get('owners'), slots, shards.length),
    extra: readExtra(fields.get('extra'), shards.length),
    nextSlot: readWhole(fields.get('nextSlot'), 'nextSlot', slots, LAST_SLOT + 1),
    tables: readTables(fields.get('tables')),
    pins: readList(fields.get('pins'), 'pins').map(readPin),
    splits: readList(fields.get('splits'), 'splits').map(readSplit),
  }
}

/** A shard as given: an id alone, or with weight and zone. */
export function readShard(value: unknown, place: string): ShardJson {
  const fields = readObject(typeof value === 'string' ? { id: value } : value, place)
  const id = readName(fields.get('id'), `${place}.id`)
  const weight = fields.get('weight')
  if (weight !== undefined && !(typeof weight === 'number' && weight >= 0 && weight < Infinity)) {
    throw invalidValue(`${place}.weight`, 'a finite number from 0 (0 drains it)', weight)
  }
  const zone = fields.get('zone')
  return {
    id,
    ...(weight === undefined ? {} : { weight: weight + 0 }),
    ...(zone === undefined ? {} : { zone: readText(zone, `${place}.zone`) }),
  }
}

function readShards(value: unknown): readonly ShardJson[] {
  const shards = readList(value, 'shards').map((shard, i) => readShard(shard, `shards[${i}]`))
  if (shards.length === 0) throw invalidMap('shards', 'must have at least one shard')
  for (let i = 1; i < shards.length; i++) {
    const { id } = shards[i]!
    if (shards[i - 1]!.id < id) continue
    if (shards[i - 1]!.id === id) throw invalidMap(`shards[${i}]`, `is the second ${show(id)}`)
    throw invalidMap(`shards[${i}].id`, 'must come after the id before it, in UTF-16 order')
  }
  return shards
}

function readOwners(
  value: unknown,
  slots: number,
  shards: number,
): readonly (readonly [number, number])[] {
  const runs: [number, number][] = []
  let total = 0
  readList(value, 'owners').forEach((run, i) => {
    const pair = readList(run, `owners[${i}]`)
    if (pair.length !== 2) throw invalidMap(`owners[${i}]`, 'must be a count and a shard')
    const count = readWhole(pair[0], `owners[${i}][0]`, 1, slots - total)
    const shard = readWhole(pair[1], `owners[${i}][1]`, 0, shards - 1)
    total += count
    const last = runs.at(-1)
    if (last?.[1] === shard) last[0] += count
    else runs.push([count, shard])
  })
  if (total !== slots) {
    throw invalidMap('owners', `must give each of ${slots} slots an owner, but stops at ${total}`)
  }
  return runs
}

function readExtra(value: unknown, shards: number): readonly { slot: number; shard: number }[] {
  return readList(value, 'extra').map((entry, i) => {
    const fields = readObject(entry, `extra[${i}]`)
    return {
      slot: readWhole(fields.get('slot'), `extra[${i}].slot`, 0, LAST_SLOT),
      shard: readWhole(fields.get('shard'), `extra[${i}].shard`, 0, shards - 1),
    }
  })
}

function readTables(value: unknown): Readonly<Record<string, TableRuleJson>> {
  const names = [...readObject(value, 'tables')].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(names.map(([name, rule]) => [name, readTable(name, rule)]))
}

function readTable(name: string, rule: unknown): TableRuleJson {
  if (name === '' || name === '*') {
    throw invalidMap(at('tables', name), 'must have another name: neither empty nor "*"')
  }
  return readTableRule(rule, name)
}

function readPin(value: unknown, i: number): PinJson {
  const place = `pins[${i}]`
  const fields = readObject(value, place)
  const state = fields.get('state')
  if (state !== 'moving' && state !== 'pinned') {
    throw invalidValue(`${place}.state`, 'moving or pinned', state)
  }
  return {
    table: readName(fields.get('table'), `${place}.table`),
    key: readText(fields.get('key'), `${place}.key`),
    slot: readWhole(fields.get('slot'), `${place}.slot`, 0, LAST_SLOT),
    state,
    from: readWhole(fields.get('from'), `${place}.from`, 0, LAST_SLOT),
  }
}

function readSplit(value: unknown, i: number): SplitJson {
  const place = `splits[${i}]`
  const fields = readObject(value, place)
  return {
    table: readName(fields.get('table'), `${place}.table`),
    key: readText(fields.get('key'), `${place}.key`),
    parts: readWhole(fields.get('parts'), `${place}.parts`, 2, MOST_PARTS),
  }
}

/** A split key is read in as many places: more parts than shards serve nobody. */
export const MOST_PARTS: number = 1024
