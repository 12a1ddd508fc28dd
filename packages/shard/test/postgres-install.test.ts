import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TableSpec } from '../src/engine.ts'
import { PostgresEngine } from '../src/postgres/index.ts'
import { ask, codeOf, database, engineOn, owned, rejectionOf, TABLES } from './postgres-fleet.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 5 } })
})

afterAll(async () => {
  await server?.stop()
})

describe('install', () => {
  test('may be run by several processes at once, and again while tables are in use', async () => {
    const url = await database(server)
    const engines = [engineOn(url), engineOn(url), engineOn(url)]
    await Promise.all(engines.map((engine) => engine.install('s1', TABLES)))
    const [engine] = engines as [PostgresEngine]
    await engine.setFences('s1', owned([1]))
    const open = await engine.open('s1', { slots: [1], epoch: 1 })
    await open.tx(1).put('users', { id: 'a' })
    // It would hang here if it locked a table that a transaction has written to.
    await engines[1]!.install('s1', TABLES)
    await open.commit()
    const triggers = await ask(
      url,
      "select tgname from pg_trigger where tgrelid = 'users'::regclass order by tgname",
    )
    expect(triggers).toEqual(
      ['capture', 'delete', 'insert', 'truncate', 'update'].map((name) => ({
        tgname: `ashlar_${name}`,
      })),
    )
    await Promise.all(engines.map((one) => one.close()))
  })

  test('takes quoted names, names with a schema, and partitioned tables', async () => {
    const url = await database(server)
    const engine = engineOn(url)
    const names = ['app.users', 'Odd Name', '"dotted.name"', 'app."The ""Parts"""']
    const ddl = [
      `create schema app;
       create table app.users ("Id" text primary key, "select" text);
       create table "Odd Name" ("Id" text primary key, "select" text);
       create table "dotted.name" ("Id" text primary key, "select" text);
       create table app."The ""Parts""" ("Id" text, "select" text, primary key ("Id"))
         partition by hash ("Id");
       create table app.part_0 partition of app."The ""Parts"""
         for values with (modulus 2, remainder 0);
       create table app.part_1 partition of app."The ""Parts"""
         for values with (modulus 2, remainder 1)`,
    ]
    const tables = names.map((name): TableSpec => ({ name, kind: 'sharded', key: ['Id'] }))
    await engine.install('s1', { ddl, tables })
    await engine.install('s1', { ddl, tables })
    await engine.setFences('s1', owned([1]))
    for (const table of tables) {
      const rows = ['__proto__', 'b', 'c', 'd'].map((Id) => ({ Id, select: 'x' }))
      const open = await engine.open('s1', { slots: [1], epoch: 1 })
      for (const row of rows) open.tx(1).put(table.name, row)
      await open.commit()
      const scan = await engine.scan('s1', { table: table.name, orderBy: [{ column: 'Id' }] })
      for await (const batch of scan.rows()) expect(batch).toEqual(rows)
      await scan.close()
      for await (const batch of engine.placements('s1', table)) {
        expect(
          batch.map(({ slot, key, primaryKey }) => [slot, key, primaryKey]).toSorted(),
        ).toEqual(rows.map(({ Id }) => [1, [Id], { Id }]))
      }
    }
    expect(
      (await engine.measure('s1')).map(({ table, rows, bytes }) => [table, rows, bytes > 0]),
    ).toEqual(names.toSorted().map((name) => [name, 4, true]))
    const open = await engine.open('s1', { slots: [1], epoch: 1 })
    expect(await codeOf(open.tx(1).query('truncate app.part_0'))).toBe('UNSUPPORTED')
    await open.rollback()
    await engine.close()
  })

  test('refuses what cannot be sharded, and has changed no table then', async () => {
    const url = await database(server)
    const engine = engineOn(url)
    const ddl = [
      `create table fine (id text primary key);
       create table full_of_rows (id text primary key);
       insert into full_of_rows values ('a');
       create view viewed as select * from fine;
       create table slotted (id text primary key, ashlar_slot text)`,
    ]
    const refused: [Partial<TableSpec> & { name: string }, RegExp][] = [
      [{ name: 'absent' }, /is not there/],
      [{ name: 'viewed' }, /is no table/],
      [{ name: 'full_of_rows' }, /holds rows/],
      [{ name: 'slotted' }, /ashlar_slot that is text/],
      [{ name: 'fine', key: ['owner'] }, /has no column owner/],
      [{ name: 'fine', primaryKey: ['owner'] }, /primary key \(id\), not \(owner\)/],
      [{ name: 'fine', kind: 'reference', key: ['x'] }, /no column x/],
      [{ name: 'a.b.c' }, /no name of a table/],
      [{ name: '' }, /no name of a table/],
      [{ name: 'x'.repeat(64) }, /63 bytes/],
    ]
    for (const [spec, message] of refused) {
      const tables = [{ kind: 'sharded', key: ['id'], ...spec } as const]
      const others: TableSpec[] = [{ name: 'fine', kind: 'sharded', key: ['id'] }]
      const error = await rejectionOf(engine.install('s1', { ddl, tables: [...others, ...tables] }))
      expect(error).toMatchObject({
        code: 'INVALID_TABLE',
        message: expect.stringMatching(message),
      })
    }
    const columns = "select from information_schema.columns where table_name = 'fine'"
    expect(await ask(url, columns)).toHaveLength(1)
    await engine.close()
  })

  test('refuses writes to a reference table but under its slot', async () => {
    const url = await database(server)
    const engine = engineOn(url)
    await engine.install('s1', TABLES)
    await engine.setFences('s1', owned([-1, 1]))
    const insert = "insert into countries values ('fr', 'France')"
    const open = await engine.open('s1', { slots: [1], epoch: 1 })
    expect(await codeOf(open.tx(1).query(insert))).toBe('NO_SLOT')
    await open.rollback()
    const copies = await engine.open('s1', { slots: [-1], epoch: 1 })
    await copies.tx(-1).query(insert)
    await copies.commit()
    expect(await codeOf(ask(url, 'delete from countries'))).toBe('AS004')
    await engine.close()
  })
})

