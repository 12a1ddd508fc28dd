// Caches that load: what a hit costs above the bare cache, how often a thousand who ask at once
// load, and what the invalidation of a tag costs where a million entries have it.

import { type Entry, LoadingCache, LruCache } from '@ashlar/cache'
import { createCache } from 'async-cache-dedupe'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { Cacheable } from 'cacheable'
import { KeyStream, nameOf, seeded, uniform } from './cache-keys.ts'
import { measureTiers } from './cache-tiered.ts'
import type { Bench, Timed } from './harness.ts'

const OURS = '@ashlar/cache-loading'
const BARE = 'bare cache + promise'
const READERS = 1000
const REQUESTS = 8192

interface User {
  readonly id: number
}

export const peers: readonly string[] = ['async-cache-dedupe', 'bentocache', 'cacheable']

export async function measure(bench: Bench): Promise<void> {
  hits(bench)
  peeks(bench)
  invalidations(bench)
  await stampedes(bench)
  await measureTiers(bench)
}

function hits(bench: Bench): void {
  const kinds = [
    { id: 'hit', title: 'a hit', ttl: {} },
    { id: 'hit-ttl', title: 'a hit, both caches with a time limit', ttl: { ttlMs: 3_600_000 } },
  ]
  for (const { id, title, ttl } of kinds) {
    for (const entries of [1000, 100_000]) {
      const { bare, loading, each } = pair(entries, ttl)
      bench.speed({
        id: `${id}-${entries}`,
        title: `${title}, ${entries.toLocaleString('en-US')} entries`,
        ops: REQUESTS,
        candidates: {
          [OURS]: each((key) => isPromise(loading.get(key))),
          [BARE]: each((key) => isPromise(Promise.resolve(bare.get(key)))),
        },
        goal: { against: BARE, atLeast: 1 / 1.3 },
      })
    }
  }
}

function peeks(bench: Bench): void {
  const { bare, loading, each } = pair(1000, { ttlMs: 3_600_000 })
  bench.speed({
    id: 'peek',
    title: 'a peek, both caches with a time limit',
    ops: REQUESTS,
    candidates: {
      [OURS]: each((key) => loading.peek(key)?.id ?? 0),
      'bare cache': each((key) => bare.peek(key)?.id ?? 0),
    },
  })
}

function invalidations(bench: Bench): void {
  const FEW = 'with 1,000 entries'
  const [few, many] = [1000, 1_000_000].map((entries) => {
    const cache = loadingOf(entries, {})
    const tags = Array.from({ length: 100 }, (_, i) => `tag ${i}`)
    for (let i = 0; i < entries; i++) cache.set(nameOf(i), { id: i }, { tags: [tags[i % 100]!] })
    return () =>
      sum(tags, (tag) => {
        cache.invalidateTag(tag)
        return 1
      })
  }) as [() => number, () => number]
  bench.speed({
    id: 'invalidate-tag',
    title: 'invalidation of a tag with 1,000,000 entries in the cache',
    ops: 100,
    candidates: { [OURS]: many, [FEW]: few },
    goal: { against: FEW, atLeast: 1 / 1.5 },
  })
}

/** How often each loads when a thousand ask for a key that it does not hold. */
async function stampedes(bench: Bench): Promise<void> {
  let loads = 0
  const load = async () => {
    loads++
    await new Promise((resolve) => setTimeout(resolve, 5))
    return 1
  }
  const loading = new LoadingCache<string, number>({ load, store: new Map() })
  const cacheable = new Cacheable()
  const other = new Cacheable()
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({})) },
  })
  const dedupe = createCache({ ttl: 60 }).define('load', async (_: string) => await load())
  const subjects: Record<string, () => Promise<unknown>> = {
    [OURS]: () => loading.get('a'),
    'async-cache-dedupe': () => dedupe.load('a'),
    bentocache: () => bento.getOrSet({ key: 'a', factory: load }),
    'cacheable getOrSet': () => cacheable.getOrSet('a', load),
    'cacheable get, then set': async () => {
      const known = await other.get('a')
      return known ?? other.set('a', await load())
    },
  }
  const results: Record<string, number> = {}
  for (const [name, read] of Object.entries(subjects)) {
    loads = 0
    await Promise.all(Array.from({ length: READERS }, read))
    results[name] = loads
  }
  bench.count({
    id: 'stampede',
    title: `loads when ${READERS} ask for a missing key at once`,
    unit: 'loads',
    results,
    lowerIsBetter: true,
    goal: { atMost: 1 },
  })
}

function loadingOf(max: number, ttl: { readonly ttlMs?: number }): LoadingCache<string, User> {
  const store = new LruCache<string, Entry<User>>({ max })
  return new LoadingCache<string, User>({ load: (key) => ({ id: key.length }), store, ...ttl })
}

/** A loading cache and a bare one that hold the same, and work for each of many keys. */
function pair(entries: number, ttl: { readonly ttlMs?: number }) {
  const bare = new LruCache<string, User>({ max: entries, ...ttl })
  const loading = loadingOf(entries, ttl)
  for (let i = 0; i < entries; i++) {
    bare.set(nameOf(i), { id: i })
    loading.set(nameOf(i), { id: i })
  }
  const stream = new KeyStream(REQUESTS, uniform(entries, seeded(1)))
  const each = (of: (key: string) => number): Timed => {
    let keys: readonly string[] = []
    return {
      before: () => {
        keys = stream.net()
      },
      run: () => sum(keys, of),
    }
  }
  return { bare, loading, each }
}

function isPromise(read: Promise<unknown>): number {
  return read instanceof Promise ? 1 : 0
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}
