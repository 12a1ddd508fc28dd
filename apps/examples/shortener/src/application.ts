// The parts of the server joined: opened in order, closed in the other.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { LruCache } from '@ashlar/cache'
import { Snowflake, WorkerLease } from '@ashlar/id'
import { ShardRouter } from '@ashlar/shard'
import { openDatabases, shardName } from './databases.ts'
import { Growth } from './growth.ts'
import { httpApi } from './http-api.ts'
import { DDL, firstMap } from './link-tables.ts'
import type { Settings } from './settings.ts'
import { shardBreakers } from './shard-breakers.ts'
import { Shortener, type ShortenerOptions } from './shortener.ts'

/** How long a request waits for a link that is moving, before it is answered with 503. */
const FROZEN_WAIT_MS = 1_500
const MAX_CACHED_LINKS = 100_000

const platform: Pick<ShortenerOptions, 'timers' | 'monotonic' | 'random'> = {
  timers: {
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  },
  monotonic: () => performance.now(),
  random: Math.random,
}

/** The server, listening. */
export interface Application {
  readonly url: string
  /** Takes no more requests, answers those that it has, and puts everything down in order. */
  close(): Promise<void>
}

/** Opens the server. */
export async function openApplication(
  settings: Settings,
  onError: (error: unknown) => void,
): Promise<Application> {
  const closing: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (let next = closing.pop(); next !== undefined; next = closing.pop()) await next()
  }
  try {
    return { url: await open(settings, onError, closing), close }
  } catch (error) {
    // Why it did not start matters more than how it was cleared up after.
    await close().catch(Boolean)
    throw error
  }
}

async function open(
  settings: Settings,
  onError: (error: unknown) => void,
  closing: (() => Promise<unknown>)[],
): Promise<string> {
  const databases = await openDatabases(settings)
  closing.push(() => databases.close())
  const { engine, store, leases } = databases
  const map = firstMap(Array.from({ length: settings.shards }, (_, i) => shardName(i)))
  // One shard that is down must not keep the others from serving.
  const patience = { frozenWaitMs: FROZEN_WAIT_MS, unreachable: 'allow' as const }
  const router = await ShardRouter.open({ engine, store, map, ddl: DDL, ...patience })
  closing.push(() => router.close())
  const lease = await WorkerLease.acquire(leases, { owner: `${hostname()} ${process.pid}` })
  closing.push(() => lease.close())
  const ids = new Snowflake({ lease })
  const breakers = shardBreakers()
  const cache = new LruCache<string, unknown>({ max: MAX_CACHED_LINKS })
  const shortener = new Shortener({ router, ids, breakers, cache, ...platform })
  closing.push(() => shortener.close())
  const fleet = new Growth({ engine, store, router, onError })
  closing.push(() => fleet.close())
  await fleet.resume()
  const health = () => {
    const shards = router.map.shards.map(({ id }) => [id, breakers.peek(id)?.state ?? 'closed'])
    const isReady = server.listening
    const details = { status: isReady ? 'ok' : 'stopping', breakers: Object.fromEntries(shards) }
    return { isReady, details }
  }
  const { host, port, adminToken } = settings
  const baseUrl = () => settings.baseUrl ?? url
  const server = httpApi({ shortener, fleet, health, adminToken, baseUrl, onError })
  server.listen(port, host)
  await once(server, 'listening')
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address() as AddressInfo
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
  return url
}
