// Changes fences, after the writers that hold them have ended. Whoever waits for a fence keeps new
// writers of it waiting as well, and these may hold what the writers before them need on another
// shard; so it waits in short turns, and lets writers through in between.

import type { Fence } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { sleep, type Timers } from '../timers.ts'
import { fenceColumns, LOCK_CLASS, LOCK_SLOTS, STRIPES, WRITE_FENCES } from './fence-sql.ts'
import { DURABLY } from './job-sql.ts'
import { sqlStateOf } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { type Statement, unnamed } from './statement.ts'

/** How long a change of fences waits. */
export interface FenceWait {
  readonly timers: Timers
  readonly monotonic: () => number
  /** In all, in milliseconds. */
  readonly waitMs: number
}

const TURN_MS = 500
const PAUSE_MS = 50
const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'
/** From so many on, the planner is told about them. */
const MANY = 1000

const BEGIN = 'begin isolation level read committed, read write'
const HOLDERS = `select pg_catalog.string_agg(distinct coalesce('process ' || l.pid,
  'a prepared transaction'), ', ') as holders from pg_catalog.pg_locks l
where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid < ${STRIPES}
  and l.granted
  and l.database = (select oid from pg_catalog.pg_database
    where datname = pg_catalog.current_database())`

/** What else is done in the transaction of a change of fences. */
export interface FenceCompany {
  readonly before: readonly Statement[]
  readonly after: readonly Statement[]
}

const ALONE: FenceCompany = { before: [], after: [] }

/**
 * Writes fences over sessions that `connect` gives.
 *
 * @throws {ShardError} `UNREACHABLE` if they were held for all of `waitMs`; nothing was changed.
 */
export async function changeFences(
  connect: () => Promise<PostgresSession>,
  fences: readonly Fence[],
  wait: FenceWait,
  shard: string,
  company: FenceCompany = ALONE,
): Promise<void> {
  const start = wait.monotonic()
  for (;;) {
    const session = await connect()
    try {
      await change(session, fences, company)
      return
    } catch (error) {
      const code = sqlStateOf(error)
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) throw error
      if (wait.monotonic() - start >= wait.waitMs) throw await heldFor(connect, shard, wait, error)
    } finally {
      await session.end()
    }
    await sleep(wait.timers, PAUSE_MS)
  }
}

async function change(
  session: PostgresSession,
  fences: readonly Fence[],
  { before, after }: FenceCompany,
): Promise<void> {
  const [slots, states, epochs] = fenceColumns(fences)
  const statements = [
    unnamed(`set local lock_timeout = ${TURN_MS}`),
    // A fence that a crash takes back would have two owners.
    unnamed(`select ${DURABLY}`),
    ...before,
    unnamed(LOCK_SLOTS, [slots]),
    unnamed(WRITE_FENCES, [slots, states, epochs]),
    ...(fences.length < MANY ? [] : [unnamed('analyze ashlar.fence')]),
    ...after,
  ]
  session.run(unnamed(BEGIN), { role: 'begin' })
  const changes = statements.map((statement) => session.run(statement))
  const commit = session.run(unnamed('commit'), { role: 'end' })
  await Promise.all([...changes, commit])
}

async function heldFor(
  connect: () => Promise<PostgresSession>,
  shard: string,
  { waitMs }: FenceWait,
  cause: unknown,
): Promise<ShardError> {
  const holders = await holdersOf(connect)
  return new ShardError(
    'UNREACHABLE',
    `transactions held fences of shard ${shard} for ${waitMs} ms (${holders}); nothing was ` +
      'changed: end them, resolve those that are prepared, and try again',
    { shard, cause },
  )
}

/** Who holds fences, as one text. */
async function holdersOf(connect: () => Promise<PostgresSession>): Promise<string> {
  const session = await connect()
  try {
    const { rows } = await session.run(unnamed(HOLDERS))
    return String(rows[0]?.holders ?? 'ended by now')
  } finally {
    await session.end()
  }
}
