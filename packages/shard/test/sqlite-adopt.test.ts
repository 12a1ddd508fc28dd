// A live file that was never sharded becomes a shard: all or nothing, the application going on
// meanwhile, and nothing of its tables is another afterwards but for the slots.

import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { InstallSpec, Row } from '../src/index.ts'
import { ShardError } from '../src/index.ts'
import type { AdoptOptions } from '../src/reshard/adopting-engine.ts'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

const DDL = `
create table user (id integer primary key autoincrement, name text unique,
  changes integer default 0, shout text generated always as (upper(name)) virtual,
  check (length(name) > 0));
create table note (id text primary key collate nocase, user integer not null references user (id)
  on delete cascade, body text default ('empty ' || 1)) without rowid;
create table strict_one (a integer, b any, primary key (a, b)) strict;
create table country (code text primary key);
create index note_by_user on note (user, body desc) where body is not null;
create unique index note_body on note (lower(body));
create view loud as select shout from user;
create trigger counts after update on user begin
  update user set changes = changes + 1 where id = new.id; end;
insert into user (name) values ('ada'), ('ken'), ('gone');
delete from user where name = 'gone';
insert into note (id, user, body) values ('a', 1, 'x'), ('b', 2, null), ('c', 2, 'z');
insert into strict_one values (1, 'one'), (1, x'00'), (2, 3.5);
insert into country values ('fr');`

const SPEC: InstallSpec = {
  ddl: [],
  tables: [
    { name: 'user', kind: 'sharded', key: ['id'] },
    { name: 'note', kind: 'sharded', key: ['user'] },
    { name: 'strict_one', kind: 'sharded', key: ['a'] },
    { name: 'country', kind: 'reference', key: [] },
  ],
}

/** By the parity of the key. */
const slotOf: AdoptOptions['slotOf'] = (_, [key]) => Number(key) % 2

const OPTIONS: AdoptOptions = { slotOf, batchRows: 2, maxFreezeMs: 5000 }

interface Live {
  readonly shard: OneShard
  /** The application's own connection. */
  readonly app: DatabaseSync
  all(sql: string): Row[]
}

function live(ddl: string = DDL): Live {
  const shard = new OneShard(folderFor(onTestFinished), { busyTimeoutMs: 200 })
  const app = new DatabaseSync(shard.path)
  onTestFinished(async () => {
    app.close()
    await shard.engine.close()
  })
  app.exec(`pragma journal_mode = wal; ${ddl}`)
  return {
    shard,
    app,
    all: (sql) =>
      app
        .prepare(sql)
        .all()
        .map((row) => ({ ...row })),
  }
}

const schemaOf = ({ all }: Live): Row[] =>
  all("select type, name, sql from sqlite_schema where name not like '%ashlar%' order by name")

