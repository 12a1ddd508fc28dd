// Routing a key and counting it: 8,192 distinct keys of 8 to 24 characters, re-used string objects
// and fresh ones as a parser makes them. cluster-key-slot stops at the slot, our route names the
// shard as well; both results are read.

import { by, colocated, HeavyHitters, ShardMap } from '@ashlar/shard'
import clusterKeySlot from 'cluster-key-slot'
import { seeded, uniform, zipf } from './cache-keys.ts'
import type { Bench, Timed } from './harness.ts'
import { distinctKeys, freshReader } from './keys.ts'

const OURS = '@ashlar/shard'
const PEER = 'cluster-key-slot'
const COUNT = 8192

/** The speed of `route`, with the goal against the peer. */
export function routeRows(bench: Bench): void {
  const map = ShardMap.create({
    shards: ['shard0', 'shard1', 'shard2', 'shard3', 'shard4', 'shard5', 'shard6', 'shard7'],
    tables: { users: by('id'), orders: colocated('users', 'user_id') },
  })
  const sets = { '8': sized(8), '16': sized(16), '24': sized(24), '8 to 24': mixedKeys() }
  for (const [length, keys] of Object.entries(sets)) {
    const lanes = {
      [OURS]: (key: string) => map.route(key).slot,
      [`${OURS}, by table`]: (key: string) => map.route(key, 'orders').slot,
      [PEER]: (key: string) => clusterKeySlot(key),
    }
    row(bench, `route-${length.replaceAll(' ', '-')}`, `route a key of ${length} characters`, {
      keys,
      lanes,
      goal: { against: PEER, atLeast: 2 },
    })
  }
}

/** The cost of counting a key among 1,024 counters. */
export function hotRows(bench: Bench): void {
  const keys = mixedKeys()
  const draws = {
    zipf: { draw: zipf(COUNT, 1, seeded(1)), title: 'Zipf 1.0', goal: { atMost: 60 } },
    // Nearly every key takes over a counter: the most that a stream can cost.
    uniform: { draw: uniform(COUNT, seeded(2)), title: 'uniform, 7 of 8 without a counter' },
  }
  for (const [id, { draw, title, ...goal }] of Object.entries(draws)) {
    const stream = Array.from({ length: 2 * COUNT }, () => keys[draw()]!)
    const hot = new HeavyHitters({ capacity: 1024 })
    const add = (key: string) => {
      hot.add(key)
      return 1
    }
    row(bench, `hot-${id}`, `count a key among the heavy hitters, ${title}`, {
      keys: stream,
      lanes: { [OURS]: add },
      ...goal,
    })
  }
}

interface KeyRow {
  readonly keys: readonly string[]
  readonly lanes: Readonly<Record<string, (key: string) => number>>
  readonly goal?: { against: string; atLeast: number } | { atMost: number }
}

/** Two rows: with re-used strings, and with fresh ones. */
function row(bench: Bench, id: string, title: string, { keys, lanes, ...goal }: KeyRow): void {
  const ops = keys.length
  const each = (make: (lane: (key: string) => number) => Timed) =>
    Object.fromEntries(Object.entries(lanes).map(([name, lane]) => [name, make(lane)]))
  bench.speed({
    id,
    title: `${title}, re-used strings`,
    ops,
    candidates: each((lane) => ({ run: sum(lane, () => keys) })),
    ...goal,
  })
  const read = freshReader(keys)
  bench.speed({
    id: `${id}-fresh`,
    title: `${title}, fresh strings (making them is not timed)`,
    ops,
    candidates: each((lane) => {
      let fresh: readonly string[] = keys
      const before = () => {
        fresh = keys.map((_, i) => read(i))
      }
      return { run: sum(lane, () => fresh), before }
    }),
    ...goal,
  })
}

/** A loop of its own for each lane, so that V8 shares no type feedback between them. */
function sum(lane: (key: string) => number, keys: () => readonly string[]): () => number {
  const body = 'const all = keys(); for (let i = 0; i < all.length; i++) s = (s + lane(all[i])) | 0'
  return new Function('lane', 'keys', `return () => { let s = 0; ${body}; return s }`)(lane, keys)
}

function sized(length: number): string[] {
  return distinctKeys(COUNT, length)
}

/** Keys of all lengths from 8 to 24, in turn, side by side in memory as keys just read are. */
function mixedKeys(): string[] {
  const lists = Array.from({ length: 17 }, (_, i) => distinctKeys(COUNT, 8 + i))
  const read = freshReader(Array.from({ length: COUNT }, (_, i) => lists[i % lists.length]![i]!))
  return Array.from({ length: COUNT }, (_, i) => read(i))
}
