// Who may put which row where: what the default of `ashlar_slot` and the guards make of rows that
// are inserted, with and without a slot declared, named or silenced.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REFERENCE_SLOT, type TableSpec } from '../src/engine.ts'
import type { PostgresEngine } from '../src/postgres/index.ts'
import { ask, codeOf, database, engineOn, owned, rejectionOf } from './postgres-fleet.ts'

const DDL = `
create table users (id text primary key, name text unique, n int default 0);
create table archive (like users including all);
create table reader (
  id text primary key, ashlar_slot int default 7 check (ashlar_slot > 0),
  twice int generated always as (ashlar_slot * 2) stored);
create table parted (id text, part int, primary key (id, part)) partition by list (part);
create table parted_1 partition of parted for values in (1);
create table parted_2 partition of parted for values in (2);
create table child (id text primary key, parent text not null references users
  deferrable initially deferred);
create table touched (id text primary key, seen int, wish int);
create function touch() returns trigger language plpgsql as $$ begin
  new.seen := new.ashlar_slot;
  if new.wish is not null then new.ashlar_slot := new.wish; end if;
  return new;
end $$;
create trigger a_first before insert on touched for each row execute function touch();
create trigger z_last before insert on touched for each row execute function touch()`

const NAMES = ['users', 'archive', 'reader', 'parted', 'child', 'touched']
const TABLES = NAMES.map((name): TableSpec => ({ name, kind: 'sharded', key: ['id'] }))
/** Triggers of ours that PostgreSQL runs for each row before it is inserted. */
const BEFORE_INSERT = `select tgrelid::regclass::text as table, tgname as name from pg_trigger
where tgtype & 7 = 7 and tgname like '%ashlar%' and tgrelid <> 'ashlar.fence'::regclass`

let server: PostgresServer
let url: string
let engine: PostgresEngine

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 5 } })
  url = await shardUrl()
  engine = engineOn(url)
})

afterAll(async () => {
  await engine?.close()
  await server?.stop()
})

async function shardUrl(): Promise<string> {
  const made = await database(server)
  const installing = engineOn(made)
  await installing.install('s1', { ddl: [DDL], tables: TABLES })
  await installing.setFences('s1', owned([REFERENCE_SLOT, 1, 2, 3]))
  await installing.close()
  return made
}

/** Runs statements under the first of some slots and commits; the rows of the last. */
async function write(slots: readonly number[], ...texts: readonly string[]): Promise<unknown[]> {
  const open = await engine.open('s1', { slots, epoch: 1 })
  try {
    let rows: readonly unknown[] = []
    for (const text of texts) rows = (await open.tx(slots[0]!).query(text)).rows
    await open.commit()
    return [...rows]
  } catch (error) {
    await open.rollback()
    throw error
  }
}

/** The slots of rows, by their ids. */
async function slotsIn(table: string, ids: string): Promise<unknown> {
  const text = `select id, ashlar_slot as slot from ${table} where id ~ '${ids}' order by id`
  const rows = (await ask(url, text)) as { id: string; slot: number }[]
  return Object.fromEntries(rows.map(({ id, slot }) => [id, slot]))
}

describe('COPY by a mover', () => {
  test('meets no trigger of ours before it inserts a row, in no partition either', async () => {
    expect(await ask(url, BEFORE_INSERT)).toEqual([])
    await ask(
      url,
      'create trigger ashlar_twin before insert on archive for each row execute function touch()',
    )
    expect(await ask(url, BEFORE_INSERT)).toEqual([{ table: 'archive', name: 'ashlar_twin' }])
    await ask(url, 'drop trigger ashlar_twin on archive')
  })
})

