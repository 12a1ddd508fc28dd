import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisStore } from '../src/redis/redis-store.ts'
import { granted, type StorePlace, storeLaws } from './tiered-store-laws.ts'

const FILL = { ttlMs: 30_000, tags: [] }
let server: RedisServer
let clients: readonly [Redis, Redis]
let places = 0

function connect(url: string): Redis {
  const client = new Redis(url, { enableAutoPipelining: true, retryStrategy: () => 30 })
  client.on('error', () => {})
  return client
}

beforeAll(async () => {
  server = await redisServer()
  clients = [connect(server.url), connect(server.url)]
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await server.stop()
})

function place(): StorePlace {
  const prefix = `laws ${++places}`
  let opened = 0
  return {
    open: () => new RedisStore({ client: clients[opened++ % 2]!, prefix }),
    evict: async (choice) => {
      const names = (await clients[0].keys(`${prefix}:*`)).sort()
      if (names.length > 0) await clients[0].del(names[choice % names.length]!)
    },
    wait: async (ms) => void (await sleep(ms)),
  }
}

storeLaws('RedisStore', place, 40)

describe('RedisStore', () => {
  test('says so if a key holds something else, and replaces it', async () => {
    const prefix = `garbage ${++places}`
    const store = new RedisStore({ client: clients[0], prefix })
    const garbage = { code: 'ERR_CACHE_GARBAGE' }
    await clients[0].rpush(`${prefix}:v:k:list`, 'x')
    await expect(store.get('list', { isTagged: false })).rejects.toMatchObject(garbage)
    for (const text of ['', '{"a":1}', '1 ', '1 x', '1 a 2 3 -', '1 a 2 x -\n']) {
      await clients[0].set(`${prefix}:v:k:text`, text)
      await expect(store.get('text', { isTagged: false })).rejects.toMatchObject(garbage)
    }
    for (const key of ['list', 'text']) {
      const reply = await store.lease(key, { mode: 'write', leaseMs: 1_000 })
      if (reply.kind === 'granted') expect(await store.fill(reply.lease, 'ok', FILL)).toBe(true)
      expect(await store.get(key, { isTagged: false })).toMatchObject({ text: 'ok' })
    }
  })

  test('answers each of many reads at once for itself, whatever the others hold', async () => {
    const prefix = `many ${++places}`
    const store = new RedisStore({ client: clients[0], prefix })
    for (const key of ['a', 'b']) await store.fill(await granted(store, key), key, FILL)
    const tagged = { ...FILL, tags: ['t'] }
    await store.fill(await granted(store, 'tagged'), 'tagged', tagged)
    await clients[0].rpush(`${prefix}:v:k:list`, 'x')
    await clients[0].set(`${prefix}:v:k:text`, 'x')
    const read = async (key: string) => {
      try {
        return (await store.get(key, { isTagged: false }))?.text
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const keys = ['a', 'list', 'text', 'none', 'tagged', 'b', 'a']
    const garbage = 'ERR_CACHE_GARBAGE'
    const found = ['a', undefined, garbage, undefined, 'tagged', 'b', 'a']
    expect(await Promise.all(keys.map(read))).toEqual(found)
    await store.change({ keys: ['a'], tags: ['t'] })
    const left = [undefined, undefined, garbage, undefined, undefined, 'b', undefined]
    expect(await Promise.all(keys.map(read))).toEqual(left)
  })

  test('leaves nothing behind that does not end by itself but its clock', async () => {
    const prefix = `tidy ${++places}`
    const store = new RedisStore({ client: clients[0], prefix })
    await store.fill(await granted(store, 'a'), 'A', { ttlMs: 5_000, tags: ['t', 'u'] })
    await granted(store, 'b')
    await store.change({ keys: ['c'], tags: ['u'] })
    const names = await clients[0].keys(`${prefix}:*`)
    const lasting = []
    for (const name of names) if ((await clients[0].pttl(name)) < 0) lasting.push(name)
    expect(lasting).toEqual([`${prefix}:clock`])
    expect(names.sort()).toEqual(
      ['clock', 'l:k:b', 't:t', 'v:k:a'].map((name) => `${prefix}:${name}`).sort(),
    )
  })

  test('knows its scripts again after they were flushed', async () => {
    const store = new RedisStore({ client: clients[0], prefix: `flush ${++places}` })
    await store.change({ keys: ['k'], tags: [] })
    await clients[0].script('FLUSH')
    expect(await store.fill(await granted(store, 'k'), 'K', FILL)).toBe(true)
  })

  test('refuses a client that is none', () => {
    const isRefused = expect.objectContaining({ code: 'ERR_CACHE_OPTION' })
    const options = { client: {} } as ConstructorParameters<typeof RedisStore>[0]
    expect(() => new RedisStore(options)).toThrow(isRefused)
  })
})

describe('a Redis that restarts', () => {
  const down = { code: 'ERR_CACHE_STORE_DOWN' }

  /** Saves a value and a lease, deletes both, and kills the server, which comes back with them. */
  async function comeBack(isDurable: boolean) {
    const mortal = await redisServer({ persistence: 'snapshot' })
    const client = connect(mortal.url)
    try {
      const store = new RedisStore({ client, prefix: 'p', isDurable })
      await store.fill(await granted(store, 'deleted'), 'old', FILL)
      await store.fill(await granted(store, 'kept'), 'kept', FILL)
      const lease = await granted(store, 'late')
      await client.save()
      await store.change({ keys: ['deleted', 'late'], tags: [] })
      await mortal.kill()
      await expect.poll(() => client.status).not.toBe('ready')
      await expect(store.get('kept', { isTagged: false })).rejects.toMatchObject(down)
      await mortal.start()
      await expect.poll(() => client.status, { timeout: 20_000 }).toBe('ready')
      const isFilled = await store.fill(lease, 'old', FILL)
      const read = async (key: string) => (await store.get(key, { isTagged: false }))?.text
      return { isFilled, deleted: await read('deleted'), kept: await read('kept') }
    } finally {
      client.disconnect()
      await mortal.stop()
    }
  }

  test('from a past in which there was what has been deleted brings nothing back', async () => {
    expect(await comeBack(false)).toEqual({ isFilled: false, deleted: undefined, kept: undefined })
  })

  test('does so if it is trusted although it forgets: the promise is the caller’s', async () => {
    expect(await comeBack(true)).toEqual({ isFilled: true, deleted: 'old', kept: 'kept' })
  })
})
