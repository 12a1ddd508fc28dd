// Caches beside those on npm. A run asks for each key and sets it where it is missing, so that
// every candidate does what its policy makes of the same requests. Rows "get" never miss, rows
// "evict" always do. Ratios travel; nanoseconds do not.

import {
  AdaptiveCache,
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '@ashlar/cache'
import { measureAdaptive } from './cache-hit-ratio-adaptive.ts'
import { type Contender, measureHits } from './cache-hits.ts'
import { KeyStream, nameOf, seeded, uniform, zipf } from './cache-keys.ts'
import { cachePeers, LRU_CACHE, type PlainCache } from './cache-peers.ts'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/cache'
const REQUESTS = 8192
const MANY = 100_000

export const peers = Object.keys(cachePeers)

type Make = (max: number) => PlainCache<string | number>

/** A policy of ours; `speed` is its goal against lru-cache, `bytes` that for an entry's memory. */
interface Policy extends Contender {
  readonly speed?: number
  readonly bytes?: number
}

const exact = { isRandom: false, isExact: true }

const policies: readonly Policy[] = [
  { ...exact, name: 'lru', column: 'LRU', bytes: 40, make: (options) => new LruCache(options) },
  { ...exact, name: 'fifo', column: 'FIFO', make: (options) => new FifoCache(options) },
  {
    ...exact,
    ...{ name: 'lfu', column: 'LFU', speed: 1.3, bytes: 65 },
    make: (options) => new LfuCache(options),
  },
  {
    ...exact,
    ...{ name: 'sieve', column: 'SIEVE', speed: 1.4, bytes: 40 },
    make: (options) => new SieveCache(options),
  },
  {
    ...{ name: 's3-fifo', column: 'S3FIFO~', isRandom: false },
    make: (options) => new S3FifoCache(options),
  },
  {
    ...{ name: 'tiny-lfu', isRandom: true, speed: 1, atLeast: 0.86 },
    make: (options) => new TinyLfuCache(options),
  },
  {
    ...{ name: 'adaptive', isRandom: true, atLeast: 0.87 },
    make: (options) => new AdaptiveCache(options),
  },
]

export function measure(bench: Bench): void {
  const random = seeded(1)
  const few = new KeyStream(REQUESTS, uniform(1000, random))
  const all = {
    [OURS]: (max: number) => new LruCache<string | number, number>({ max }),
    ...cachePeers,
  }
  const at1k = { max: 1000, makers: all }
  requests(bench, { ...at1k, id: 'get-net-1k', keys: net(few), atLeast: 1.5 })
  requests(bench, { ...at1k, id: 'get-pointer-1k', keys: () => few.pointers, atLeast: 0.75 })
  requests(bench, { ...at1k, id: 'get-integer-1k', keys: () => few.numbers })
  let drawn = 0
  const once = () => net(new KeyStream(REQUESTS, () => drawn++))()
  requests(bench, { ...at1k, id: 'evict-net-1k', keys: once, atLeast: 2.2 })
  const at100k = { max: MANY, makers: all }
  const skewed = new KeyStream(2 ** 18, zipf(1e6, 0.9, random))
  requests(bench, { ...at100k, id: 'zipf0.9-net-100k', keys: net(skewed), atLeast: 2.3 })
  const numbers = () => skewed.numbers
  requests(bench, { ...at100k, id: 'zipf0.9-integer-100k', keys: numbers, atLeast: 3.5 })
  const popular = net(new KeyStream(2 ** 15, zipf(10_000, 1, random)))
  for (const { name, make, speed } of policies) {
    const ours: Make = (max) => make<string | number>({ max })
    const makers = { [OURS]: ours, [LRU_CACHE]: cachePeers[LRU_CACHE]! }
    const goal = speed === undefined ? {} : { atLeast: speed }
    requests(bench, { id: `zipf1.0-net-1k-${name}`, max: 1000, makers, keys: popular, ...goal })
  }
  for (const policy of policies) memory(bench, policy)
  for (const policy of policies) worstSet(bench, policy)
  manySets(bench)
  measureAdaptive(bench, measureHits(bench, policies))
}

const TITLES: Readonly<Record<string, string>> = {
  'get-net-1k': 'a hit among 1,000 entries, keys just decoded',
  'get-pointer-1k': 'the same, keys the same string objects again',
  'get-integer-1k': 'the same, keys integers',
  'evict-net-1k': 'a miss and a set that evicts, 1,000 entries, keys just decoded',
  'zipf0.9-net-100k': 'Zipf 0.9 over a million keys, 100,000 entries, keys just decoded',
  'zipf0.9-integer-100k': 'the same, keys integers',
}

interface Requests {
  readonly id: string
  readonly max: number
  readonly makers: Readonly<Record<string, Make>>
  /** The keys of one run; called before each, untimed. */
  readonly keys: () => ArrayLike<string | number>
  readonly atLeast?: number
}

/** Each candidate answers the same requests; what it does not have it sets. */
function requests(bench: Bench, { id, max, makers, keys, atLeast }: Requests): void {
  const candidates = Object.entries(makers).map(([name, make]) => {
    const cache = make(max)
    let given: ArrayLike<string | number> = []
    const run = () => {
      let sum = 0
      for (let i = 0; i < given.length; i++) {
        const key = given[i]!
        const value = cache.get(key)
        if (value === undefined) cache.set(key, i)
        else sum += value
      }
      return sum
    }
    const before = () => {
      given = keys()
    }
    return [name, { run, before }] as const
  })
  const policy = id.slice('zipf1.0-net-1k-'.length)
  bench.speed({
    id,
    title: TITLES[id] ?? `${policy}: Zipf 1.0 over 10,000 keys, 1,000 entries, keys just decoded`,
    ops: keys().length,
    candidates: Object.fromEntries(candidates),
    ...(atLeast === undefined ? {} : { goal: { against: LRU_CACHE, atLeast } }),
  })
}

function net(stream: KeyStream): () => string[] {
  return () => stream.net()
}

/** What a cache keeps alive beside its keys and values, after it was filled three times over. */
function memory(bench: Bench, { name, make, bytes }: Policy): void {
  const keys = Array.from({ length: 3 * MANY }, (_, i) => nameOf(i))
  const filled = (cache: PlainCache<string>) => {
    for (const [i, key] of keys.entries()) cache.set(key, i)
    return cache
  }
  bench.memory({
    id: `memory-${name}`,
    title: `${name}: memory of 100,000 entries after churn, keys and values left out`,
    candidates: {
      [OURS]: () => filled(make<string>({ max: MANY })),
      [LRU_CACHE]: () => filled(cachePeers[LRU_CACHE]!<string>(MANY)),
    },
    ...(bytes === undefined ? {} : { goal: { atMost: bytes * MANY } }),
  })
}

/**
 * The longest single set of a cache that grows to a million entries and then evicts a million: the
 * least of some runs, since whatever else the machine does in between only adds to it.
 */
function worstSet(bench: Bench, { name, make }: Policy): void {
  const million = 1_000_000
  const worst = (make: () => PlainCache<string>) => {
    return Math.min(...Array.from({ length: 5 }, () => longestSet(make())))
  }
  const longestSet = (cache: PlainCache<string>) => {
    let longest = 0
    for (let i = 0; i < 2 * million; i++) {
      const key = nameOf(i)
      const start = performance.now()
      cache.set(key, i)
      longest = Math.max(longest, performance.now() - start)
    }
    return longest
  }
  bench.count({
    id: `worst-set-${name}`,
    title: `${name}: the longest of two million sets, growing to a million; least of 5 runs`,
    unit: 'ms',
    get results() {
      return {
        [OURS]: worst(() => make<string>({ max: million })),
        [LRU_CACHE]: worst(() => cachePeers[LRU_CACHE]!<string>(million)),
      }
    },
    goal: { atMost: 10 },
  })
}

/** How many sets of new keys a cache for nine million survives, of thirty million. */
function manySets(bench: Bench): void {
  const survived = (cache: PlainCache<number>) => {
    let sets = 0
    try {
      for (; sets < 30_000_000; sets++) cache.set(sets, sets)
    } catch {
      // "Map maximum size exceeded": the count is the result
    }
    return sets
  }
  bench.count({
    id: 'many-sets',
    title: 'sets of new keys without a throw, of 30,000,000 with room for 9,000,000',
    lowerIsBetter: false,
    get results() {
      return {
        [OURS]: survived(new LruCache<number, number>({ max: 9_000_000 })),
        [LRU_CACHE]: survived(cachePeers[LRU_CACHE]!<number>(9_000_000)),
      }
    },
    goal: { against: LRU_CACHE, atLeast: 1.78 },
  })
}
