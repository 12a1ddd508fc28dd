import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InstallSpec } from '../src/engine.ts'
import type { PostgresEngine } from '../src/postgres/index.ts'
import type { AdoptOptions } from '../src/reshard/adopting-engine.ts'
import { ShardError } from '../src/shard-error.ts'
import { ask, codeOf, database, engineOn, owned, rejectionOf } from './postgres-fleet.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 5 } })
})

afterAll(async () => {
  await server?.stop()
})

const DDL = `
create table users (id text primary key, name text, seen int default 0);
create table orders (
  no bigint generated always as identity, user_id text, primary key (no, user_id))
  partition by hash (user_id);
create table orders_0 partition of orders for values with (modulus 2, remainder 0);
create table orders_1 partition of orders for values with (modulus 2, remainder 1);
create table settings (name text primary key);
create table countries (code text primary key);
insert into users select 'u' || g, 'x' from generate_series(1, 3000) g;
insert into orders (user_id) select 'u' || g % 3000 from generate_series(1, 3000) g;
insert into settings values ('dark');
insert into countries values ('fr')`

const SPEC: InstallSpec = {
  ddl: [],
  tables: [
    { name: 'users', kind: 'sharded', key: ['id'] },
    { name: 'orders', kind: 'sharded', key: ['user_id'] },
    { name: 'settings', kind: 'sharded', key: [] },
    { name: 'countries', kind: 'reference', key: [] },
  ],
}

/** The slot of a row is told by the digits of its key. */
function slotOf(_table: string, key: readonly unknown[]): number {
  const digits = /\d+$/.exec(String(key[0] ?? 'u7'))
  if (digits === null) throw new ShardError('INVALID_KEY', `${String(key[0])} has no digits`)
  return Number(digits[0]) % 16
}

function options(more: Partial<AdoptOptions> = {}): AdoptOptions {
  return { slotOf, batchRows: 200, maxFreezeMs: 5_000, ...more }
}

async function live(): Promise<{ url: string; engine: PostgresEngine }> {
  const url = await database(server)
  await ask(url, DDL)
  return { url, engine: engineOn(url) }
}

/** Rows whose slot is not that of their key. */
async function misplaced(url: string): Promise<unknown[]> {
  const users = await ask(url, 'select id as key, ashlar_slot as slot from users')
  const orders = await ask(url, 'select user_id as key, ashlar_slot as slot from orders')
  const rows = [...users, ...orders] as { key: string; slot: number }[]
  return rows.filter(({ key, slot }) => slot !== slotOf('', [key]))
}

const SLOTS = owned([-1, ...Array.from({ length: 16 }, (_, slot) => slot)])