describe('a shard', () => {
  test('is refused where a setting forbids it, saying which', async () => {
    const url = await database(server)
    const engine = engineOn(url)
    await engine.check('s1')
    await engine.install('s1', TABLES)
    await engine.check('s1')
    const swapped = new PostgresEngine({ shards: { s2: url } })
    expect(await rejectionOf(swapped.check('s2'))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('is shard s1'),
    })
    await Promise.all([engine.close(), swapped.close()])
    await using usual = await postgresServer()
    const plain = engineOn(usual.url)
    expect(await rejectionOf(plain.check('s1'))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('max_prepared_transactions = 100'),
    })
    await plain.close()
  })

  test('has no slot before anything was installed', async () => {
    const engine = engineOn(await database(server))
    expect(await engine.fences('s1')).toEqual([])
    for (const readOnly of [false, true]) {
      const open = await engine.open('s1', { slots: [7], epoch: 1 }, { readOnly })
      expect(await rejectionOf(open.tx(7).query('select 1'))).toMatchObject({
        code: 'SHARD_MOVED',
        slot: 7,
      })
      await open.rollback()
    }
    expect(await codeOf(engine.scan('s1', { table: 'users' }))).toBe('UNKNOWN_TABLE')
    await engine.close()
  })

  test('that does not answer is reported with the reason, and waits can be given up', async () => {
    const nowhere = engineOn('postgres://127.0.0.1:1/x')
    const error = await rejectionOf(nowhere.check('s1'))
    expect(error).toMatchObject({ code: 'UNREACHABLE', shard: 's1' })
    expect(String(error)).toContain('ECONNREFUSED')
    await nowhere.close()
    await nowhere.close()
    expect(await codeOf(nowhere.open('s1', { slots: [1], epoch: 1 }))).toBe('CLOSED')
    const single = engineOn(server.url, { poolSize: 1 })
    expect(await codeOf(single.check('s9'))).toBe('UNKNOWN_SHARD')
    const holder = await single.open('s1', { slots: [1], epoch: 1 })
    const waiting = single.open('s1', { slots: [1], epoch: 1 }, { signal: AbortSignal.abort('no') })
    expect(await rejectionOf(waiting)).toBe('no')
    const ending = new AbortController()
    const later = single.open('s1', { slots: [1], epoch: 1 }, { signal: ending.signal })
    ending.abort('enough')
    expect(await rejectionOf(later)).toBe('enough')
    await holder.rollback()
    await single.check('s1')
    await single.close()
  })

  test('can be a pool of the caller’s, which stays open, unless it pipelines', async () => {
    const pool = new pg.Pool({ connectionString: server.url })
    const engine = engineOn(pool)
    await engine.check('s1')
    await engine.close()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.end()
    const pipelined = new pg.Pool({ connectionString: server.url, pipeline: true })
    expect(await codeOf(engineOn(pipelined).check('s1'))).toBe('INVALID_OPTION')
    await pipelined.end()
  })
})
