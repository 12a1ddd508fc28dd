import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { layouts, type TicketSegment } from '../src/index.ts'
import { PostgresLeaseStore, PostgresTicketStore } from '../src/postgres/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { expectDisjoint, leaseStoreLaws } from './lease-store-laws.ts'
import { expectDisjointSegments, ticketStoreLaws } from './ticket-store-laws.ts'

const layout = { ...layouts.ashlar, datacenterBits: 1, workerBits: 1 }
const MAX_TTL_MS = 5000
let server: PostgresServer
let pool: pg.Pool
let places = 0

beforeAll(async () => {
  server = await postgresServer()
  pool = poolOf(server)
})

afterAll(async () => {
  await pool?.end()
  await server?.stop()
})

function poolOf({ url }: PostgresServer, options: pg.PoolConfig = {}): pg.Pool {
  const made = new pg.Pool({ connectionString: url, max: 8, ...options })
  // A killed server ends idle connections; the pool makes new ones.
  made.on('error', () => {})
  return made
}

leaseStoreLaws(
  'PostgresLeaseStore',
  async () => {
    // A clock_timestamp() of the test's own, found before the server's.
    const schema = `faked_${places++}`
    const search = `-c search_path=${schema},pg_catalog`
    const fakedPool = poolOf(server, { options: search, max: 4 })
    await pool.query(`create schema ${schema};
      create table ${schema}.clock as select timestamptz '2025-06-15 12:00:00Z' as reading;
      create function ${schema}.clock_timestamp() returns timestamptz volatile language sql
        as 'select reading from ${schema}.clock'`)
    return {
      open: async () => {
        return new PostgresLeaseStore({ client: fakedPool, layout, maxTtlMs: MAX_TTL_MS })
      },
      advance: async (ms) => {
        const text = `update ${schema}.clock set reading = reading + $1 * interval '1 ms'`
        await pool.query(text, [ms])
      },
      dispose: () => fakedPool.end(),
    }
  },
  MAX_TTL_MS,
)

ticketStoreLaws('PostgresTicketStore', async () => {
  const namespace = `laws ${places++}`
  return {
    open: async () => new PostgresTicketStore({ client: pool, namespace }),
    dispose: async () => {},
  }
})