describe('adopt', () => {
  test('gives every row its slot and leaves all else as it was', async () => {
    const one = live()
    const [schema, users] = [schemaOf(one), one.all('select * from user')]
    const said: string[] = []
    const onProgress: AdoptOptions['onProgress'] = ({ table, rows, total }) =>
      void said.push(`${table} ${rows}/${total}`)
    for (let i = 0; i < 2; i++) await one.shard.engine.adopt('s', SPEC, { ...OPTIONS, onProgress })
    expect(said).toEqual(expect.arrayContaining(['note 2/3', 'note 3/3', 'strict_one 3/3']))
    const objects = (rows: Row[]) => rows.filter(({ type }) => type !== 'table')
    expect(objects(schemaOf(one))).toEqual(objects(schema))
    expect(one.all('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(one.all('pragma foreign_key_check')).toEqual([])
    // No trigger of the user's has counted the filling in.
    const withoutSlots = one.all('select * from user').map(({ ashlar_slot: _, ...row }) => row)
    expect(withoutSlots).toEqual(users)
    expect(one.all('select id, ashlar_slot as slot from user order by id')).toEqual([
      { id: 1, slot: 1 },
      { id: 2, slot: 0 },
    ])
    expect(one.all('select distinct ashlar_slot as slot from strict_one order by 1')).toEqual([
      { slot: 0 },
      { slot: 1 },
    ])
  })

  test('makes a shard that works: routed writes pass, others are refused', async () => {
    const one = live()
    await one.shard.engine.adopt('s', SPEC, OPTIONS)
    const fences = [-1, 0, 1].map((slot) => ({ slot, state: 'owned' as const, epoch: 1 }))
    await one.shard.engine.setFences('s', fences)
    expect(() => one.app.exec("insert into user (name) values ('x')")).toThrow(/ashlar_/u)
    expect(() => one.app.exec('delete from country')).toThrow(/ashlar_/u)
    const [added] = await one.shard.query(1, "INSERT INTO user (name) VALUES ('eve') RETURNING id")
    // What AUTOINCREMENT had given to the row that is gone is not given again.
    expect(added).toEqual({ id: 4 })
    expect((await refusal(one.shard.query(1, 'DELETE FROM user WHERE id = 2'))).code).toBe(
      'CROSS_SHARD',
    )
    await one.shard.query(0, 'DELETE FROM user WHERE id = 2')
    expect(await one.shard.scan({ table: 'note', columns: ['id'] })).toEqual([{ id: 'a' }])
    expect(one.all('select changes from user where id = 1')).toEqual([{ changes: 0 }])
    await one.shard.query(1, "UPDATE user SET name = 'Ada' WHERE id = 1")
    expect(one.all('select changes from user where id = 1')).toEqual([{ changes: 1 }])
  })

  test('fills in what the application inserts and changes meanwhile', async () => {
    const one = live()
    let written = 0
    const onProgress = () => {
      written += 1
      one.app.exec(`insert into user (name) values ('new ${written}')`)
      one.app.exec('update note set user = 3 - user')
    }
    await one.shard.engine.adopt('s', SPEC, { ...OPTIONS, onProgress })
    expect(written).toBeGreaterThan(3)
    expect(one.all('select * from user where ashlar_slot is not id % 2')).toEqual([])
    expect(one.all('select * from note where ashlar_slot is not user % 2')).toEqual([])
  })

  test('goes on where a crash or an abort had stopped it', async () => {
    for (let stopAt = 1; stopAt <= 4; stopAt++) {
      const one = live()
      const control = new AbortController()
      let batches = 0
      const onProgress = () => {
        batches += 1
        if (batches === stopAt) control.abort('enough')
      }
      const { signal } = control
      const stopped = one.shard.engine.adopt('s', SPEC, { ...OPTIONS, onProgress, signal })
      await expect(stopped).rejects.toBe('enough')
      // The application is none the worse for it.
      one.app.exec("insert into user (name) values ('between')")
      await one.shard.reopen()
      await one.shard.engine.adopt('s', SPEC, OPTIONS)
      expect(one.all('select * from user where ashlar_slot is not id % 2')).toEqual([])
    }
  })

  test('is undone in its last step if writers hold it up, and may be tried again', async () => {
    const one = live()
    const onProgress: AdoptOptions['onProgress'] = ({ table, rows, total }) => {
      if (table === 'strict_one' && rows === total && !one.app.isTransaction) {
        one.app.exec("begin immediate; insert into country values ('de')")
      }
    }
    const options = { ...OPTIONS, onProgress, maxFreezeMs: 40 }
    const late = await refusal(one.shard.engine.adopt('s', SPEC, options))
    expect(late.code).toBe('FREEZE_TIMEOUT')
    one.app.exec("commit; insert into user (name) values ('still')")
    await one.shard.engine.adopt('s', SPEC, OPTIONS)
    expect(one.all('select count(*) as n from country')).toEqual([{ n: 2 }])
  })

  test.each<[string, string, RegExp]>([
    ['no primary key', 'create table user (id)', /no primary key/u],
    ['no shard key', 'create table user (no integer primary key)', /no column id/u],
    [
      'NULL in a primary key',
      'create table user (id text primary key); insert into user values (null)',
      /NULL in its primary key/u,
    ],
    [
      'a column called ashlar_slot',
      'create table user (id integer primary key, ashlar_slot integer)',
      /declares ashlar_slot itself/u,
    ],
    [
      'rows replaced unasked',
      'create table user (id integer primary key on conflict replace)',
      /ON CONFLICT REPLACE/u,
    ],
  ])('refuses a table with %s, changing nothing', async (_, ddl, why) => {
    const one = live(`create table fine (id integer primary key); ${ddl}`)
    const before = one.all('select * from sqlite_schema')
    const tables = ['fine', 'user'].map((name) => ({ name, kind: 'sharded', key: ['id'] }) as const)
    const error = await refusal(one.shard.engine.adopt('s', { ddl: [], tables }, OPTIONS))
    expect(error.code).toBe('INVALID_TABLE')
    expect(error.message).toMatch(why)
    expect(one.all('select * from sqlite_schema')).toEqual(before)
  })

  test('names the row whose key can have no slot', async () => {
    const one = live()
    const keyed: AdoptOptions['slotOf'] = (table, [key]) => {
      if (table === 'note' && key === 2) throw new ShardError('INVALID_KEY', 'such is no key')
      return 1
    }
    const error = await refusal(one.shard.engine.adopt('s', SPEC, { ...OPTIONS, slotOf: keyed }))
    expect(error.code).toBe('INVALID_KEY')
    expect(error.message).toMatch(/such is no key \(row note \(id = b\)\)/u)
    one.app.exec("insert into user (name) values ('goes on')")
  })

  test('refuses a file that another engine owns, and waits a while for a locked one', async () => {
    const one = live()
    one.app.exec('begin immediate')
    expect((await refusal(one.shard.engine.adopt('s', SPEC, OPTIONS))).code).toBe('UNREACHABLE')
    one.app.exec('rollback')
    await one.shard.engine.adopt('s', SPEC, OPTIONS)
  })
})
