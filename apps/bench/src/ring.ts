// `run bench ring`: the ring beside the rings of npm, 160 virtual nodes a node, on 8,192 distinct
// keys of 16 characters (more than hashring's cache of 5,000 holds) unless a row says otherwise.

import type { Bench } from './harness.ts'
import { distinctKeys, freshReader } from './keys.ts'
import {
  ashlar,
  ashlarWithMemo,
  consistentHash,
  effect,
  hashring,
  ketama,
  type MakeRing,
  nodeHashring,
  OURS,
  type PeerRing,
} from './ring-peers.ts'

export { peers } from './ring-peers.ts'

const VIRTUAL_NODES = 160
const BATCH = 256
const keys = distinctKeys(8192, 16)
const all = { [OURS]: ashlar, 'consistent-hash': consistentHash, effect, hashring, ketama }
const withKetama: Readonly<Record<string, MakeRing>> = { ...all, 'node-hashring': nodeHashring }
const { ketama: _, ...quick } = withKetama

/** All rows. */
export function measure(bench: Bench): void {
  measureGet(bench)
  measureRepeatedKeys(bench)
  measureGetN(bench)
  measureBuildAndChange(bench)
  measureMemory(bench)
  measurePlacement(bench)
}

function measureGet(bench: Bench): void {
  const floors: [number, number][] = [
    [10, 1.9],
    [100, 2.3],
    [1000, 3],
  ]
  for (const [nodes, atLeast] of floors) {
    bench.speed({
      id: `get-${nodes}`,
      title: `get, ${nodes} nodes`,
      ops: BATCH,
      candidates: eachRing(nodes === 1000 ? quick : withKetama, nodes, lookups(keys)),
      goal: { against: 'best peer', atLeast },
    })
  }
  const pair = { [OURS]: ashlar, hashring }
  bench.speed({
    id: 'get-uncached',
    title: 'get, 100 nodes, keys that hashring has not cached',
    ops: BATCH,
    candidates: eachRing(pair, 100, lookups(keys)),
    goal: { against: 'hashring', atLeast: 30 },
  })
}

/** Where a cache of answers can help: the same keys, as the same string objects or as new ones. */
function measureRepeatedKeys(bench: Bench): void {
  const hot = keys.slice(0, 1000)
  const rings = { [OURS]: ashlar, [`${OURS} memo: 5000`]: ashlarWithMemo, hashring }
  bench.speed({
    id: 'get-hot',
    title: 'get, 100 nodes, 1,000 keys again and again, the same string objects',
    ops: BATCH,
    candidates: eachRing(rings, 100, lookups(hot)),
  })
  const read = freshReader(hot)
  bench.speed({
    id: 'get-hot-fresh',
    title: 'get, 100 nodes, the same 1,000 keys, each time parsed anew',
    ops: BATCH,
    candidates: eachRing({ ...rings, 'consistent-hash': consistentHash, effect }, 100, (ring) =>
      ownLoop('if (ring.get(some(at)) !== undefined) found++')(ring, read, hot.length),
    ),
  })
}

function measureGetN(bench: Bench): void {
  const { 'consistent-hash': consistent } = withKetama
  const rings = { [OURS]: ashlar, 'consistent-hash': consistent!, hashring }
  for (const [nodes, atLeast] of [
    [100, 3],
    [1000, 5],
  ] as const) {
    bench.speed({
      id: `getN-3-${nodes}`,
      title: `three different nodes for a key, ${nodes} nodes`,
      ops: BATCH,
      candidates: eachRing(nodes === 100 ? { ...rings, ketama } : rings, nodes, (ring) =>
        ownLoop('found += ring.getN(some[at], 3).length')(ring, keys, keys.length),
      ),
      goal: { against: 'best peer', atLeast },
    })
  }
}

/** A ring is ready when it answers: some build part of their tables at the first lookup. */
function measureBuildAndChange(bench: Bench): void {
  const ids = nodeIds(1000)
  const build = (make: MakeRing) => () => Number(make(ids, VIRTUAL_NODES).get('k') !== undefined)
  const builders = Object.entries(quick).map(([name, make]) => [name, build(make)])
  bench.speed({
    id: 'build-1000',
    title: 'build 1,000 nodes x 160 and look one key up',
    unit: 'ms/op',
    ops: 1,
    candidates: Object.fromEntries(builders),
    goal: { against: 'best peer', atLeast: 4 },
  })
  // hashring builds anew at every change: the row above says what that takes.
  const { hashring: __, ...changing } = quick
  for (const [against, atLeast] of [
    ['best peer', 1.5],
    ['effect', 15],
  ] as const) {
    const suffix = against === 'effect' ? '-effect' : ''
    const some = against === 'effect' ? { [OURS]: ashlar, effect } : changing
    for (const change of ['add', 'remove'] as const) {
      bench.speed({
        id: `${change}-1000${suffix}`,
        title: `${change} one of 1,000 nodes x 160 and look one key up`,
        unit: 'ms/op',
        ops: 1,
        candidates: Object.fromEntries(
          Object.entries(some).map(([name, make]) => [name, changes(make, ids, change)]),
        ),
        goal: { against, atLeast },
      })
    }
  }
}

