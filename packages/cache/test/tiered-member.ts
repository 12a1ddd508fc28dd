// A process of its own with a TieredCache before a real Redis, and an origin in another one. It
// reads all the time, writes now and then, and hands over what it did when its parent asks.

import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryEvent } from '@ashlar/history'
import { Redis } from 'ioredis'
import { LruCache } from '../src/lru.ts'
import { RedisBus } from '../src/redis/redis-bus.ts'
import { RedisStore } from '../src/redis/redis-store.ts'
import { TieredCache } from '../src/tiered/tiered-cache.ts'

/** What a parent says to a member. */
export type Order = 'write' | 'rest' | 'report'

/** What a member says when it is asked. */
export interface MemberReport {
  readonly events: readonly HistoryEvent[]
  readonly loads: number
}

const [, , name, cacheUrl, originUrl, trust] = process.argv as string[]
const KEYS = ['a', 'b', 'c']
/** Far above what the test allows: it is the bus that must bring the news. */
const NEAR_TTL_MS = 20_000

function connect(url: string): Redis {
  const client = new Redis(url, { enableAutoPipelining: true, retryStrategy: () => 40 })
  client.on('error', () => {})
  return client
}

const client = connect(cacheUrl!)
const origin = connect(originUrl!)
let loads = 0
const cache = new TieredCache<string | null>({
  near: new LruCache({ max: 100 }),
  store: new RedisStore({ client, isDurable: trust === 'trusting' }),
  bus: new RedisBus({ client }),
  load: (key) => {
    loads++
    return origin.get(key)
  },
  ttlMs: 60_000,
  nearTtlMs: NEAR_TTL_MS,
  storeTimeoutMs: 200,
  coolDownMs: 100,
  checkMs: 100,
})

const events: HistoryEvent[] = []
let operations = 0
let order: Order = 'rest'

function begin(
  f: string,
  key: string,
  value?: string,
): (type: 'ok' | 'info', value?: unknown) => void {
  const id = operations++
  const process = `${name} ${f}s`
  const time = () => performance.timeOrigin + performance.now()
  events.push({ id, type: 'invoke', process, f, key, time: time(), ...(value ? { value } : {}) })
  return (type, result) => {
    events.push({ id, type, process, f, key, time: time(), ...(result ? { value: result } : {}) })
  }
}

async function read(key: string): Promise<void> {
  const end = begin('read', key)
  end('ok', await cache.get(key))
}

async function write(key: string): Promise<void> {
  const value = `${name} ${operations}`
  const end = begin('write', key, value)
  await origin.set(key, value)
  for (;;) {
    try {
      await cache.delete(key)
      return end('ok')
    } catch {
      await sleep(20)
    }
  }
}

async function readOn(): Promise<void> {
  for (let n = 0; ; n++) {
    await read(KEYS[n % KEYS.length]!)
    await sleep(2)
  }
}

async function writeOn(): Promise<void> {
  for (let n = 0; ; n++) {
    if (order === 'write') await write(KEYS[n % KEYS.length]!)
    await sleep(15)
  }
}

process.on('message', (said: Order) => {
  if (said !== 'report') order = said
  else process.send?.({ events: [...events], loads } satisfies MemberReport)
})
process.on('disconnect', () => process.exit())
void readOn()
void writeOn()