describe('the PostgreSQL stores', () => {
  test('are one round trip a call once their table is there', async () => {
    const texts: string[] = []
    const client = {
      query: (text: string, values?: unknown[]) => {
        texts.push(text)
        return pool.query(text, values)
      },
    }
    const namespace = `trips ${places++}`
    const tickets = new PostgresTicketStore({ client, namespace })
    const leases = new PostgresLeaseStore({ client, namespace })
    await Promise.all([tickets.createTable(), leases.createTable(), tickets.createTable()])
    texts.length = 0
    await tickets.fetch(10)
    const grant = await leases.acquire('p', 1000)
    await leases.release(await leases.renew(grant, 1000), grant.fromTick)
    expect(texts).toHaveLength(4)
  })

  test('make their tables once, also when many begin at the same moment', async () => {
    const table = `begun_${places++}`
    const stores = Array.from({ length: 8 }, () => new PostgresTicketStore({ client: pool, table }))
    const segments = await Promise.all(stores.map((store) => store.fetch(10)))
    expectDisjointSegments(segments)
    expect(Math.max(...segments.map(({ first }) => first))).toBe(71)
  })

  test('give a hundred processes that start together a worker each', async () => {
    const namespace = `crowd ${places++}`
    const stores = Array.from({ length: 100 }, () => {
      return new PostgresLeaseStore({ client: pool, namespace })
    })
    const grants = await Promise.all(stores.map((store, i) => store.acquire(`p${i}`, 60_000)))
    expect(new Set(grants.map(({ workerId }) => workerId)).size).toBe(100)
    expectDisjoint(grants)
  })

  test('give all of a layout’s workers out and then say for how long', async () => {
    const small = { ...layouts.ashlar, datacenterBits: 0, workerBits: 4 }
    const store = new PostgresLeaseStore({
      client: pool,
      namespace: `all ${places++}`,
      layout: small,
    })
    const grants = await Promise.all(
      Array.from({ length: 16 }, (_, i) => store.acquire(`p${i}`, 60_000)),
    )
    expect(grants.map(({ workerId }) => workerId).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 16 }, (_, i) => i),
    )
    const error = await idRejectionOf(store.acquire('late', 60_000))
    expect(error.code).toBe('NOT_READY')
    expect(error.waitMs).toBeGreaterThan(0)
  })

  test('keep on where the database isolates strictly', async () => {
    const strict = poolOf(server, { options: '-c default_transaction_isolation=serializable' })
    const namespace = `strict ${places++}`
    const store = new PostgresLeaseStore({ client: strict, namespace })
    const grants = await Promise.all([1, 2, 3, 4, 5].map(() => store.acquire('p', 60_000)))
    await strict.end()
    expect(new Set(grants.map(({ workerId }) => workerId)).size).toBe(5)
  })

  test('know namespaces and schemas, and refuse what is no name', async () => {
    for (const namespace of ['', '__proto__', "'; drop table x; --", 'ünï', '\ud800']) {
      const store = new PostgresTicketStore({ client: pool, namespace, first: 7 })
      expect(await store.fetch(2)).toEqual({ first: 7, count: 2 })
    }
    const other = new PostgresTicketStore({ client: pool, table: 'public.Other_Tickets' })
    expect((await other.fetch(1)).first).toBe(1)
    for (const table of ['x"; drop table t; --', 'a.b.c', '', 'a b', 'x'.repeat(64)]) {
      const [tickets, leases] = [
        () => new PostgresTicketStore({ client: pool, table }),
        () => new PostgresLeaseStore({ client: pool, table }),
      ]
      expect(idErrorOf(tickets).code).toBe('INVALID_OPTION')
      expect(idErrorOf(leases).code).toBe('INVALID_OPTION')
    }
  })

  test('end at 2^53 and go on below', async () => {
    const first = Number.MAX_SAFE_INTEGER - 1
    const store = new PostgresTicketStore({ client: pool, namespace: `end ${places++}`, first })
    expect((await idRejectionOf(store.fetch(3))).code).toBe('EPOCH_OVERFLOW')
    expect((await store.fetch(2)).first).toBe(first)
    expect((await idRejectionOf(store.fetch(1))).code).toBe('EPOCH_OVERFLOW')
  })

  test('report a database that cannot be reached, with what it said', async () => {
    const nowhere = new pg.Pool({ host: '127.0.0.1', port: 1 })
    const stores = [
      new PostgresTicketStore({ client: nowhere }).fetch(1),
      new PostgresLeaseStore({ client: nowhere }).acquire('p', 1000),
      new PostgresTicketStore({ client: nowhere }).createTable(),
      new PostgresLeaseStore({ client: nowhere }).createTable(),
    ]
    for (const call of stores) {
      const error = await idRejectionOf(call)
      expect(error.code).toBe('STORE_UNAVAILABLE')
      expect(String(error.cause)).toContain('ECONNREFUSED')
    }
    await nowhere.end()
  })

  test('stop waiting at an abort, which costs at most a gap', async () => {
    const store = new PostgresTicketStore({ client: pool, namespace: `abort ${places++}` })
    await store.fetch(1)
    const client = await pool.connect()
    await client.query('begin; lock table ashlar_tickets in access exclusive mode')
    const ending = new AbortController()
    const reason = new Error('enough')
    const asked = store.fetch(10, { signal: ending.signal })
    ending.abort(reason)
    await expect(asked).rejects.toBe(reason)
    await client.query('rollback')
    client.release()
    const { first } = await store.fetch(1)
    expect([2, 12]).toContain(first)
  })

  test('refuse a clock before the epoch', async () => {
    const future = { ...layout, epoch: Date.UTC(2200, 0) }
    const store = new PostgresLeaseStore({ client: pool, namespace: 'early', layout: future })
    expect((await idRejectionOf(store.acquire('p', 1000))).code).toBe('BEFORE_EPOCH')
  })
})

describe('a PostgreSQL that is killed', () => {
  test('has forgotten nothing that was given out, even if commits need not wait', async () => {
    const settings = { synchronous_commit: 'off', wal_writer_delay: '10s' }
    const mortal = await postgresServer({ fsync: true, settings })
    const client = poolOf(mortal)
    try {
      const tickets = new PostgresTicketStore({ client })
      const leases = new PostgresLeaseStore({ client, layout })
      const segments: TicketSegment[] = [await tickets.fetch(5)]
      const grants = [await leases.acquire('p', 10)]
      for (let i = 0; i < 2; i++) {
        segments.push(await tickets.fetch(5))
        grants.push(await leases.acquire('p', 60_000))
        await mortal.restart()
        expect(await client.query('show synchronous_commit')).toMatchObject({
          rows: [{ synchronous_commit: 'off' }],
        })
      }
      segments.push(await tickets.fetch(5))
      grants.push(await leases.acquire('p', 10))
      expectDisjointSegments(segments)
      expectDisjoint(grants)
    } finally {
      await client.end()
      await mortal.stop()
    }
  })

  test('forgets a plain upsert there: the broken twin of the store', async () => {
    const settings = { synchronous_commit: 'off', wal_writer_delay: '10s' }
    const mortal = await postgresServer({ fsync: true, settings })
    const client = poolOf(mortal)
    const plainly = `insert into plain values (1, 6) on conflict (id)
      do update set next = plain.next + 5 returning next - 5 as first`
    const fetch = async (): Promise<TicketSegment> => {
      const { rows } = await client.query<{ first: string }>(plainly)
      return { first: Number(rows[0]!.first), count: 5 }
    }
    try {
      await client.query('create table plain (id int primary key, next bigint)')
      await client.query('insert into plain values (1, 1)')
      await client.query('checkpoint')
      const segments = [await fetch(), await fetch()]
      await mortal.restart()
      segments.push(await fetch())
      expect(() => expectDisjointSegments(segments)).toThrow()
    } finally {
      await client.end()
      await mortal.stop()
    }
  })
})
