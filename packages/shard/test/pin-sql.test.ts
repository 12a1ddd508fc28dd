import { join } from 'node:path'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Engine, SqlTx } from '../src/engine.ts'
import { MemoryMapStore } from '../src/memory/index.ts'
import { PostgresEngine } from '../src/postgres/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { SqliteEngine } from '../src/sqlite/index.ts'
import { by, colocated } from '../src/table-rule.ts'
import { database } from './postgres-fleet.ts'
import { folderFor } from './sqlite-fixture.ts'

/** Keys are numbers in two tables and text in the third, one family; no primary keys are named. */
const DDL = [
  'create table users (id bigint primary key, name text)',
  'create table orders (id text primary key, user_id bigint not null references users (id))',
  'create table notes (id text primary key, topic text not null)',
]
const map = ShardMap.create({
  slots: 4,
  shards: ['a', 'b'],
  tables: { users: by('id'), orders: colocated('users', 'user_id'), notes: by('topic') },
})
const KEY = Array.from({ length: 99 }, (_, i) => i).find((id) => map.route(id).shard === 'a')!

let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 20 } })
})

afterAll(() => server?.stop())

const engines: readonly [string, () => Promise<Engine<SqlTx>>][] = [
  [
    'SQLite',
    async () => {
      const folder = folderFor(onTestFinished)
      return new SqliteEngine({ shards: { a: join(folder, 'a'), b: join(folder, 'b') } })
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const [a, b] = [await database(server), await database(server)]
      return new PostgresEngine({ shards: { a, b } })
    },
  ],
]

test.each(engines)(
  'a key moves on %s with its family, keys of any type, and back',
  async (_, on) => {
    const engine = await on()
    const store = new MemoryMapStore()
    const router = await ShardRouter.open({ engine, store, map, ddl: DDL, sweepMs: 0 })
    onTestFinished(() => router.close())
    await router.transaction([KEY, 'n/a'], async (t) => {
      await t.on(KEY).put('users', { id: KEY, name: 'ada' })
      await t.on(KEY).put('orders', { id: 'o1', user_id: KEY })
      await t.on('n/a').put('notes', { id: 'n1', topic: 'n/a' })
      await t.on(KEY).put('notes', { id: 'n2', topic: String(KEY) })
    })
    const counts = () =>
      Promise.all(
        [KEY, 'n/a'].map(async (key) => {
          const tables = ['users', 'orders', 'notes']
          const read = (tx: SqlTx) => Promise.all(tables.map((table) => tx.select({ table })))
          return (await router.withShard(key, read, { readOnly: true })).map((rows) => rows.length)
        }),
      )
    for (const shard of ['b', 'a']) {
      await router.pin(KEY, shard)
      await router.pin('n/a', shard)
      expect(router.route(KEY).shard).toBe(shard)
      expect(await counts()).toEqual([
        [1, 1, 1],
        [0, 0, 1],
      ])
    }
    await router.unpin(KEY)
    await router.unpin('n/a')
    expect(router.map.toJSON().pins).toEqual([])
    const all = await router.scatter(
      { table: 'notes', columns: ['id'] },
      { orderBy: [{ column: 'id' }] },
    )
    expect(all.rows).toEqual([{ id: 'n1' }, { id: 'n2' }])
  },
)
