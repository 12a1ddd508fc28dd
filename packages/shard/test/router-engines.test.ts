// The router on real databases: SQLite files and PostgreSQL servers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { fc } from '@fast-check/vitest'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, Row, SqlTx } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'
import type { OrderTerm } from '../src/scan-request.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'
import { by, reference } from '../src/table-rule.ts'
import { groupsOfOne, sortedByOracle } from './scatter-oracle.ts'

const SHARDS = ['s1', 's2', 's3']
const USERS = { table: 'users' }
const DDL = [
  `create table if not exists users (
     id integer primary key, name text, age integer, score double precision, big bigint)`,
  'create table if not exists countries (code text primary key, name text)',
]
const MAP = ShardMap.create({
  slots: 32,
  shards: SHARDS,
  tables: { users: by('id'), countries: reference() },
})

interface Databases {
  engine(): Engine<SqlTx>
  store(): MapStore
}

const folder = mkdtempSync(join(tmpdir(), 'ashlar-router-'))
let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 20 } })
  const client = new pg.Client(server.url)
  await client.connect()
  for (const shard of [...SHARDS, 'store']) await client.query(`create database router_${shard}`)
  await client.end()
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true })
})

const places: readonly (readonly [string, () => Databases])[] = [
  [
    'SQLite',
    () => ({
      engine: () => sharedSqlite(),
      store: () => new SqliteMapStore(join(folder, 'map.db')),
    }),
  ],
  [
    'PostgreSQL',
    () => ({
      engine: () => new PostgresEngine({ shards: urlsOf(SHARDS) }),
      store: () => new PostgresMapStore(urlsOf(['store']).store!),
    }),
  ],
]

function urlsOf(names: readonly string[]): Record<string, string> {
  const url = (name: string) => server.url.replace(/\/postgres$/u, `/router_${name}`)
  return Object.fromEntries(names.map((name) => [name, url(name)]))
}

/** One process owns the files, so its routers share one engine. */
let sqlite: SqliteEngine | undefined
function sharedSqlite(): SqliteEngine {
  sqlite ??= new SqliteEngine({
    shards: Object.fromEntries(SHARDS.map((shard) => [shard, join(folder, `${shard}.db`)])),
  })
  return sqlite
}

/** A store that shows for ever the map that it held first. */
async function frozen(store: MapStore): Promise<MapStore> {
  const first = await store.load()
  const { decisions, sagas, jobs } = store
  const load = async () => first
  return { ...neverChanging, load, epoch: async () => first?.epoch, decisions, sagas, jobs }
}

const neverChanging = {
  compareAndSet: async () => false,
  watch: () => () => {},
  close: async () => {},
}

const row = fc.record({
  name: fc.option(fc.constantFrom('a', 'B', 'é', '\uffff', '\u{1f600}', '', "o'", '10', '9')),
  age: fc.option(fc.nat(3)),
  score: fc.option(fc.integer({ min: -9, max: 9 }).map((quarters) => quarters / 4)),
  big: fc.option(fc.constantFrom(1, -5, Number.MAX_SAFE_INTEGER, 2n ** 62n, -(2n ** 62n))),
})
const order = fc.array(
  fc.record({
    column: fc.constantFrom('name', 'age', 'score', 'big'),
    direction: fc.constantFrom('asc' as const, 'desc' as const),
    nulls: fc.constantFrom('first' as const, 'last' as const, undefined),
  }),
  { maxLength: 2 },
)