describe('a live database', () => {
  test('is adopted while its application reads, writes and changes keys', async () => {
    const { url, engine } = await live()
    let isOver = false
    const codes = new Set<unknown>()
    const write = async (writer: number) => {
      for (let i = 0; !isOver; i++) {
        const id = `w${writer}-${i}`
        const code = await codeOf(
          ask(
            url,
            `begin; insert into users (id) values ('${id}');
             insert into orders (user_id) values ('${id}');
             update users set seen = seen + 1 where id = 'u${1 + (i % 3000)}';
             update users set id = 'n${writer}-' || id where id = 'u${writer}${i}';
             delete from orders where user_id = 'u${writer}${i}'; commit`,
          ),
        )
        if (code !== undefined) codes.add(code)
      }
    }
    const writers = [1, 2, 3].map(write)
    const progress: string[] = []
    await engine.adopt(
      's1',
      SPEC,
      options({
        onProgress: ({ table, rows, total }) => progress.push(`${table} ${rows <= total}`),
      }),
    )
    isOver = true
    await Promise.all(writers)
    expect(new Set(progress)).toEqual(new Set(['users true', 'orders true', 'settings true']))
    // Once it is over, and not before, writers have to come through a router.
    expect([...codes]).toEqual([...codes].filter((code) => code === 'AS004'))
    expect(await misplaced(url)).toEqual([])
    expect(await codeOf(ask(url, "insert into users values ('past')"))).toBe('AS004')
    expect(await codeOf(ask(url, "insert into countries values ('xx')"))).toBe('AS004')
    await engine.setFences('s1', SLOTS)
    const open = await engine.open('s1', { slots: [5], epoch: 1 })
    await open.tx(5).put('users', { id: 'new5' })
    await open.tx(5).query("insert into orders (user_id) values ('new5'), ('newer5')")
    await open.tx(5).query("update orders set user_id = 'v5' where user_id = 'w1-5'")
    await open.commit()
    expect(await misplaced(url)).toEqual([])
    const foreign = await engine.open('s1', { slots: [5], epoch: 1 })
    const named = foreign.tx(5).query("insert into users (id, ashlar_slot) values ('x6', 6)")
    expect(await codeOf(named)).toBe('CROSS_SHARD')
    await foreign.rollback()
    const left = await ask(
      url,
      `select tgname from pg_trigger where tgname like '%ashlar_adopt%'
       union all select proname from pg_proc where proname = 'forget_slot'
       union all select table_name from information_schema.columns
         where column_name = 'ashlar_slot' and table_schema = 'public'
           and (is_nullable = 'NO' and column_default ~ 'ashlar.slot') is not true`,
    )
    expect(left).toEqual([])
    await engine.adopt('s1', SPEC, options())
    await engine.install('s1', SPEC)
    await engine.close()
  })

  test('can be adopted by another process after one that broke off', async () => {
    const { url, engine } = await live()
    for (let breaksAfter = 0; breaksAfter < 34; breaksAfter += 11) {
      const ending = new AbortController()
      let left = breaksAfter
      const onProgress = () => {
        if (left-- === 0) ending.abort('enough')
      }
      const broken = engine.adopt('s1', SPEC, options({ onProgress, signal: ending.signal }))
      expect(await rejectionOf(broken)).toBe('enough')
      await ask(url, `insert into users (id) values ('between ${breaksAfter}')`)
    }
    await engine.adopt('s1', SPEC, options())
    expect(await misplaced(url)).toEqual([])
    await engine.close()
  })

  test('is refused before anything is changed, where it cannot be adopted', async () => {
    const { url, engine } = await live()
    await ask(url, 'create table keyless (id text)')
    const tables = [...SPEC.tables, { name: 'keyless', kind: 'sharded', key: ['id'] } as const]
    const refused = engine.adopt('s1', { ddl: [], tables }, options())
    expect(await codeOf(refused)).toBe('INVALID_TABLE')
    const columns = "select from information_schema.columns where column_name = 'ashlar_slot'"
    expect(await ask(url, columns)).toEqual([])
    await engine.close()
  })

  test('names the row whose key has no slot, and goes on once it is mended', async () => {
    const { url, engine } = await live()
    await ask(url, "insert into users values ('odd', 'x')")
    const refused = await rejectionOf(engine.adopt('s1', SPEC, options()))
    expect(refused).toMatchObject({ code: 'INVALID_KEY' })
    expect(String(refused)).toContain('users with the primary key {odd}')
    await ask(url, "update users set id = 'even2' where id = 'odd'")
    await engine.adopt('s1', SPEC, options())
    expect(await misplaced(url)).toEqual([])
    await engine.close()
  })

  test('goes on unharmed where a writer holds the last step up for too long', async () => {
    const { url, engine } = await live()
    const slow = ask(
      url,
      "begin; insert into users (id) values ('slow1'); select pg_sleep(1.5); commit",
    )
    const hasBegun = "select from pg_stat_activity where wait_event = 'PgSleep'"
    while ((await ask(url, hasBegun)).length === 0);
    const refused = await rejectionOf(engine.adopt('s1', SPEC, options({ maxFreezeMs: 100 })))
    expect(refused).toMatchObject({ code: 'FREEZE_TIMEOUT' })
    await ask(url, "insert into users (id) values ('meanwhile2')")
    await slow
    await engine.adopt('s1', SPEC, options())
    expect(await misplaced(url)).toEqual([])
    await engine.close()
  })
})
