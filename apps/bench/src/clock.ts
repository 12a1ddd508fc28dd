// Clocks beside the vector clocks and hybrid clocks on npm. Vectors are compared and merged over 3
// to 4,096 replicas whose ids have 13 characters; each run goes through a pool of different pairs.
//
// Rows called "unshared" take away what our layout gains most from, one list of ids shared by
// reference: there every vector has a list of its own, as from a wire on which many memberships
// meet. What no package offers (dotted version vectors, a causal buffer) stands beside the
// plainest thing that could work. Clocks are simulated: the peers' and ours read one function.

import {
  CausalBuffer,
  Dvv,
  decodeHlc,
  encodeHlc,
  HybridLogicalClock,
  jsonValues,
  Members,
  VectorClock,
  VersionVector,
} from '@ashlar/clock'
import { type Arrival, broadcasts, shuffled } from './broadcasts.ts'
import { ConsentoClock, type PlainClock, Timestamp, thing, vectorclock } from './clock-peers.ts'
import type { Bench } from './harness.ts'
import { RescanBuffer } from './rescan-buffer.ts'

const OURS = '@ashlar/clock'
const THING = '@thi.ng/vclock'
const PLAIN = 'vectorclock'
const ACTUAL = '@actual-app/crdt'

export const peers = [THING, PLAIN, ACTUAL, '@consento/hlc']

const SIZES = [3, 16, 256, 4096] as const
/** How many pairs a run goes through: the peers take up to a millisecond for one. */
const PAIRS = { 3: 64, 16: 64, 256: 16, 4096: 2 } as const
type Size = (typeof SIZES)[number]

const COMPARE_GOALS = { 3: 20, 16: 30, 256: 60, 4096: 200 } as const
const MERGE_GOALS = { 3: 8, 16: 18, 256: 80, 4096: 120 } as const
const INCREMENT_GOALS = { 3: 1.5, 16: 3, 256: 150, 4096: 300 } as const
const UNSHARED_GOAL = 10

export function measure(bench: Bench): void {
  for (const n of SIZES) compare(bench, n)
  for (const n of SIZES) compareUnshared(bench, n)
  for (const n of SIZES) merge(bench, n)
  for (const n of SIZES) mergeHalf(bench, n)
  for (const n of SIZES) increment(bench, n)
  for (const n of [3, 16, 256] as const) tick(bench, n)
  hybridNow(bench)
  hybridText(bench)
  wire(bench)
  dottedPut(bench)
  causalDelivery(bench)
}

function compare(bench: Bench, n: Size): void {
  const pairs = beforePairs(n)
  bench.speed({
    id: `compare-${n}`,
    title: `which of two vectors over ${n} replicas is before the other`,
    ops: pairs.length,
    candidates: comparers(pairs),
    goal: { against: THING, atLeast: COMPARE_GOALS[n] },
  })
}

function compareUnshared(bench: Bench, n: Size): void {
  const pairs = beforePairs(n).map(({ a, b }) => ({ a: unshared(a), b: unshared(b) }))
  if (pairs.some(({ a, b }) => a.ids === b.ids)) throw new Error('these lists are shared')
  bench.speed({
    id: `compare-unshared-${n}`,
    title: `the same over ${n} replicas, each vector with a list of ids of its own`,
    ops: pairs.length,
    candidates: comparers(pairs),
    goal: { against: THING, atLeast: UNSHARED_GOAL },
  })
}

function merge(bench: Bench, n: Size): void {
  const pairs = concurrentPairs(n, ids(n), ids(n))
  bench.speed({
    id: `merge-${n}`,
    title: `merge of two concurrent vectors over the same ${n} replicas`,
    ops: pairs.length,
    candidates: mergers(pairs),
    goal: { against: THING, atLeast: MERGE_GOALS[n] },
  })
}

