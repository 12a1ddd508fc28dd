import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisBus } from '../src/redis/redis-bus.ts'
import { RedisStore } from '../src/redis/redis-store.ts'
import type { Announcement } from '../src/tiered/bus.ts'
import { TieredCache } from '../src/tiered/tiered-cache.ts'
import type { TieredCacheOptions } from '../src/tiered/tiered-options.ts'

let server: RedisServer
let places = 0
const clients: Redis[] = []

beforeAll(async () => {
  server = await redisServer()
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await server.stop()
})

function connect(url = server.url): Redis {
  const client = new Redis(url, { enableAutoPipelining: true, retryStrategy: () => 30 })
  client.on('error', () => {})
  clients.push(client)
  return client
}

/** Two caches with connections of their own before the same place, and an origin. */
async function pair(options: Partial<TieredCacheOptions<string>> = {}, url = server.url) {
  const prefix = `pair ${++places}`
  const origin = new Map<string, string>()
  const state = { loads: 0, gaps: 0 }
  const open = () => {
    const client = connect(url)
    const bus = new RedisBus({ client, prefix })
    bus.subscribe({ onAnnouncement: () => {}, onGap: () => state.gaps++ })
    return new TieredCache<string>({
      near: new Map(),
      store: new RedisStore({ client, prefix }),
      bus,
      load: async (key, { keep }) => {
        state.loads++
        keep({ tags: [`of ${key}`, 'all'] })
        await sleep(5)
        return origin.get(key) as string
      },
      ttlMs: 60_000,
      checkMs: 50,
      coolDownMs: 100,
      ...options,
    })
  }
  const caches = [open(), open()] as const
  await expect.poll(() => state.gaps, { timeout: 20_000 }).toBe(2)
  return { caches, origin, state, prefix }
}

const patience = { timeout: 20_000, interval: 5 }

test('a thousand misses in two processes over Redis make one load', async () => {
  const { caches, origin, state } = await pair()
  origin.set('k', 'v')
  const reads = Array.from({ length: 1000 }, (_, i) => caches[i % 2 === 0 ? 0 : 1].get('k'))
  expect(new Set(await Promise.all(reads))).toEqual(new Set(['v']))
  expect(state.loads).toBe(1)
  for (const cache of caches) await cache.close()
})

test('each sort of change over Redis shows on the other side', async () => {
  const { caches, origin } = await pair({ nearTtlMs: 60_000, checkMs: 60_000, separator: ':' })
  const [a, b] = caches
  const changes: Readonly<Record<string, () => Promise<void>>> = {
    delete: () => a.delete('x:y'),
    deleteMany: () => a.deleteMany(['other', 'x:y']),
    tag: () => a.invalidateTag('of x:y'),
    prefix: () => a.invalidatePrefix('x:'),
    clear: () => a.clear(),
    set: () => a.set('x:y', origin.get('x:y')!),
  }
  for (const [name, change] of Object.entries(changes)) {
    origin.set('x:y', `before ${name}`)
    await a.delete('x:y')
    // What is announced late takes out what is there already.
    const near = async () => {
      await b.get('x:y')
      return b.peek('x:y')
    }
    await expect.poll(near, patience).toBe(`before ${name}`)
    origin.set('x:y', `after ${name}`)
    await change()
    await expect.poll(() => b.get('x:y'), patience).toBe(`after ${name}`)
    expect(await a.get('x:y')).toBe(`after ${name}`)
  }
  for (const cache of caches) await cache.close()
})

test('reads go on without Redis, and a change that it was not told of is made up for', async () => {
  const mortal = await redisServer()
  try {
    const { caches, origin } = await pair({ storeTimeoutMs: 200 }, mortal.url)
    const [a, b] = caches
    origin.set('k', 'old').set('l', 'l')
    expect([await a.get('k'), await b.get('k')]).toEqual(['old', 'old'])
    await mortal.kill()
    expect(await a.get('l')).toBe('l')
    origin.set('k', 'new')
    await expect(a.delete('k')).rejects.toMatchObject({ code: 'ERR_CACHE_CHANGE_PENDING' })
    expect(await a.get('k')).toBe('new')
    await mortal.start()
    await expect.poll(() => b.get('k'), patience).toBe('new')
    await expect
      .poll(
        () =>
          a.delete('k').then(
            () => 'told',
            () => 'down',
          ),
        patience,
      )
      .toBe('told')
    for (const cache of caches) await cache.close()
  } finally {
    await mortal.stop()
  }
})

test('what is no announcement on the channel counts as one that was missed', async () => {
  const client = connect()
  const bus = new RedisBus({ client, prefix: 'noise' })
  const heard: Announcement[] = []
  let gaps = 0
  const listener = { onAnnouncement: (one: Announcement) => heard.push(one), onGap: () => gaps++ }
  const unsubscribe = bus.subscribe(listener)
  await expect.poll(() => gaps, patience).toBe(1)
  for (const noise of ['', 'x', 'e 1 0 {', 'e 1 0 {"keys":1,"tags":[]}', 'e x 0 {}']) {
    await client.publish('noise:bus', noise)
  }
  await client.publish('noise:bus', 'e 2 1 {"keys":["\\ud800"],"tags":["t"]}')
  const told = { epoch: 'e', version: 2, previous: 1, keys: ['\ud800'], tags: ['t'] }
  await expect.poll(() => heard, patience).toEqual([told])
  expect(gaps).toBe(6)
  unsubscribe()
  bus.close()
  bus.close()
})
