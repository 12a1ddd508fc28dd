import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresEngine } from '../src/postgres/index.ts'
import { ask, codeOf, engineOn, installedShard, owned, rejectionOf } from './postgres-fleet.ts'

const CLAIM = { slots: [1], epoch: 1 }
const INSERT = 'insert into users (id, age) values ($1, $2)'

let server: PostgresServer
let url: string
let engine: PostgresEngine

beforeAll(async () => {
  server = await postgresServer({ settings: { max_prepared_transactions: 20 } })
  url = await installedShard(server)
  engine = engineOn(url, { poolSize: 5 })
})

afterAll(async () => {
  await engine?.close()
  await server?.stop()
})

/** A pool of one connection that counts the writes to it. */
function countingPool(): { pool: pg.Pool; writes: () => number } {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  let writes = 0
  const connect = pool.connect.bind(pool)
  const counted = new WeakSet<object>()
  pool.connect = (async () => {
    const client = await connect()
    if (counted.has(client)) return client
    counted.add(client)
    const query = client.query.bind(client) as (...values: unknown[]) => unknown
    client.query = ((...values: unknown[]) => {
      writes += 1
      return query(...values)
    }) as typeof client.query
    return client
  }) as typeof pool.connect
  return { pool, writes: () => writes }
}

describe('a transaction on PostgreSQL', () => {
  test('writes and reads back rows of every type', async () => {
    const row = {
      id: 'a"\\\u00e9{}',
      name: "o'x\\",
      age: 7,
      score: 12.5,
      seen: new Date('2024-02-29T12:34:56.789Z'),
      born: new Date('1999-12-31T00:00:00Z'),
      photo: new Uint8Array([0, 255, 10]),
      big: 2n ** 62n,
      ok: false,
      tags: { a: [1, null] },
    }
    const transaction = await engine.open('s1', CLAIM)
    const tx = transaction.tx(1)
    await tx.put('users', row)
    expect(await tx.get('users', { id: row.id })).toEqual(row)
    await tx.put('users', { id: row.id, age: 8 })
    const replaced = { ...Object.fromEntries(Object.keys(row).map((key) => [key, null])) }
    expect(await tx.get('users', { id: row.id })).toEqual({ ...replaced, id: row.id, age: 8 })
    await transaction.rollback()
  })

  test('is one round trip with its claim where nothing is awaited in between', async () => {
    const { pool, writes } = countingPool()
    const counted = engineOn(pool)
    for (const readOnly of [false, true]) {
      const before = writes()
      const open = await counted.open('s1', CLAIM, { readOnly })
      const result = open.tx(1).query('select $1::int as n', [1])
      await open.commit()
      expect((await result).rows).toEqual([{ n: 1 }])
      expect(writes() - before).toBe(1)
    }
    await counted.close()
    await pool.end()
  })

  test('rejects statement and commit with what the claim is refused with', async () => {
    const { pool } = countingPool()
    const counted = engineOn(pool)
    const one = async (slot: number, epoch: number, readOnly: boolean) => {
      const open = await counted.open('s1', { slots: [slot], epoch }, { readOnly })
      const result = open.tx(slot).query('select pg_backend_pid() as pid')
      const committed = open.commit()
      return [await codeOf(result), await codeOf(committed), await rejectionOf(committed)] as const
    }
    const process = async () => {
      const open = await counted.open('s1', CLAIM)
      const { rows } = await open.tx(1).query('select pg_backend_pid() as pid')
      await open.commit()
      return rows
    }
    const before = await process()
    await counted.setFences('s1', [
      ...owned([20], 9),
      { slot: 30, state: 'frozen', epoch: 1 },
      { slot: 4, state: 'moved', epoch: 7 },
    ])
    for (const readOnly of [false, true]) {
      expect((await one(20, 1, readOnly)).slice(0, 2)).toEqual(['STALE_EPOCH', 'STALE_EPOCH'])
      expect((await one(4, 9, readOnly)).slice(0, 2)).toEqual(['SHARD_MOVED', 'SHARD_MOVED'])
      expect((await one(99, 9, readOnly))[2]).toMatchObject({ slot: 99, epoch: 0, shard: 's1' })
    }
    expect((await one(4, 9, false))[2]).toMatchObject({ slot: 4, epoch: 7 })
    expect((await one(30, 9, false))[0]).toBe('SHARD_FROZEN')
    expect((await one(30, 9, true))[0]).toBeUndefined()
    expect(await process()).toEqual(before)
    await counted.close()
    await pool.end()
  })

  test('rejects statement and commit with what the statement is refused with', async () => {
    const open = await engine.open('s1', CLAIM)
    const first = open.tx(1).query(INSERT, ['twice', 1])
    const second = open.tx(1).query(INSERT, ['twice', 2])
    const third = open.tx(1).query(INSERT, ['other', 3])
    const committed = open.commit()
    expect(await codeOf(first)).toBeUndefined()
    expect(await codeOf(second)).toBe('23505')
    expect(await rejectionOf(third)).toBe(await rejectionOf(second))
    expect(await rejectionOf(committed)).toBe(await rejectionOf(second))
    expect(await ask(url, "select id from users where id in ('twice', 'other')")).toEqual([])
  })

  test('goes on after a rollback to a savepoint, under the slots of its handles', async () => {
    const open = await engine.open('s1', { slots: [1, 2], epoch: 1 })
    const [one, two] = [open.tx(1), open.tx(2)]
    one.query('savepoint before')
    two.query(INSERT, ['undone', 1])
    const failed = two.query('select 1 / 0')
    one.query('rollback to before')
    two.query(INSERT, ['kept two', 2])
    one.query(INSERT, ['kept one', 1])
    await open.commit()
    expect(await codeOf(failed)).toBe('22012')
    const rows = await ask(url, "select id, ashlar_slot from users where id ~ 'kept|undone'")
    expect(rows).toEqual([
      { id: 'kept two', ashlar_slot: 2 },
      { id: 'kept one', ashlar_slot: 1 },
    ])
  })

  test('refuses statements that would end it under its fences', async () => {
    for (const text of ['commit', ' BEGIN', 'prepare transaction $1', 'rollback', 'end;']) {
      const open = await engine.open('s1', CLAIM)
      expect(await codeOf(open.tx(1).query(text))).toBe('UNSUPPORTED')
      expect(await codeOf(open.commit())).toBe('UNSUPPORTED')
    }
    const open = await engine.open('s1', CLAIM)
    expect(await codeOf(open.tx(1).query('select 1; commit'))).toBe('42601')
    await open.rollback()
  })

  test('refuses a parameter that cannot be written, and is then undone', async () => {
    const open = await engine.open('s1', CLAIM)
    const circular: Record<string, unknown> = {}
    circular.self = circular
    open.tx(1).query(INSERT, ['circular', 1])
    await expect(open.tx(1).query('select $1::json', [circular])).rejects.toThrow(TypeError)
    await expect(open.commit()).rejects.toThrow(TypeError)
    expect(await ask(url, "select id from users where id = 'circular'")).toEqual([])
  })

  test('gives up what it waits for at an abort, with its locks and its connection', async () => {
    const holder = await engine.open('s1', CLAIM)
    await holder.tx(1).query(INSERT, ['contended', 1])
    const ending = new AbortController()
    const waiting = await engine.open('s1', CLAIM, { signal: ending.signal })
    await waiting.tx(1).query(INSERT, ['behind', 1])
    const blocked = waiting.tx(1).query(INSERT, ['contended', 2])
    ending.abort('enough')
    expect(await rejectionOf(blocked)).toBe('enough')
    expect(await rejectionOf(waiting.commit())).toBe('enough')
    await waiting.rollback()
    const other = await engine.open('s1', CLAIM)
    await other.tx(1).query(INSERT, ['behind', 3])
    await other.rollback()
    await holder.commit()
  })

  test('survives a change of a table under its prepared statements', async () => {
    const read = async () => {
      const open = await engine.open('s1', CLAIM, { readOnly: true })
      const result = open.tx(1).query('select * from users limit 0')
      return [await codeOf(result), await codeOf(open.commit())]
    }
    await read()
    await ask(url, 'alter table users add column later text')
    await read()
    expect(await read()).toEqual([undefined, undefined])
    const open = await engine.open('s1', CLAIM)
    await open.tx(1).put('users', { id: 'late', later: 'x' })
    expect(await open.tx(1).get('users', { id: 'late' })).toMatchObject({ later: 'x' })
    await open.rollback()
  })
})