describe.each(places)('on %s', (_, databasesOf) => {
  let engine: Engine<SqlTx>
  let store: MapStore
  let router: ShardRouter<SqlTx>

  beforeAll(async () => {
    const databases = databasesOf()
    engine = databases.engine()
    store = databases.store()
    const options = { store, map: MAP, ddl: DDL, sweepMs: 0, frozenWaitMs: 100 }
    // Two at once, as when a fleet of processes starts for the first time.
    const [first, second] = await Promise.all([
      ShardRouter.open({ ...options, engine }),
      ShardRouter.open({ ...options, engine }),
    ])
    router = first
    expect(second.map.toJSON()).toEqual(first.map.toJSON())
    await second.close()
  })

  afterAll(async () => {
    await router?.close()
    await engine?.close()
    await store?.close()
  })

  test('a scatter equals the same query on one merged table', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 15 }), order, fc.nat(9), fc.nat(4), scatterLaw),
      { numRuns: 25 },
    )
  })

  async function scatterLaw(
    rows: readonly Row[],
    orderBy: readonly OrderTerm[],
    limit: number,
    offset: number,
  ): Promise<void> {
    const users = rows.map((one, id) => ({ id, ...one }))
    for (const shard of SHARDS) await emptied(shard)
    await Promise.all(
      users.map((user) => router.withShard(user.id, (tx) => tx.put('users', user), USERS)),
    )
    const total = [...orderBy, { column: 'id' }]
    const options = { orderBy: total, limit, offset, batchRows: 2 }
    const found = await router.scatter(USERS, options)
    expect(found.rows).toEqual(sortedByOracle(users, total).slice(offset, offset + limit))
    const aggregates = {
      rows: { op: 'count' },
      sum: { op: 'sum', column: 'big' },
      mean: { op: 'avg', column: 'score' },
      low: { op: 'min', column: 'name' },
      high: { op: 'max', column: 'big' },
    } as const
    for (const groupBy of [[], ['age'], ['name', 'age']]) {
      const byGroup = groupBy.map((column) => ({ column }))
      const groups = await router.scatter({ ...USERS, aggregates, groupBy }, { orderBy: byGroup })
      expect(groups.rows).toEqual(sortedByOracle(groupsOfOne(users, groupBy, aggregates), byGroup))
    }
  }

  async function emptied(shard: string): Promise<void> {
    const slots = router.map.slotsOf(shard)
    const open = await engine.open(shard, { slots, epoch: router.map.epoch })
    for (const slot of slots) await open.tx(slot).query('delete from users')
    await open.commit()
  }

  test('statements that touch no row are refused where the slot has gone', async () => {
    const stale = await ShardRouter.open({ engine, store: await frozen(store), sweepMs: 0 })
    const { shard, slot, epoch } = stale.route(5, 'users')
    await engine.setFences(shard, [{ slot, state: 'moved', epoch }])
    try {
      for (const statement of [
        'update users set age = 1 where id = $1',
        'delete from users where id = $1',
        'select * from users where id = $1',
      ]) {
        for (const readOnly of statement.startsWith('select') ? [true, false] : [false]) {
          const asked = stale.query(5, statement, [5], { ...USERS, readOnly })
          await expect(asked).rejects.toMatchObject({ code: 'SHARD_MOVED', shard, slot })
        }
        const run = (tx: SqlTx) => tx.query(statement, [5])
        const within = stale.withShard(5, run, USERS)
        await expect(within).rejects.toMatchObject({ code: 'SHARD_MOVED', shard, slot })
      }
      await expect(router.scatter(USERS)).rejects.toMatchObject({ code: 'SHARD_MOVED', slot })
    } finally {
      await engine.setFences(shard, [{ slot, state: 'owned', epoch }])
      await stale.close()
    }
    const { rows } = await router.query(5, 'select * from users where id = $1', [5], USERS)
    expect(rows.length).toBeLessThanOrEqual(1)
  })

  test('transactions, copies, pins and gather work, and verify finds all in place', async () => {
    const write = (id: number) => (tx: SqlTx) => tx.put('users', { id, name: `user ${id}` })
    const keys = [1, 2, 3, 4].map((key) => ({ key, ...USERS }))
    await router.transaction(keys, async (t) => {
      for (const { key } of keys) await write(key)(t.on(key, 'users'))
    })
    await router.replicate((tx) => tx.query("insert into countries values ('ua', 'Ukraine')"))
    expect((await router.scatter({ table: 'countries' })).rows).toHaveLength(1)
    const shard = router.route(3, 'users').shard === 's1' ? 's2' : 's1'
    await router.pin(3, shard, USERS)
    const where = { sql: 'name <> $1', params: ['nobody'] }
    const { rows } = await router.gather(3, { ...USERS, where, columns: ['id', 'name'] })
    expect(rows).toEqual([{ id: 3, name: 'user 3' }])
    const report = await router.verify()
    expect(report).toMatchObject({ ok: true, misplaced: [], leftovers: [], fences: [] })
    const { shards, missing } = await router.capacity()
    expect(missing).toEqual([])
    expect(shards.every(({ bytes }) => bytes > 0)).toBe(true)
    expect((await router.status()).shards.every(({ problem }) => problem === undefined)).toBe(true)
  })
})