describe('a row that names no slot', () => {
  test('gets the one declared, however it is inserted', async () => {
    await write([1], "insert into users values ('a1')")
    await write([2], "insert into users (id) values ('a2'), ('a3')")
    await write([3], "insert into users (id) select 'a' || g from generate_series(4, 5) g")
    await write(
      [2, 1],
      "with x as (insert into users (id) values ('a6') returning id) select * from x",
    )
    await write(
      [3],
      'create temporary view v as select id from users',
      "insert into v values ('a7')",
    )
    expect(await slotsIn('users', '^a')).toEqual({
      a1: 1,
      a2: 2,
      a3: 2,
      a4: 3,
      a5: 3,
      a6: 2,
      a7: 3,
    })
    const open = await engine.open('s1', { slots: [1, 2], epoch: 1 })
    open.tx(2).query("insert into users values ('b2')")
    open.tx(1).query("insert into users values ('b1')")
    open.tx(2).put('users', { id: 'b3' })
    await open.commit()
    expect(await slotsIn('users', '^b')).toEqual({ b1: 1, b2: 2, b3: 2 })
  })

  test('has it before checks, generated columns and triggers of the user look', async () => {
    expect(await write([2], "insert into reader (id) values ('r') returning twice")).toEqual([
      { twice: 4 },
    ])
    await write([3], "insert into touched (id) values ('t')")
    expect(await ask(url, "select seen, ashlar_slot from touched where id = 't'")).toEqual([
      { seen: 3, ashlar_slot: 3 },
    ])
  })

  test('may refer to one that comes later in its transaction', async () => {
    await write([1], "insert into child values ('c', 'p')", "insert into users values ('p')")
    expect(await slotsIn('child', '^c')).toEqual({ c: 1 })
    expect(await codeOf(write([1], "insert into child values ('d', 'none')"))).toBe('23503')
  })

  test('is refused without a slot declared, and the table is named', async () => {
    for (const table of ['users', 'parted', 'parted_2']) {
      const part = table === 'users' ? '' : ', 2'
      const text = `insert into ${table} values ('x'${part})`
      for (const before of ['select 1', "set ashlar.slot = ''", "set ashlar.claim = ',1,'"]) {
        const refused = await rejectionOf(ask(url, before, text))
        expect(refused).toMatchObject({ code: 'AS004' })
        expect(String(refused)).toContain(`public.${table === 'users' ? table : 'parted_2'}`)
      }
    }
    expect(
      await rejectionOf(write([REFERENCE_SLOT], "insert into users values ('x')")),
    ).toMatchObject({ code: 'NO_SLOT', message: 'a row of public.users needs the slot of its key' })
    expect(await slotsIn('users', '^x')).toEqual({})
  })

  test('is refused without a slot declared also where guards do not look', async () => {
    const insert = "insert into users values ('x')"
    expect(await codeOf(ask(url, 'set session_replication_role = replica', insert))).toBe('23502')
    expect(await codeOf(ask(url, "set ashlar.slot = 'mover'", insert))).toBe('AS004')
    expect(await slotsIn('users', '^x')).toEqual({})
  })
})

/** Whether the guards let a row in exactly where its slot is one of the claim. */
async function agrees(
  at: PostgresEngine,
  slots: readonly number[],
  named: number,
): Promise<boolean> {
  const open = await at.open('s1', { slots, epoch: 1 })
  const text = `insert into users (id, ashlar_slot) values ('law', ${named}) returning ashlar_slot`
  const refusal = await rejectionOf(
    open
      .tx(slots[0]!)
      .query(text)
      .then(({ rows }) => rows),
  )
  await open.rollback()
  if (slots.includes(named)) return refusal === undefined
  return (refusal as { code?: unknown })?.code === 'CROSS_SHARD'
}

