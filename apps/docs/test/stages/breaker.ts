// What the examples of @ashlar/breaker have at hand: breakers, a server that answers on loopback,
// meters, and PostgreSQL.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BreakerOpenError, CircuitBreaker } from '@ashlar/breaker'
import { MemoryChannel } from '@ashlar/breaker/share'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import Pg from 'pg'

export { Agent } from 'undici'

const web = createServer((_, response) => response.end('{}'))
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
const postgres: PostgresServer = await postgresServer()

export const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
export const connectionString: string = postgres.url
export const pg = Pg
export const breaker: CircuitBreaker = new CircuitBreaker({ name: 'charge' })
export const billing: CircuitBreaker = new CircuitBreaker({ name: 'billing' })
export const search: CircuitBreaker = new CircuitBreaker({ name: 'search' })
export const one: CircuitBreaker = new CircuitBreaker({ name: 'one' })
export const other: CircuitBreaker = new CircuitBreaker({ name: 'other' })
export const channel: MemoryChannel = new MemoryChannel()
export const { signal } = new AbortController()
export const meter = new MeterProvider().getMeter('examples')
export const order = { id: 7 }
export const cached = { total: 0 }

export async function query(shard: string): Promise<string> {
  return shard
}

export async function charge(_order: typeof order): Promise<typeof cached> {
  throw new BreakerOpenError('charge', 1_000)
}

export function busy(answer: { readonly retryAfterMs: number }): typeof answer {
  return answer
}

export async function close(): Promise<void> {
  await new Promise((resolve) => web.close(resolve))
  await postgres.stop()
}
