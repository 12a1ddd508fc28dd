// The form that Flickr made known, on two real databases: one counts 1, 3, 5, … and one 2, 4, 6, …
// Either may die at any moment, by SIGKILL, and come back.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failover, StepSequence, strided, type TicketFetch, TicketPool } from '../src/index.ts'
import { PostgresTicketStore } from '../src/postgres/index.ts'
import { idRejectionOf } from './id-error-of.ts'

const STEP = 2
let servers: PostgresServer[]
let pools: pg.Pool[]

beforeAll(async () => {
  servers = await Promise.all([postgresServer({ fsync: true }), postgresServer({ fsync: true })])
  pools = servers.map(({ url }) => {
    const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 2000 })
    pool.on('error', () => {})
    return pool
  })
})

afterAll(async () => {
  await Promise.all((pools ?? []).map((pool) => pool.end()))
  await Promise.all((servers ?? []).map((server) => server.stop()))
})

/** Master `i` of two: its k-th number is its offset and k steps. */
function master(i: number, namespace: string): TicketFetch {
  const store = new PostgresTicketStore({ client: pools[i]!, namespace, first: 0 })
  return strided((count, options) => store.fetch(count, options), { offset: i + 1, step: STEP })
}

test('tickets go on while one of two databases is dead, whichever it is', async () => {
  const fetch = failover([master(0, 'either'), master(1, 'either')])
  const given: number[] = []
  // Small segments, so that many fetches meet a dead server.
  const tickets = new TicketPool({ fetch, size: { min: 5, max: 5 } })
  const takeSome = async () => {
    for (let i = 0; i < 50; i++) given.push(await tickets.take())
  }
  await takeSome()
  for (const [i, server] of servers.entries()) {
    const before = given.length
    await Promise.all([takeSome(), server.kill()])
    await takeSome()
    expect(given.length).toBe(before + 100)
    // One that is dead gives nothing: what is left in hand aside, all is the other's.
    expect(new Set(given.slice(-20).map((number) => number % STEP))).toEqual(new Set([i]))
    await server.start()
    await takeSome()
    expect(new Set(given.slice(-20).map((number) => number % STEP))).toEqual(new Set([0, 1]))
  }
  expect(new Set(given).size).toBe(given.length)
  await tickets.close()
})

test('when both are dead the pool uses up what it has, says so, and goes on after', async () => {
  const fetch = failover([master(0, 'both'), master(1, 'both')])
  const backoff = { minMs: 1, maxMs: 20 }
  const tickets = new TicketPool({ fetch, size: { min: 10, max: 10 }, backoff })
  const given = [await tickets.take()]
  await Promise.all(servers.map((server) => server.kill()))
  const error = await idRejectionOf(
    (async () => {
      for (;;) given.push(await tickets.take())
    })(),
  )
  expect(error.code).toBe('STORE_UNAVAILABLE')
  expect(given.length).toBeGreaterThanOrEqual(10)
  await Promise.all(servers.map((server) => server.start()))
  for (let i = 0; i < 100; i++) {
    const number = await tickets.take().catch(() => undefined)
    if (number === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
    else given.push(number)
  }
  expect(given.length).toBeGreaterThan(20)
  expect(new Set(given).size).toBe(given.length)
  await tickets.close()
})

test('a database counts as the step sequence of its offset does', async () => {
  const fetch = master(1, 'sequence')
  const sequence = new StepSequence({ offset: 2, step: STEP })
  const { first, count, step = 1 } = await fetch(20)
  for (let i = 0; i < count; i++) expect(first + i * step).toBe(sequence.next())
})

test('two databases of one offset repeat numbers: the broken twin', async () => {
  const clashing = [0, 1].map((i) => {
    const store = new PostgresTicketStore({ client: pools[i]!, namespace: 'clash', first: 0 })
    return strided((count) => store.fetch(count), { offset: 1, step: STEP })
  })
  const tickets = new TicketPool({ fetch: failover(clashing), size: { min: 5, max: 5 } })
  const given: number[] = []
  for (let i = 0; i < 40; i++) given.push(await tickets.take())
  expect(new Set(given).size).toBeLessThan(given.length)
  await tickets.close()
})
