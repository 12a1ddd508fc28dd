// A process that leases workers, makes ids and takes tickets until it is killed, and says what it
// has got, a line at a time: `node mortal.ts sqlite <file> <ttlMs>` or `… postgres <url> <ttlMs>`.

import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  IdError,
  Snowflake,
  TicketPool,
  type TicketStore,
  WorkerLease,
  type WorkerLeaseStore,
} from '../src/index.ts'
import { PostgresLeaseStore, PostgresTicketStore } from '../src/postgres/index.ts'
import { SqliteLeaseStore, SqliteTicketStore } from '../src/sqlite/index.ts'

/** How many numbers a pool of this process fetches at once. */
const SEGMENT = 10
const [, , engine = '', place = '', ttlMs = ''] = process.argv
const { leases, numbers } = stores()
const tickets = new TicketPool({
  fetch: (count) => numbers.fetch(count),
  size: { min: SEGMENT, max: SEGMENT },
  backoff: { minMs: 2, maxMs: 20 },
})

for (;;) {
  const lease = await acquire()
  const ids = new Snowflake({ lease })
  try {
    while (!lease.isLost) await live(lease, ids)
  } catch (error) {
    // Too late to renew: another lease, then.
    if (!(error instanceof IdError && error.code === 'LEASE_LOST')) throw error
  }
}

/** One lease is kept, one is given back each time: a kill can strike anywhere in between. */
async function live(kept: WorkerLease, ids: Snowflake): Promise<void> {
  tell(kept, ids)
  say({ tickets: await Promise.all(Array.from({ length: 4 }, take)) })
  const short = await acquire()
  tell(short, new Snowflake({ lease: short }))
  await again(() => short.close())
  await sleep(Math.random() * 3)
}

function tell(lease: WorkerLease, ids: Snowflake): void {
  const made = ids.many(20).map(String)
  const { workerId, fromTick, untilTick } = lease
  say({ lease: { workerId, fromTick, untilTick }, ids: made })
}

function acquire(): Promise<WorkerLease> {
  const options = { owner: `process ${process.pid}`, ttlMs: Number(ttlMs) }
  return again(() => WorkerLease.acquire(leases, options))
}

function take(): Promise<number> {
  return again(() => tickets.take())
}

/** Until it works: the database may be down, or all workers taken. */
async function again<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch (error) {
      const isPassing =
        error instanceof IdError && ['STORE_UNAVAILABLE', 'NOT_READY'].includes(error.code)
      if (!isPassing) throw error
      await sleep(5)
    }
  }
}

/** At once, and in one piece: what was said is out of this process before anything else happens. */
function say(what: object): void {
  writeSync(1, `${JSON.stringify(what)}\n`)
}

function stores(): { leases: WorkerLeaseStore; numbers: TicketStore } {
  if (engine === 'sqlite') {
    return {
      leases: new SqliteLeaseStore({ database: place }),
      numbers: new SqliteTicketStore({ database: place }),
    }
  }
  const client = new pg.Pool({ connectionString: place, max: 3, connectionTimeoutMillis: 1000 })
  client.on('error', () => {})
  return {
    leases: new PostgresLeaseStore({ client }),
    numbers: new PostgresTicketStore({ client }),
  }
}
