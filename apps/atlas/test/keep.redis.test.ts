import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackends } from '../src/cache-backends.ts'
import { keep } from '../src/chapters/keep.ts'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { Closers } from '../src/closers.ts'
import { LiveCaches } from '../src/live-caches.ts'
import { DEFAULT_POLICY } from '../src/racer.ts'
import { newWorld } from '../src/story.ts'
import { Teller } from '../src/teller.ts'
import type { Parts, World } from '../src/world.ts'
import { obliging } from './broken-servers.ts'
import { endAt } from './ended-atlas.ts'
import { shardsOf } from './exhibits.ts'
import { MemoryStage } from './stage.ts'

const PROMISES = 10

let cities: City[]
let server: RedisServer
let client: Redis

beforeAll(async () => {
  cities = (await readCities(() => {})).slice(0, 1_000)
  server = await redisServer()
  client = new Redis(server.url)
  await client.set('mine', '1')
})

afterAll(async () => {
  client?.disconnect()
  await server?.stop()
})

async function tell(redis: readonly string[], parts: Parts = {}): Promise<World> {
  const options = { nodes: 6, virtualNodes: 8, seed: 0, policy: DEFAULT_POLICY }
  const world = newWorld(
    { ...options, engine: 'sqlite', postgres: [], cache: 'redis', redis },
    new Teller(new MemoryStage()),
    { monotonic: () => 0, now: () => 0, parts },
  )
  world.cities = cities
  const shards = await shardsOf(cities)
  world.shards = shards
  try {
    await keep.tell(world)
  } finally {
    await shards.close()
  }
  return world
}

describe('the chapter of the cache servers on Redis', () => {
  test('keeps its promises on servers that it starts and kills', async () => {
    const { promises } = await tell([])
    expect(promises.broken).toEqual([])
    expect(promises.size).toBe(PROMISES)
  })

  test('keeps its promises on a server of the user, and leaves nothing there', async () => {
    const { promises } = await tell([server.url])
    expect(promises.broken).toEqual([])
    expect(promises.size).toBe(PROMISES)
    expect(await client.keys('*')).toEqual(['mine'])
  })

  test('breaks them there with servers that say they were told', async () => {
    const { promises } = await tell([server.url], obliging)
    expect(promises.broken.map(({ name }) => name)).toEqual([
      expect.stringMatching(/comes back as it was: what changed meanwhile is not served$/u),
    ])
    expect(await client.keys('*')).toEqual(['mine'])
  })

  test('says which server does not answer, without its password', async () => {
    const closers = new Closers()
    const redis = [server.url, 'redis://ann:secret@127.0.0.1:1']
    const open = openBackends({ cache: 'redis', redis }, closers)
    await expect(open).rejects.toThrow(/^Redis at 127\.0\.0\.1:1 does not answer: /u)
    await expect(open).rejects.not.toThrow(/secret/u)
    await closers.close()
    expect(await client.keys('*')).toEqual(['mine'])
  })
})

describe('a signal', () => {
  test('stops the servers that were started', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'atlas-ending-'))
    // The servers run as another user.
    chmodSync(folder, 0o755)
    const cacheInRedis = ['--cache', 'redis']
    const ending = await endAt(folder, /all of them stale/u, 'SIGINT', ...cacheInRedis)
    expect(ending).toMatchObject({ code: 130, stderr: 'ended by SIGINT\n' })
    // A folder of each server, and one of the shards.
    expect(ending.made).toHaveLength(5)
    await expect.poll(() => readdirSync(folder)).toEqual([])
    rmSync(folder, { recursive: true })
  })
})

describe('the page', () => {
  test('kills a server and brings it back there, too', async () => {
    const shards = await shardsOf(cities)
    const caches = new LiveCaches(cities, shards, { cache: 'redis', redis: [server.url] })
    try {
      expect(await caches.figures()).toMatchObject({ kind: 'redis' })
      const { crowds } = await caches.goStale()
      expect(crowds[0]).toMatchObject({ waited: 0, wrong: 0, mostAtOnce: 1, naiveLoads: 3_000 })
      expect(crowds[0]!.loads).toBe(crowds[0]!.cities)
      await caches.kill('gneiss')
      expect((await caches.goStale()).crowds[0]).toMatchObject({ waited: 0, lost: 0, wrong: 0 })
      const { servers, crowds: after } = await caches.bringBack('gneiss')
      expect(after[0]!.loads).toBe(servers.find(({ id }) => id === 'gneiss')!.cities)
    } finally {
      await caches.close()
      await shards.close()
    }
    expect(await client.keys('*')).toEqual(['mine'])
  })
})
