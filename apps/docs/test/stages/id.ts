// What the examples of @ashlar/id have at hand: stores in memory, a ticket server, PostgreSQL.

import { MemoryLeaseStore, MemoryTicketStore, Snowflake, type TicketStore } from '@ashlar/id'
import { type TicketServer, ticketServer } from '@ashlar/id/server'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import Pg from 'pg'

export { writeFile } from 'node:fs/promises'
export { hostname } from 'node:os'

const tickets = new MemoryTicketStore()
const postgres: PostgresServer = await postgresServer()
const pools: Pg.Pool[] = []

/** Leases and tickets in one. */
export const store: MemoryLeaseStore & Pick<TicketStore, 'fetch'> = Object.assign(
  new MemoryLeaseStore(),
  { fetch: (count: number) => tickets.fetch(count) },
)
export const ids: Snowflake = new Snowflake({ workerId: 7 })
export const left: MemoryTicketStore = new MemoryTicketStore()
export const right: MemoryTicketStore = new MemoryTicketStore()
export const odd: MemoryTicketStore = left
export const even: MemoryTicketStore = right
export const message: Record<string, unknown> = {}
export const server: TicketServer = await ticketServer({ fetch: (count) => tickets.fetch(count) })

/** The driver, whose pools reach the server of this stage without being told where it is. */
export const pg = {
  Pool: class extends Pg.Pool {
    constructor() {
      super({ connectionString: postgres.url })
      pools.push(this)
    }
  },
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function close(): Promise<void> {
  await server.close()
  await Promise.all(pools.map((pool) => pool.end()))
  await postgres.stop()
}