describe('an engine that is closed', () => {
  test('undoes what is open, also what waits for a lock and cannot be told so', async () => {
    const holder = await engine.open('s1', CLAIM)
    await holder.tx(1).query(INSERT, ['held', 1])
    for (const pool of [undefined, new pg.Pool({ connectionString: url, max: 1 })]) {
      const closing = engineOn(pool ?? url)
      const open = await closing.open('s1', CLAIM)
      await open.tx(1).query(INSERT, ['of the closed', 1])
      const blocked = open.tx(1).query(INSERT, ['held', 2])
      await ask(url, 'select pg_sleep(0.05)')
      await closing.close()
      expect(await codeOf(blocked)).toBe('CLOSED')
      expect(await codeOf(open.commit())).toBe('CLOSED')
      await open.rollback()
      await pool?.end()
    }
    await holder.rollback()
    expect(await ask(url, "select id from users where id in ('held', 'of the closed')")).toEqual([])
  })
})

describe('guards', () => {
  test('refuse to change a slot by hand, and to empty a table', async () => {
    const open = await engine.open('s1', CLAIM)
    await open.tx(1).query(INSERT, ['guarded', 1])
    const changed = open.tx(1).query("update users set ashlar_slot = 2 where id = 'guarded'")
    expect(await codeOf(changed)).toBe('CROSS_SHARD')
    await open.rollback()
    const emptied = await engine.open('s1', CLAIM)
    expect(await codeOf(emptied.tx(1).query('truncate users'))).toBe('UNSUPPORTED')
    await emptied.rollback()
  })

  test('refuse rows of slots that were not claimed', async () => {
    const two = await engine.open('s1', { slots: [2], epoch: 1 })
    await two.tx(2).query(INSERT, ['of two', 1])
    await two.commit()
    for (const text of ['update users set age = 2', 'delete from users']) {
      const one = await engine.open('s1', CLAIM)
      const result = one.tx(1).query(`${text} where id = 'of two'`)
      expect(await rejectionOf(result)).toMatchObject({ code: 'CROSS_SHARD', slot: 2 })
      await one.rollback()
    }
    const both = await engine.open('s1', { slots: [1, 2], epoch: 1 })
    await both.tx(1).query("delete from users where id = 'of two'")
    await both.commit()
  })
})

