import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { layouts } from '../src/index.ts'
import { SqliteLeaseStore, SqliteTicketStore } from '../src/sqlite/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { leaseStoreLaws } from './lease-store-laws.ts'
import { ticketStoreLaws } from './ticket-store-laws.ts'

const layout = { ...layouts.ashlar, datacenterBits: 1, workerBits: 1 }
const MAX_TTL_MS = 5000

/** A place for a test's database: one that all handles share, or a file that each opens itself. */
const places = {
  'one connection in memory': () => {
    const database = new DatabaseSync(':memory:')
    return { database, remove: () => database.close() }
  },
  'a connection each to a file': () => {
    const folder = mkdtempSync(join(tmpdir(), 'ashlar-id-'))
    return {
      database: join(folder, 'ids.db'),
      remove: () => rmSync(folder, { recursive: true }),
    }
  },
}

for (const [name, place] of Object.entries(places)) {
  leaseStoreLaws(
    `SqliteLeaseStore over ${name}`,
    async () => {
      let now = 1_750_000_000_000
      const { database, remove } = place()
      const opened: SqliteLeaseStore[] = []
      return {
        open: async () => {
          const options = { database, layout, maxTtlMs: MAX_TTL_MS, now: () => now }
          const store = new SqliteLeaseStore(options)
          opened.push(store)
          return store
        },
        advance: async (ms) => {
          now += ms
        },
        dispose: async () => {
          await Promise.all(opened.map((store) => store.close()))
          remove()
        },
      }
    },
    MAX_TTL_MS,
  )

  ticketStoreLaws(`SqliteTicketStore over ${name}`, async () => {
    const { database, remove } = place()
    const opened: SqliteTicketStore[] = []
    return {
      open: async () => {
        const store = new SqliteTicketStore({ database })
        opened.push(store)
        return store
      },
      dispose: async () => {
        await Promise.all(opened.map((store) => store.close()))
        remove()
      },
    }
  })
}

describe('the SQLite stores', () => {
  const database = new DatabaseSync(':memory:')
  afterEach(() => vi.restoreAllMocks())

  test('keep namespaces and tables apart', async () => {
    const names = ['', 'constructor', '__proto__', "'; drop table x; --", 'ünï', 'orders']
    for (const namespace of names) {
      const [first, lease] = [
        await new SqliteTicketStore({ database, namespace, first: 5 }).fetch(3),
        await new SqliteLeaseStore({ database, namespace }).acquire(namespace, 1000),
      ]
      expect(first).toEqual({ first: 5, count: 3 })
      expect(lease).toMatchObject({ workerId: 0, fromTick: 0 })
    }
    const other = new SqliteTicketStore({ database, table: 'main.other_tickets' })
    expect((await other.fetch(1)).first).toBe(1)
  })

  test.each(['x"; drop table t; --', 'a.b.c', '', '1st', 'a b', 'ä', 'x'.repeat(64)])(
    'refuse %j as a table',
    (table) => {
      expect(idErrorOf(() => new SqliteTicketStore({ database, table })).code).toBe(
        'INVALID_OPTION',
      )
      expect(idErrorOf(() => new SqliteLeaseStore({ database, table })).code).toBe('INVALID_OPTION')
    },
  )

  test('refuse texts that cannot be kept', async () => {
    for (const namespace of ['a\0b', 'x'.repeat(256)]) {
      const make = () => new SqliteTicketStore({ database, namespace })
      expect(idErrorOf(make).code).toBe('INVALID_OPTION')
    }
    const store = new SqliteLeaseStore({ database, namespace: 'texts' })
    expect((await idRejectionOf(store.acquire('a\0b', 1000))).code).toBe('INVALID_OPTION')
  })

  test('give nothing out inside of somebody’s transaction, which may be rolled back', async () => {
    const tickets = new SqliteTicketStore({ database, namespace: 'transaction' })
    const leases = new SqliteLeaseStore({ database, namespace: 'transaction' })
    database.exec('begin')
    for (const call of [tickets.fetch(1), leases.acquire('p', 1000)]) {
      expect((await idRejectionOf(call)).code).toBe('STORE_UNAVAILABLE')
    }
    database.exec('rollback')
    expect((await tickets.fetch(1)).first).toBe(1)
  })

  test('end at 2^53 and go on below', async () => {
    const first = Number.MAX_SAFE_INTEGER - 1
    const store = new SqliteTicketStore({ database, namespace: 'end', first })
    expect((await idRejectionOf(store.fetch(3))).code).toBe('EPOCH_OVERFLOW')
    expect((await store.fetch(2)).first).toBe(first)
    expect((await idRejectionOf(store.fetch(1))).code).toBe('EPOCH_OVERFLOW')
  })

  test('stop at an abort before they have moved on', async () => {
    const store = new SqliteTicketStore({ database, namespace: 'abort' })
    const reason = new Error('enough')
    await expect(store.fetch(5, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect((await store.fetch(5)).first).toBe(1)
  })

  test('refuse a clock before the epoch and a layout that does not add up', async () => {
    const store = new SqliteLeaseStore({ database, namespace: 'early', now: () => 0 })
    expect((await idRejectionOf(store.acquire('p', 1000))).code).toBe('BEFORE_EPOCH')
    const wide = { ...layouts.ashlar, timeBits: 60 }
    const make = () => new SqliteLeaseStore({ database, layout: wide })
    expect(idErrorOf(make).code).toBe('INVALID_LAYOUT')
  })

  test('fill gaps among workers, the lowest first', async () => {
    const store = new SqliteLeaseStore({ database, namespace: 'gaps' })
    for (let i = 0; i < 5; i++) await store.acquire('p', 1000)
    database.exec("delete from ashlar_leases where namespace = 'gaps' and worker_id in (0, 3)")
    const grants = [1, 2, 3].map(() => store.acquire('p', 1000))
    expect((await Promise.all(grants)).map(({ workerId }) => workerId)).toEqual([0, 3, 5])
  })

  test('say in one line what a Node without node:sqlite lacks', () => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    const error = idErrorOf(() => new SqliteTicketStore({ database: ':memory:' }))
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.message).toMatch(
      /^@ashlar\/id\/sqlite needs node:sqlite, so Node 22\.13 or later/u,
    )
    expect(idErrorOf(() => new SqliteLeaseStore({ database: ':memory:' })).code).toBe(
      'STORE_UNAVAILABLE',
    )
  })

  test('report a file that cannot be opened', () => {
    const make = () => new SqliteLeaseStore({ database: '/nowhere/at/all.db' })
    const error = idErrorOf(make)
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect(error.cause).toBeInstanceOf(Error)
  })
})
