import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grow } from '../src/chapters/grow.ts'
import { store } from '../src/chapters/store.ts'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { CityShards } from '../src/city-shards.ts'
import { DEFAULT_POLICY } from '../src/racer.ts'
import { newWorld } from '../src/story.ts'
import { Teller } from '../src/teller.ts'
import type { Chapter, Parts, World } from '../src/world.ts'
import { sleepy } from './broken-shards.ts'
import { MemoryStage } from './stage.ts'

const signal = new AbortController().signal

let cities: City[]
let server: PostgresServer

beforeAll(async () => {
  cities = (await readCities(() => {})).slice(0, 1_000)
  server = await postgresServer({ settings: { max_prepared_transactions: 16 } })
})

afterAll(() => server?.stop())

async function tell(
  postgres: readonly string[],
  parts: Parts = {},
  chapters: readonly Chapter[] = [store],
): Promise<World> {
  const caches = { cache: 'memory', redis: [] } as const
  const options = { nodes: 6, virtualNodes: 8, seed: 0, policy: DEFAULT_POLICY, ...caches }
  const world = newWorld(
    { ...options, engine: 'postgres', postgres },
    new Teller(new MemoryStage()),
    { monotonic: () => 0, now: () => 0, parts },
  )
  world.cities = cities
  try {
    for (const chapter of chapters) await chapter.tell(world)
  } finally {
    await world.shards?.close()
  }
  return world
}

/** The databases and prepared transactions that a server has besides its own. */
async function leftOn({ url }: PostgresServer): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query(
    `select datname as name from pg_database where datname like 'ashlar%'
      union all select gid from pg_prepared_xacts`,
  )
  await client.end()
  return rows
}

describe('the chapter of the shards on PostgreSQL', () => {
  test('keeps its promises on servers that it starts', async () => {
    const { promises } = await tell([])
    expect(promises.broken).toEqual([])
    expect(promises.size).toBe(11)
  })

  test('keeps its promises on a server of the user, and leaves nothing there', async () => {
    const { promises } = await tell([server.url])
    expect(promises.broken).toEqual([])
    expect(await leftOn(server)).toEqual([])
  })

  test('leaves nothing there either where a transaction was left open', async () => {
    const { promises } = await tell([server.url], sleepy)
    expect(promises.broken.map(({ name }) => name)).toContain(
      'a move is whole or not at all, also when its coordinator dies in the middle',
    )
    expect(await leftOn(server)).toEqual([])
  })

  test('grows by a fifth shard on a server of the user, and leaves nothing there', async () => {
    const { promises } = await tell([server.url], {}, [store, grow])
    expect(promises.broken).toEqual([])
    expect(promises.size).toBe(17)
    expect(await leftOn(server)).toEqual([])
  })

  test('says which server does not answer, without its password', async () => {
    const url = 'postgres://ann:secret@127.0.0.1:1/app'
    const open = CityShards.open(cities, {
      engine: 'postgres',
      postgres: [server.url, url],
      signal,
    })
    await expect(open).rejects.toThrow(/^PostgreSQL at 127\.0\.0\.1:1 does not let the atlas make/u)
    await expect(open).rejects.not.toThrow(/secret/u)
    expect(await leftOn(server)).toEqual([])
  })

  test('says what to change on a server that cannot prepare transactions', async () => {
    const other = await postgresServer()
    try {
      const postgres = [other.url]
      const open = CityShards.open(cities, { engine: 'postgres', postgres, signal })
      await expect(open).rejects.toThrow(/max_prepared_transactions/u)
      expect(await leftOn(other)).toEqual([])
    } finally {
      await other.stop()
    }
  })
})