describe('fences', () => {
  test('change between writers, and a stream of writers cannot keep them waiting', async () => {
    let isOver = false
    const write = async () => {
      while (!isOver) {
        const open = await engine.open('s1', { slots: [1025], epoch: 1 })
        await open.tx(1025).query('select pg_sleep(0.02)')
        await open.commit()
      }
    }
    const writers = [write(), write(), write()].map(rejectionOf)
    const other = engineOn(url)
    await other.setFences('s1', [{ slot: 1025, state: 'moved', epoch: 2 }])
    const ended = await Promise.all(writers)
    isOver = true
    expect(ended).toMatchObject([1, 1, 1].map(() => ({ code: 'SHARD_MOVED', slot: 1025 })))
    await other.setFences('s1', owned([1025], 2))
    await other.close()
  })

  test('wait for a writer also where they are changed by hand', async () => {
    const open = await engine.open('s1', CLAIM)
    await open.tx(1).query(INSERT, ['under the fence', 1])
    const seen: string[] = []
    const byHand = ask(url, 'update ashlar.fence set epoch = 1 where slot = 1').then(() => {
      seen.push('fence')
    })
    await open.tx(1).query('select pg_sleep(0.2)')
    seen.push('writer')
    await open.commit()
    await byHand
    expect(seen).toEqual(['writer', 'fence'])
  })

  test('give up in time, naming who holds them', async () => {
    const open = await engine.open('s1', CLAIM)
    const { rows } = await open.tx(1).query('select pg_backend_pid() as pid')
    const hasty = engineOn(url, { fenceWaitMs: 0 })
    const error = await rejectionOf(hasty.setFences('s1', owned([1], 2)))
    expect(error).toMatchObject({ code: 'UNREACHABLE' })
    expect(String(error)).toContain(`process ${rows[0]!.pid}`)
    await open.commit()
    expect((await hasty.fences('s1')).find(({ slot }) => slot === 1)?.epoch).toBe(1)
    await hasty.close()
  })
})

describe('scans', () => {
  test('read in batches, and give their connection back when left early', async () => {
    const filling = await engine.open('s1', { slots: [3], epoch: 1 })
    await filling
      .tx(3)
      .query("insert into users (id) select 'scan ' || i from generate_series(1, 50) i")
    await filling.commit()
    const single = engineOn(url, { poolSize: 1 })
    const where = { sql: 'id like $1', params: ['scan %'] }
    for (let round = 0; round < 3; round++) {
      const scan = await single.scan('s1', { table: 'users', where }, { batchRows: 7 })
      const sizes: number[] = []
      for await (const rows of scan.rows()) {
        sizes.push(rows.length)
        if (round > 0 && sizes.length === round) break
      }
      await scan.close()
      await scan.close()
      expect(sizes).toEqual([[7, 7, 7, 7, 7, 7, 7, 1], [7], [7, 7]][round])
    }
    await single.setFences('s1', [{ slot: 3, state: 'moved', epoch: 1 }])
    const scan = await single.scan('s1', { table: 'users', where })
    expect(scan.owned).not.toContain(3)
    for await (const rows of scan.rows()) expect(rows).toEqual([])
    await scan.close()
    await single.setFences('s1', owned([3]))
    await single.close()
  })

  test('compare and sort text by code point whatever the collation of a column', async () => {
    await ask(url, 'alter table users add column odd text collate "C.utf8"')
    const open = await engine.open('s1', CLAIM)
    const names = ['B', 'a', 'é', '\u{1F5FF}', '\uFFFD', '']
    for (const name of names) open.tx(1).put('users', { id: `sorted ${name}`, odd: name })
    const orderBy = [{ column: 'odd', direction: 'desc', nulls: 'last' } as const]
    const where = [{ column: 'odd', is: '<', value: '\u{1F5FF}' } as const]
    const rows = await open.tx(1).select({ table: 'users', columns: ['odd'], where, orderBy })
    expect(rows.map(({ odd }) => odd)).toEqual(['\uFFFD', 'é', 'a', 'B', ''])
    await open.rollback()
  })
})
