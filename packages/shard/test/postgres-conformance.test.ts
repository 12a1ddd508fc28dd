// The kits of conformance/, against a real server: a database a shard, a schema a map store.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import {
  type EngineUnderTest,
  engineConformance,
  type MapStoreUnderTest,
  mapStoreConformance,
} from '../src/conformance/index.ts'
import { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'

let server: PostgresServer
let admin: pg.Pool
let places = 0

beforeAll(async () => {
  server = await postgresServer({
    settings: { max_prepared_transactions: 20, wal_level: 'logical' },
  })
  admin = new pg.Pool({ connectionString: server.url, max: 4 })
})

afterAll(async () => {
  await admin?.end()
  await server?.stop()
})

async function openShards(shards: readonly string[]): Promise<EngineUnderTest> {
  const urls = new Map(shards.map((shard) => [shard, urlOf(shard)]))
  for (const shard of shards) await emptied(shard)
  const make = () => new PostgresEngine({ shards: Object.fromEntries(urls) })
  let engine = make()
  return {
    engine,
    reopen: async () => {
      await engine.close()
      engine = make()
      return engine
    },
    bypass: async (shard, sql) => (await askAt(shard, sql))[0]!.rows,
    close: () => engine.close(),
    leaks: () => sessionsOf(shards),
  }
}

function urlOf(shard: string): string {
  return server.url.replace(/\/postgres$/, `/${databaseOf(shard)}`)
}

function databaseOf(shard: string): string {
  return `conformance_${shard}`
}

async function askAt(shard: string, ...texts: readonly string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client(urlOf(shard))
  await client.connect()
  try {
    const results: pg.QueryResult[] = []
    for (const text of texts) results.push(await client.query(text))
    return results
  } finally {
    await client.end()
  }
}

/** A database of that shard with nothing in it; making one is slower than emptying one. */
async function emptied(shard: string): Promise<void> {
  const name = databaseOf(shard)
  const known = await admin.query('select from pg_database where datname = $1', [name])
  if (known.rows.length === 0) await admin.query(`create database ${name}`)
  const left = await admin.query('select gid from pg_prepared_xacts where database = $1', [name])
  await askAt(
    shard,
    ...left.rows.map(({ gid }) => `rollback prepared '${gid}'`),
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots
     where database = current_database()`,
    'drop publication if exists ashlar_move',
    'drop schema if exists ashlar cascade; drop schema public cascade; create schema public',
  )
}

/** A server process ends a moment after its connection was closed. */
async function sessionsOf(shards: readonly string[]): Promise<string[]> {
  const text = 'select query from pg_stat_activity where datname = any($1)'
  for (let attempt = 0; ; attempt++) {
    const { rows } = await admin.query(text, [shards.map(databaseOf)])
    if (rows.length === 0 || attempt === 100) return rows.map((row) => String(row.query))
    await admin.query('select pg_sleep(0.02)')
  }
}

describe('the PostgreSQL engine', () => {
  for (const { name, run } of engineConformance({ open: openShards, sql: true, limitMs: 120_000 }))
    test(name, run, 120_000)
})

async function openStore(): Promise<MapStoreUnderTest> {
  const schema = `map_${places++}`
  const opened: PostgresMapStore[] = []
  const connect = async () => {
    const store = new PostgresMapStore(server.url, { schema })
    opened.push(store)
    return store
  }
  return {
    store: await connect(),
    connect,
    close: async () => {
      await Promise.all(opened.map((store) => store.close()))
      await admin.query(`drop schema if exists ${schema} cascade`)
    },
  }
}

describe('the PostgreSQL map store', () => {
  for (const { name, run } of mapStoreConformance({ open: openStore })) test(name, run)
})