/** Adds or removes one node after another; the way back is not timed. */
function changes(make: MakeRing, ids: readonly string[], change: 'add' | 'remove') {
  const ring = make(ids, VIRTUAL_NODES)
  // Tables that lookups bring are there, and must be kept right.
  for (let i = 0; i < 200_000; i++) ring.get(keys[i & 8191]!)
  const other = nodeIds(1100).slice(1000)
  let at = 0
  let isThere = false
  const before = () => {
    if (isThere !== (change === 'remove')) ring[isThere ? 'remove' : 'add']!(other[at]!)
    // consistent-hash cannot add after a removal before it was asked for a key.
    ring.get('k')
    if (change === 'add') at = (at + 1) % other.length
    isThere = change === 'remove'
  }
  const run = () => {
    ring[change]!(other[at]!)
    isThere = change === 'add'
    if (change === 'remove') at = (at + 1) % other.length
    return Number(ring.get('k') !== undefined)
  }
  return { before, run }
}

function measureMemory(bench: Bench): void {
  const ids = nodeIds(1000)
  const used = (make: MakeRing) => () => {
    const ring = make(ids, VIRTUAL_NODES)
    for (let i = 0; i < 200_000; i++) ring.get(keys[i & 8191]!)
    return ring
  }
  bench.memory({
    id: 'memory-1000',
    title: 'what 1,000 nodes x 160 keep alive after 200,000 lookups',
    candidates: Object.fromEntries(Object.entries(quick).map(([name, make]) => [name, used(make)])),
    goal: { against: 'best peer', atLeast: 2 },
  })
}

/** What a change moves and how even it is: no clock involved. */
function measurePlacement(bench: Bench): void {
  const many = distinctKeys(100_000, 16)
  const ids = nodeIds(100)
  bench.count({
    id: 'collateral',
    title:
      'of 100,000 keys, those that move between nodes that stay, when a process that has 101 ' +
      'nodes takes over from one that has 100',
    unit: 'keys',
    results: mapRings(withKetama, (make) => collateral(make, ids, many)),
    goal: { atMost: 0 },
  })
  const defaults: Readonly<Record<string, number>> = {
    [OURS]: 256,
    'consistent-hash': 40,
    effect: 128,
    hashring: 160,
    ketama: 50,
    'node-hashring': 80,
  }
  bench.count({
    id: 'max-mean',
    title: 'keys of the fullest of 100 nodes over the mean, defaults, median of nine fleets',
    unit: 'ratio',
    results: mapRings(withKetama, (make, name) => fullest(make, defaults[name]!)),
    goal: { atMost: 1.2 },
  })
}

function collateral(make: MakeRing, ids: readonly string[], some: readonly string[]): number {
  const before = make(ids, VIRTUAL_NODES)
  const after = make([...ids, 'joined'], VIRTUAL_NODES)
  return some.filter((key) => {
    const owner = idOf(after.get(key))
    return owner !== 'joined' && owner !== idOf(before.get(key))
  }).length
}

/** The median over nine fleets: one fleet's luck is worth several per cent. */
function fullest(make: MakeRing, virtualNodes: number): number {
  const figures = Array.from({ length: 9 }, (_, fleet) => {
    const ids = Array.from({ length: 100 }, (_, i) => `10.${fleet}.0.${i}`)
    return fullestOf(make(ids, virtualNodes))
  })
  return figures.toSorted((a, b) => a - b)[4]!
}

function fullestOf(ring: PeerRing): number {
  const counts = new Map<string, number>()
  for (let i = 0; i < 500_000; i++) {
    const owner = idOf(ring.get(`user:${i}`))
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  return (Math.max(...counts.values()) * 100) / 500_000
}

function idOf(owner: unknown): string {
  return typeof owner === 'string' ? owner : (owner as { id: string }).id
}

/**
 * A loop of its own for each candidate, from source: closures of one function share what the engine
 * learns at a call, so the first candidates would slow the others down, the fastest most.
 */
function ownLoop(step: string): (ring: PeerRing, some: unknown, count: number) => () => number {
  return new Function(
    'ring',
    'some',
    'count',
    `let at = 0
    return () => {
      let found = 0
      for (let i = 0; i < ${BATCH}; i++) {
        ${step}
        at = at + 1 === count ? 0 : at + 1
      }
      return found
    }`,
  ) as ReturnType<typeof ownLoop>
}

/** Looks key after key up, a batch a run. */
function lookups(some: readonly string[]): (ring: PeerRing) => () => number {
  return (ring) => ownLoop('if (ring.get(some[at]) !== undefined) found++')(ring, some, some.length)
}

function eachRing(
  rings: Readonly<Record<string, MakeRing>>,
  nodes: number,
  work: (ring: PeerRing) => () => number,
): Record<string, () => number> {
  const ids = nodeIds(nodes)
  return Object.fromEntries(
    Object.entries(rings).map(([name, make]) => [name, work(make(ids, VIRTUAL_NODES))]),
  )
}

function mapRings(
  rings: Readonly<Record<string, MakeRing>>,
  figure: (make: MakeRing, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(rings).map(([name, make]) => [name, figure(make, name)]))
}

function nodeIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
}
