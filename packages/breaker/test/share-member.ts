// A process of its own with a shared breaker, through which it calls all the time. Its parent says
// how the calls go, and hears every few milliseconds how the breaker stands.

import { Redis } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import { type BreakerChannel, shareBreaker } from '../src/channels/index.ts'
import { PostgresChannel } from '../src/channels/postgres-channel.ts'
import { RedisChannel } from '../src/channels/redis-channel.ts'
import { CircuitBreaker, consecutive } from '../src/index.ts'

/** How the calls of a member go from now on; 'idle' makes none. */
export type Mode = 'ok' | 'fail' | 'hang' | 'idle'

/** What a member says of itself. */
export interface MemberReport {
  readonly state: string
  readonly holdsProbe: boolean
  readonly admitted: number
  readonly fail: number
  readonly errors: number
}

const [, , client, url] = process.argv as [string, string, string, string]
let errors = 0
const onError = () => errors++

async function connect(): Promise<BreakerChannel> {
  if (client === 'postgres') {
    const pool = new pg.Pool({ connectionString: url, max: 2 })
    pool.on('error', onError)
    const listen = () => new pg.Client({ connectionString: url })
    return new PostgresChannel({ client: pool, listen, onError })
  }
  if (client === 'ioredis') {
    const redis = new Redis(url, { retryStrategy: () => 100 })
    redis.on('error', onError)
    return new RedisChannel({ client: redis, onError })
  }
  const redis = createClient({ url, socket: { reconnectStrategy: 100 } })
  redis.on('error', onError)
  await redis.connect()
  return new RedisChannel({ client: redis, onError })
}

const breaker = new CircuitBreaker({
  name: 'billing',
  trip: consecutive(3),
  open: { initialMs: 1_500, maxMs: 3_000, jitter: 0 },
  halfOpen: { probes: 1 },
})
const shared = shareBreaker(breaker, await connect(), {
  probeTtlMs: 2_000,
  maxWaitMs: 60_000,
  timeoutMs: 500,
  minRepeatMs: 50,
  maxRepeatMs: 500,
  onError,
})

const calls: Record<Exclude<Mode, 'idle'>, () => Promise<void>> = {
  ok: async () => {},
  fail: () => Promise.reject(new Error('down')),
  hang: () => new Promise(() => {}),
}
let mode: Mode = 'idle'
process.on('message', (said: Mode) => {
  mode = said
})
process.on('disconnect', () => process.exit())
setInterval(() => {
  if (mode !== 'idle') breaker.run(calls[mode]).catch(() => {})
  const { admitted, fail } = breaker.counts()
  const { state } = breaker
  const report: MemberReport = { state, holdsProbe: shared.holdsProbe, admitted, fail, errors }
  process.send?.(report)
}, 10)