function mergeHalf(bench: Bench, n: Size): void {
  const all = ids(n + Math.ceil(n / 2))
  const pairs = concurrentPairs(n, all.slice(0, n), all.slice(-n))
  bench.speed({
    id: `merge-half-${n}`,
    title: `merge of two vectors over ${n} replicas, half of which they have in common`,
    ops: pairs.length,
    candidates: mergers(pairs),
  })
}

function increment(bench: Bench, n: Size): void {
  const vectors = beforePairs(n).map(({ a }) => a)
  const who = vectors.map((_, i) => ids(n)[(i * 7) % n]!)
  const merged = vectors.map(toPlain)
  const ops = vectors.length
  const ours = () => sumOf(vectors, (v, i) => v.increment(who[i]!).counts.length)
  bench.speed({
    id: `increment-${n}`,
    title: `a new vector with one more event, over ${n} replicas`,
    ops,
    candidates: {
      [OURS]: ours,
      [THING]: () => sumOf(merged, (v, i) => thing.inc(v, who[i]!)[who[i]!]!),
    },
    goal: { against: THING, atLeast: INCREMENT_GOALS[n] },
  })
  // V8 copies an object that the peer made itself much faster than one that JSON.parse made.
  const parsed = merged.map((v): PlainClock => JSON.parse(JSON.stringify(v)))
  bench.speed({
    id: `increment-received-${n}`,
    title: `the same where the vector has just come as a message`,
    ops,
    candidates: {
      [OURS]: ours,
      [THING]: () => sumOf(parsed, (v, i) => thing.inc(v, who[i]!)[who[i]!]!),
    },
  })
}

function tick(bench: Bench, n: Size): void {
  const ops = 256
  const start = vector(ids(n), () => 1000)
  const self = ids(n)[n >> 1]!
  const clock = new VectorClock(self, start)
  const plain = { clock: toPlain(start) }
  bench.speed({
    id: `tick-${n}`,
    title: `one more own event in place, over ${n} replicas`,
    ops,
    candidates: {
      [OURS]: () => repeat(ops, () => clock.tick()),
      [PLAIN]: () => repeat(ops, () => vectorclock.increment(plain, self).clock[self]!),
    },
    goal: { against: PLAIN, atLeast: 2 },
  })
}

function hybridNow(bench: Bench): void {
  const ops = 256
  let reads = 0
  const now = () => 1_700_000_000_000 + (reads++ >> 4)
  const clock = new HybridLogicalClock({ node: '0123456789abcdef', now })
  Timestamp.init({ node: '0123456789abcdef' })
  const consento = new ConsentoClock({ wallTime: () => BigInt(now()) })
  const real = Date.now
  bench.speed({
    id: 'hlc-now',
    title: 'the next timestamp of a hybrid clock, 16 in each millisecond',
    ops,
    candidates: {
      [OURS]: () => repeat(ops, () => clock.now().logical),
      [ACTUAL]: () => {
        Date.now = now
        const sum = repeat(ops, () => Timestamp.send()!.counter())
        Date.now = real
        return sum
      },
      '@consento/hlc': () => repeat(ops, () => consento.now().logical),
    },
    goal: { against: ACTUAL, atLeast: 1 },
  })
}

function hybridText(bench: Bench): void {
  const node = '0123456789abcdef'
  const stamps = Array.from({ length: 256 }, (_, i) => {
    return { wall: 1_700_000_000_000 + i * 7919, logical: (i * 31) % 300, node }
  })
  const theirs = stamps.map(({ wall, logical }) => new Timestamp(wall, logical, node))
  // Reading the last character flattens a text that was made by concatenation.
  const last = (text: string) => text.charCodeAt(text.length - 1)
  bench.speed({
    id: 'hlc-encode',
    title: 'a timestamp as text that sorts as it does, read',
    ops: stamps.length,
    candidates: {
      [OURS]: () => sumOf(stamps, (stamp) => last(encodeHlc(stamp))),
      [ACTUAL]: () => sumOf(theirs, (stamp) => last(stamp.toString())),
    },
    goal: { against: ACTUAL, atLeast: 10 },
  })
  const texts = stamps.map((stamp) => Buffer.from(encodeHlc(stamp)).toString())
  const theirTexts = theirs.map((stamp) => stamp.toString())
  bench.speed({
    id: 'hlc-decode',
    title: 'the timestamp in a text',
    ops: stamps.length,
    candidates: {
      [OURS]: () => sumOf(texts, (text) => decodeHlc(text).logical),
      [ACTUAL]: () => sumOf(theirTexts, (text) => Timestamp.parse(text)!.counter()),
    },
    goal: { against: ACTUAL, atLeast: 10 },
  })
}