describe('a row that names its slot', () => {
  const claims = fc.shuffledSubarray([1, 2, 3], { minLength: 1 })
  const named = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer())

  property.prop([claims, named], { seed: 8, numRuns: 60 })(
    'law: is let in exactly where the slot is claimed',
    async (slots, slot) => {
      expect(await agrees(engine, slots, slot)).toBe(true)
    },
  )

  test('the law is broken where the guard is left out', async () => {
    const twinUrl = await shardUrl()
    await ask(twinUrl, 'drop trigger ashlar_insert on users')
    const twin = engineOn(twinUrl)
    expect(await agrees(twin, [1], 1)).toBe(true)
    expect(await agrees(twin, [1], 2)).toBe(false)
    expect(await codeOf(ask(twinUrl, "insert into users values ('past')"))).toBeUndefined()
    await twin.close()
  })

  test('is refused with what to do, and NULL as well', async () => {
    const insert = (slot: string) => `insert into users (id, ashlar_slot) values ('e', ${slot})`
    expect(await rejectionOf(write([1], insert('2')))).toMatchObject({
      code: 'CROSS_SHARD',
      slot: 2,
      message:
        'a new row of public.users names slot 2, not 1: leave ashlar_slot out, or claim both slots',
    })
    expect(await codeOf(write([1], insert('null')))).toBe('23502')
    expect(await codeOf(write([1], insert('-1')))).toBe('CROSS_SHARD')
    expect(await codeOf(ask(url, insert('1')))).toBe('AS004')
    expect(await slotsIn('users', '^e')).toEqual({})
  })

  test('keeps it where rows of a claim are copied to another table', async () => {
    await write([1], "insert into users values ('f1')")
    await write([2], "insert into users values ('f2')")
    const copy = "insert into archive select * from users where id ~ '^f'"
    expect(await rejectionOf(write([1], copy))).toMatchObject({ code: 'CROSS_SHARD', slot: 2 })
    await write([1, 2], copy)
    expect(await slotsIn('archive', '^f')).toEqual({ f1: 1, f2: 2 })
  })

  test('is refused where a trigger of the user named it, whenever that fires', async () => {
    const wish = (slot: number) => `insert into touched (id, wish) values ('w', ${slot})`
    expect(await codeOf(write([1], wish(2)))).toBe('CROSS_SHARD')
    await write([1], wish(1))
    expect(await slotsIn('touched', '^w')).toEqual({ w: 1 })
  })
})

describe('an insert that meets a row', () => {
  test('leaves it or updates it, and only where its slot is claimed', async () => {
    const upsert = `insert into users values ('g', 'x') on conflict (id) do update
      set n = users.n + 1, ashlar_slot = excluded.ashlar_slot returning n`
    const skip = "insert into users values ('g', 'y') on conflict do nothing returning n"
    expect(await write([1], upsert)).toEqual([{ n: 0 }])
    expect(await write([1], upsert)).toEqual([{ n: 1 }])
    expect(await write([1], skip)).toEqual([])
    expect(await rejectionOf(write([2], upsert))).toMatchObject({ code: 'CROSS_SHARD', slot: 1 })
    expect(await write([2], skip)).toEqual([])
    expect(await codeOf(ask(url, upsert))).toBe('AS004')
    const named = `insert into users (id, ashlar_slot) values ('g', 2) on conflict (id) do update
      set ashlar_slot = excluded.ashlar_slot`
    expect(await codeOf(write([1], named))).toBe('CROSS_SHARD')
    // It is put anew under the slot of the handle, as ever.
    expect(await write([2, 1], upsert)).toEqual([{ n: 2 }])
    expect(await slotsIn('users', '^g')).toEqual({ g: 2 })
  })
})

describe('partitions', () => {
  test('fill in and refuse as the table does, also those that come later', async () => {
    await ask(
      url,
      'create table parted_3 partition of parted for values in (3)',
      'create table parted_4 (like parted)',
      'alter table parted attach partition parted_4 for values in (4)',
    )
    expect(await codeOf(write([1], "insert into parted_4 values ('x', 4)"))).toBe('23502')
    await engine.install('s1', { ddl: [DDL], tables: TABLES })
    for (const part of [1, 2, 3, 4]) {
      await write([2], `insert into parted values ('h${part}', ${part})`)
      await write([3], `insert into parted_${part} values ('i${part}', ${part})`)
      const foreign = `insert into parted_${part} (id, part, ashlar_slot) values ('x', ${part}, 1)`
      expect(await codeOf(write([2], foreign))).toBe('CROSS_SHARD')
    }
    expect(await slotsIn('parted', '^[hi]')).toEqual({
      ...{ h1: 2, h2: 2, h3: 2, h4: 2 },
      ...{ i1: 3, i2: 3, i3: 3, i4: 3 },
    })
    expect(await ask(url, BEFORE_INSERT)).toEqual([])
  })

  test('hand a row over with its slot', async () => {
    await write([2], "insert into parted values ('j', 1)")
    await write([1, 2], "update parted set part = 2 where id = 'j'")
    expect(await slotsIn('parted', '^j')).toEqual({ j: 2 })
  })
})
