// A cache of two tiers: a hit in the near one beside the memory of bentocache and cacheable, a hit
// in the far one beside a bare GET of the same client on the same server, and what a reader waits
// while a stale value is fetched again. Both sides of a far row take turns in the same minute.

import { type Entry, LruCache, TieredCache } from '@ashlar/cache'
import { RedisStore } from '@ashlar/cache/redis'
import { redisServer } from '@ashlar/testkit/redis'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { Cacheable } from 'cacheable'
import { Redis } from 'ioredis'
import { totals } from './breaker-rounds.ts'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/cache-loading'
const BARE = 'bare ioredis GET'
const ENTRIES = 1000
const AT_ONCE = [1, 100]
/** Reads of each before the first counts: until then the engine compiles, and charges for it. */
const WARM_UP = 60_000
const LOAD_MS = 40

interface User {
  readonly id: string
  readonly age: number
}

const load = (id: string): User => ({ id, age: id.length })
const KEYS = Array.from({ length: ENTRIES }, (_, i) => `user:${i}`)

/** Rows of the tiers, for the table of the caches that load. */
export async function measureTiers(bench: Bench): Promise<void> {
  const server = await redisServer()
  const client = new Redis(server.url, { enableAutoPipelining: true })
  try {
    await nearHits(bench, client)
    await farHits(bench, client)
    await staleReads(bench, client)
  } finally {
    client.disconnect()
    await server.stop()
  }
}

async function nearHits(bench: Bench, client: Redis): Promise<void> {
  const near = new LruCache<string, Entry<User>>({ max: 2 * ENTRIES })
  const tiered = new TieredCache({ near, store: storeOf(client, 'near'), load, ttlMs: 3_600_000 })
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ serialize: false })) },
  })
  const cacheable = new Cacheable()
  for (const key of KEYS) {
    await tiered.get(key)
    await bento.set({ key, value: load(key) })
    await cacheable.set(key, load(key))
  }
  const each = (read: (key: string) => Promise<User | undefined>) => ({
    ops: ENTRIES,
    call: async () => {
      let sum = 0
      for (const key of KEYS) sum += (await read(key))?.age ?? Number.NaN
      return sum
    },
  })
  const results = await totals(bench.clock, {
    [OURS]: each((key) => tiered.get(key)),
    bentocache: each((key) => bento.get({ key })),
    cacheable: each((key) => cacheable.get<User>(key)),
  })
  bench.count({
    id: 'tiered-near-hit',
    title: 'a hit in the near tier, beside the memory of the others, 1,000 entries',
    unit: 'ns/op',
    results,
    goal: { against: 'best peer', atLeast: 5 },
  })
  await tiered.close()
  await bento.disconnectAll()
}

async function farHits(bench: Bench, client: Redis): Promise<void> {
  // A near tier that keeps nothing: every read goes to Redis, is checked, parsed and kept in vain.
  const none = { get: () => undefined, set: () => {}, delete: () => {} }
  const store = storeOf(client, 'far')
  const tiered = new TieredCache({ near: none, store, load, ttlMs: 3_600_000 })
  for (const key of KEYS) {
    await tiered.get(key)
    await client.set(`bare:${key}`, JSON.stringify(load(key)))
  }
  const bare = async (key: string) => (await client.get(`bare:${key}`))?.length ?? Number.NaN
  const parsed = async (key: string) => {
    const user: User = JSON.parse((await client.get(`bare:${key}`)) ?? '')
    return user.age
  }
  const readers: Record<string, (key: string) => Promise<number>> = {
    [OURS]: async (key) => (await tiered.get(key)).age,
    'RedisStore alone': async (key) =>
      (await store.get(key, { isTagged: false }))?.text.length ?? Number.NaN,
    [BARE]: bare,
    'bare ioredis GET, parsed': parsed,
  }
  const many = (read: (key: string) => Promise<number>, ops: number) => {
    let i = 0
    return async () => {
      const reads = Array.from({ length: ops }, () => read(KEYS[i++ % ENTRIES]!))
      return (await Promise.all(reads)).reduce((sum, n) => sum + n, 0)
    }
  }
  for (const read of Object.values(readers)) {
    const call = many(read, 100)
    for (let reads = 0; reads < WARM_UP; reads += 100) await call()
  }
  for (const ops of AT_ONCE) {
    const lanes = Object.entries(readers).map(([name, read]) => [
      name,
      { call: many(read, ops), ops },
    ])
    bench.count({
      id: `tiered-far-hit-${ops}`,
      title: `a hit in the far tier, in Redis, ${ops} at a time`,
      unit: 'ns/op',
      results: await totals(bench.clock, Object.fromEntries(lanes)),
      goal: { against: BARE, atLeast: 1 / 1.2 },
    })
  }
  await tiered.close()
}

/** What reads of a stale value take, while what replaces it takes LOAD_MS. */
async function staleReads(bench: Bench, client: Redis): Promise<void> {
  let loads = 0
  const tiered = new TieredCache<User>({
    near: new Map(),
    store: storeOf(client, 'stale'),
    load: async (id) => {
      // The first is not what is measured.
      if (loads++ > 0) await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
      return load(id)
    },
    ttlMs: 60,
    nearTtlMs: 30,
    staleMs: 60_000,
  })
  await tiered.get('user')
  const waits: number[] = []
  for (const endMs = performance.now() + 1000; performance.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    const startMs = performance.now()
    await tiered.get('user')
    waits.push(performance.now() - startMs)
  }
  const slow = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)]!
  bench.count({
    id: 'tiered-stale',
    title: `how long 99 in 100 reads take at most, each new value taking ${LOAD_MS} ms to load`,
    unit: 'ms',
    results: { [OURS]: slow },
    goal: { atMost: LOAD_MS / 4 },
  })
  bench.count({
    id: 'tiered-refreshes',
    title: 'loads in that second of reads',
    unit: 'loads',
    results: { [OURS]: loads },
  })
  await tiered.close()
}

function storeOf(client: Redis, prefix: string): RedisStore {
  return new RedisStore({ client, prefix })
}