function wire(bench: Bench): void {
  for (const n of [3, 16, 256] as const) {
    const members = new Members(ids(n))
    const v = vector(ids(n), (i) => 1000 + ((i * 31) % 9000))
    bench.count({
      id: `wire-${n}`,
      title: `bytes of a vector over ${n} replicas, counts in the thousands`,
      unit: 'bytes',
      results: {
        [OURS]: v.encode(members).length,
        'without a member table': v.encode().length,
        [`${THING} as JSON`]: JSON.stringify(toPlain(v)).length,
      },
      ...(n === 3 ? { goal: { atMost: 12 } } : {}),
    })
  }
}

function dottedPut(bench: Bench): void {
  const pairs = concurrentPairs(3, ids(3), ids(3))
  const [other, server] = ids(3) as [string, string]
  // Of each key one write that its reader has seen, and a later one of another server.
  const read = pairs.map(({ a }, i) => {
    const known = VersionVector.of([...a.entries()].filter(([id]) => id !== other))
    return withHistory(known).put(i, known, other)
  })
  const contexts = read.map((state) => VersionVector.decode(state.context().encode()))
  const beside = read.map((state, i) => state.put(i, VersionVector.empty, other))
  const goal = { against: 'a plain vector merge', atLeast: 1 / 3 }
  const plain = () => sumOf(pairs, ({ a, b }) => a.merge(b).counts.length)
  bench.speed({
    id: 'dvv-put',
    title: 'a write whose writer has read the key, 3 servers',
    ops: read.length,
    candidates: {
      [OURS]: () => sumOf(read, (state, i) => state.put(i, contexts[i]!, server).size),
      'a plain vector merge': plain,
    },
    goal,
  })
  bench.speed({
    id: 'dvv-put-sibling',
    title: 'the same with a value of which its writer did not know, which stays beside it',
    ops: beside.length,
    candidates: {
      [OURS]: () => sumOf(beside, (state, i) => state.put(i, contexts[i]!, server).size),
      'a plain vector merge': plain,
    },
  })
}

/** A state without values whose history is `known`. */
function withHistory(known: VersionVector): Dvv<number> {
  const bytes = [0x20, ...known.encode().slice(1), 0]
  return Dvv.decode<number>(Uint8Array.from(bytes), jsonValues())
}

function causalDelivery(bench: Bench): void {
  const RESCAN = 'a rescan of all that wait'
  const sent = broadcasts({ members: 16, messages: 3000, seed: 7 })
  const orders = {
    'in-order': { title: 'as they were sent', arrivals: sent, goal: 1 / 1.2 },
    'window-10': { title: 'each up to 10 places off', arrivals: shuffled(sent, 10, 3) },
    shuffled: { title: 'in any order', arrivals: shuffled(sent, Infinity, 5), goal: 8 },
  }
  for (const [id, { title, arrivals, ...rest }] of Object.entries(orders)) {
    bench.speed({
      id: `causal-${id}`,
      title: `causal delivery of 3,000 messages of 16 members that arrive ${title}`,
      ops: arrivals.length,
      candidates: {
        [OURS]: () => {
          let sum = 0
          const deliver = (message: number) => {
            sum += message
          }
          feed(new CausalBuffer<number>({ deliver }), arrivals)
          return sum
        },
        [RESCAN]: () => {
          let sum = 0
          const deliver = (message: number) => {
            sum += message
          }
          feed(new RescanBuffer<number>(deliver), arrivals)
          return sum
        },
      },
      ...('goal' in rest ? { goal: { against: RESCAN, atLeast: rest.goal } } : {}),
    })
  }
}

