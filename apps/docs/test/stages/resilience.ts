// What the examples of @ashlar/resilience have at hand: calls that succeed, and a server.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CircuitBreaker } from '@ashlar/breaker'
import { LruCache } from '@ashlar/cache'
import { RetryBudget } from '@ashlar/resilience'

const web = createServer((_, response) => response.end('{}'))
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))

export const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`
export const id = 'oslo'
export const key = 'oslo'
export const sql = 'SELECT 1'
export const cached = { name: 'Oslo' }
export const budget: RetryBudget = new RetryBudget()
export const breaker: CircuitBreaker = new CircuitBreaker()
export const cache: LruCache<string, string> = new LruCache({ max: 10 })
export const request = { signal: new AbortController().signal }
export const latency = { percentile: (_percent: number) => 50 }
export const database = { query: async (text: string) => [text] }
export const replicas = [{ get: async (name: string) => name }]

export async function fetchCity(name: string, _signal?: AbortSignal): Promise<{ name: string }> {
  return { name }
}

export async function load(address: string, _context: object): Promise<string> {
  return address
}

export async function close(): Promise<void> {
  await new Promise((resolve) => web.close(resolve))
}
