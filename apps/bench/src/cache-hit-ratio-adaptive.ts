// What an adaptive cache hits beside the policies that it could have been, and what that costs
// beside W-TinyLFU alone. Its mean part of the optimum stands with those of the others.

import { AdaptiveCache, type CacheOptions, TinyLfuCache } from '@ashlar/cache'
import type { HitTable } from './cache-hits.ts'
import { KeyStream, nameOf, seeded, zipf } from './cache-keys.ts'
import type { ExpectedHits } from './cache-traces.ts'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/cache'
const TINY = 'tiny-lfu'
const OPTIMUM = 'clairvoyant optimum'
const ALL = 'all rows'
const MOST = 100_000
/** Sizes, and how many keys of a Zipf distribution of which exponent are asked for there. */
const WORK = [
  { max: 100, keys: 1000, exponent: 1 },
  { max: 1000, keys: 10_000, exponent: 1 },
  { max: MOST, keys: 1e6, exponent: 0.9 },
] as const
const REQUESTS = 2 ** 18

const makers = {
  [OURS]: <K>(options: CacheOptions<K, number>) => new AdaptiveCache<K, number>(options),
  [TINY]: <K>(options: CacheOptions<K, number>) => new TinyLfuCache<K, number>(options),
}

export function measureAdaptive(bench: Bench, table: HitTable): void {
  const { contenders, rows } = table
  const adaptive = contenders.find(({ name }) => name === 'adaptive')!
  const others = contenders.filter((contender) => contender !== adaptive)
  const behind = (row: ExpectedHits) => {
    const best = Math.max(...others.map((other) => table.hitsOf(other, row)))
    return (100 * (best - table.hitsOf(adaptive, row))) / row.requests
  }
  bench.count({
    id: 'hit-adaptive-within',
    title: `rows where adaptive is within a point of the best other policy; ${table.scope}`,
    unit: '%',
    lowerIsBetter: false,
    get results() {
      const within = rows.filter((row) => behind(row) <= 1)
      return { [OURS]: (100 * within.length) / rows.length, [ALL]: 100 }
    },
    goal: { against: ALL, atLeast: 0.88 },
  })
  bench.count({
    id: 'hit-adaptive-worst',
    title: 'adaptive: least part of the optimum’s hits on any row',
    unit: 'part',
    lowerIsBetter: false,
    get results() {
      const parts = rows.map((row) => table.hitsOf(adaptive, row) / row.hits.MIN!)
      return { [OURS]: Math.min(...parts), [OPTIMUM]: 1 }
    },
    goal: { against: OPTIMUM, atLeast: 0.4 },
  })
  for (const work of WORK) time(bench, work)
  for (const { max } of WORK.slice(1)) memory(bench, max)
}

/** Zipf requests, each key set where it is missing. */
function time(bench: Bench, { max, keys, exponent }: (typeof WORK)[number]): void {
  const asked = new KeyStream(REQUESTS, zipf(keys, exponent, seeded(3))).numbers
  const candidates = Object.entries(makers).map(([name, make]) => {
    const cache = make<number>({ max, random: seeded(1) })
    let at = 0
    const run = () => {
      let hits = 0
      for (const end = at + 4096; at < end; at++) {
        const key = asked[at]!
        if (cache.get(key) === undefined) cache.set(key, at)
        else hits++
      }
      if (at === REQUESTS) at = 0
      return hits
    }
    return [name, run] as const
  })
  bench.speed({
    id: `hit-adaptive-time-${max}`,
    title: `adaptive: Zipf ${exponent.toFixed(1)} over ${keys} integers, ${max} entries`,
    ops: 4096,
    candidates: Object.fromEntries(candidates),
    goal: { against: TINY, atLeast: 1 / 1.6 },
  })
}

/** As many caches as make 100,000 entries, so that a small one is not measured by itself. */
function memory(bench: Bench, max: number): void {
  const names = Array.from({ length: 3 * max }, (_, i) => nameOf(i))
  const caches = MOST / max
  const filled = Object.entries(makers).map(([name, make]) => {
    const fill = () => {
      const cache = make<string>({ max })
      for (const [i, key] of names.entries()) cache.set(key, i)
      return cache
    }
    return [name, () => Array.from({ length: caches }, fill)] as const
  })
  bench.memory({
    id: `hit-adaptive-memory-${max}`,
    title: `adaptive: memory of ${caches} × ${max} entries after churn, keys and values left out`,
    candidates: Object.fromEntries(filled),
    goal: { against: TINY, atLeast: 1 / 1.25 },
  })
}