function feed(
  buffer: { receive(from: string, stamp: VersionVector, message: number): number },
  arrivals: readonly Arrival[],
): void {
  let delivered = 0
  for (const { from, stamp, message } of arrivals) delivered += buffer.receive(from, stamp, message)
  if (delivered !== arrivals.length) throw new Error(`${delivered} messages were delivered`)
}

interface Pair {
  readonly a: VersionVector
  readonly b: VersionVector
}

function comparers(pairs: readonly Pair[]): Record<string, () => number> {
  const plain = pairs.map(({ a, b }) => ({ a: toPlain(a), b: toPlain(b) }))
  return {
    [OURS]: () => sumOf(pairs, ({ a, b }) => (a.compare(b) === 'before' ? 1 : 0)),
    [THING]: () => sumOf(plain, ({ a, b }) => thing.compare(a, b)),
    [PLAIN]: () => sumOf(plain, ({ a, b }) => vectorclock.compare(a, b)),
  }
}

function mergers(pairs: readonly Pair[]): Record<string, () => number> {
  const plain = pairs.map(({ a, b }) => ({ a: toPlain(a), b: toPlain(b), id: a.ids[0]! }))
  return {
    [OURS]: () => sumOf(pairs, ({ a, b }) => a.merge(b).counts[0]!),
    [THING]: () => sumOf(plain, ({ a, b, id }) => thing.merge(a, b)[id]!),
    [PLAIN]: () => sumOf(plain, ({ a, b, id }) => vectorclock.merge(a, b)[id]!),
  }
}

/** Pairs of which the first is before the second, different in one place or a few. */
function beforePairs(n: Size): Pair[] {
  return Array.from({ length: PAIRS[n] }, (_, k) => {
    const a = vector(ids(n), (i) => 1 + ((i * 37 + k * 101) % 5000))
    return { a, b: a.increment(ids(n)[(k * 13) % n]!).increment(ids(n)[(k * 29) % n]!) }
  })
}

function concurrentPairs(n: Size, left: readonly string[], right: readonly string[]): Pair[] {
  return Array.from({ length: PAIRS[n] }, (_, k) => ({
    a: vector(left, (i) => 1000 + ((i + k) % 2) * 500),
    b: vector(right, (i) => 1200 + ((i + k) % 3)),
  }))
}

function ids(n: number): string[] {
  return Array.from({ length: n }, (_, i) => `replica-${String(i).padStart(5, '0')}`)
}

function vector(names: readonly string[], count: (i: number) => number): VersionVector {
  return VersionVector.of(names.map((id, i) => [id, count(i)] as const))
}

/** The same vector with a list of ids and strings of its own. */
function unshared(v: VersionVector): VersionVector {
  // Lists are shared by way of the last few that were made: make others, then read the bytes.
  for (let i = 0; i < 16; i++) VersionVector.of({ [`other-${i}`]: 1 })
  return VersionVector.decode(v.encode())
}

/** As the peers make it themselves: the result of their own merge. */
function toPlain(v: VersionVector): PlainClock {
  return thing.merge(v.toJSON(), {})
}

function sumOf<T>(items: readonly T[], of: (item: T, i: number) => number): number {
  let sum = 0
  for (let i = 0; i < items.length; i++) sum += of(items[i]!, i)
  return sum
}

function repeat(times: number, run: () => number): number {
  let sum = 0
  for (let i = 0; i < times; i++) sum += run()
  return sum
}
