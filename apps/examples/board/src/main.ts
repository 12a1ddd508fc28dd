// Starts the board: reads what is set, joins the parts, and ends in order on SIGTERM.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CircuitBreaker, consecutive } from '@ashlar/breaker'
import { createUlid } from '@ashlar/id'
import { Redis } from 'ioredis'
import { Board } from './board.ts'
import { boardServer } from './board-server.ts'
import { SqliteThread } from './sqlite-thread.ts'
import { ownCache, sharedCache } from './view-caches.ts'

/** How long requests under way may take after SIGTERM. */
const DRAIN_MS = 5_000

const { env } = process
const port = wholeNumber('PORT', 8080, 0, 65_535)
const freshMs = wholeNumber('FRESH_MS', 5_000, 1, 3_600_000)

const posts = await SqliteThread.start(env.DATA_FILE ?? 'board.db')
const breaker = new CircuitBreaker({
  name: 'database',
  trip: consecutive(3),
  open: { initialMs: 500, maxMs: 2_000 },
  halfOpen: { probes: 1, probeTimeoutMs: 3_000 },
})
breaker.on('transition', ({ from, to }) => console.error(`database: ${from} → ${to}`))

const client = env.REDIS_URL === undefined ? undefined : connect(env.REDIS_URL)
let cache: { close(): unknown } | undefined
const board = new Board({
  posts,
  breaker,
  now: Date.now,
  cacheOf: (load) => {
    const made = client ? sharedCache(load, { freshMs, client }) : ownCache(load, freshMs)
    cache = made
    return made
  },
})
const health = () => ({
  database: breaker.state,
  redis: client?.status ?? 'none',
  queries: posts.queries,
})

const server = boardServer({ board, newId: createUlid(), health })
server.listen(port, env.HOST ?? '127.0.0.1')
await once(server, 'listening')
const { address, port: at } = server.address() as AddressInfo
console.log(`the board is on http://${address}:${at}`)

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void drain())

async function drain(): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref()
  await closed
  await cache?.close()
  client?.disconnect()
  await posts.close()
}

function connect(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: (times) => Math.min(times * 50, 1_000) })
  // Said once for each connection that is lost, not for each attempt to make it again.
  redis.on('ready', () => {
    console.error('redis: connected')
    redis.once('close', () => console.error('redis: gone, the board goes on without it'))
  })
  redis.on('error', () => {})
  return redis
}

function wholeNumber(name: string, otherwise: number, least: number, most: number): number {
  const text = env[name] ?? String(otherwise)
  const value = Number(text)
  if (/^\d+$/u.test(text) && value >= least && value <= most) return value
  console.error(`${name}: got ${JSON.stringify(text)}, allowed is ${least} to ${most}`)
  process.exit(1)
}
