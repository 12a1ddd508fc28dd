// One shard as its mover sees it: transactions under a job's lease, with settings that make values
// read and print the same on every server, and the layouts of the tables that move.
//
// Whatever works under a lease holds one lock, shared, until its transaction ends; who takes the
// job over takes it alone, and ends the sessions of those who do not let go. So a worker that was
// stopped in the middle of a transaction holds up nobody.

import { ShardError } from '../shard-error.ts'
import type { MoveLease } from '../slot-mover.ts'
import { sleep } from '../timers.ts'
import { MOVER_SLOT } from './capture-sql.ts'
import type { FenceWait } from './fence-change.ts'
import { LEASE_LOCK, LOCK_CLASS } from './fence-sql.ts'
import { DURABLY } from './job-sql.ts'
import { type MovedTable, readMovedTables } from './moved-table.ts'
import { isNotInstalled, sqlStateOf } from './postgres-error.ts'
import { install } from './postgres-install.ts'
import type { PostgresSession } from './postgres-session.ts'
import type { PostgresShard } from './postgres-shard.ts'
import { type Statement, unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'

/** How a transaction of a mover runs. */
export interface MoverWork {
  /** `write`: each statement sees what has committed; `snapshot`: reads, all of one moment. */
  readonly as: 'write' | 'snapshot'
  readonly lease?: MoveLease | undefined
  /** Whether guards, capture and, where the role may, all other triggers are out of force. */
  readonly isSilent?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const BEGIN = {
  write: 'begin isolation level read committed, read write',
  snapshot: 'begin isolation level repeatable read, read write',
}
const SETTINGS = {
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmloption: 'content',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}
/** And what is done here stays done after a crash, also where commits do not wait for the disk. */
const PIN = `select ${Object.entries(SETTINGS)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
  .join(', ')}, ${DURABLY}`
const SILENCE = `select case
when pg_catalog.has_parameter_privilege('session_replication_role', 'set')
then pg_catalog.set_config('session_replication_role', 'replica', true)
else pg_catalog.set_config('ashlar.slot', '${MOVER_SLOT}', true) end,
case pg_catalog.current_setting('wal_level') when 'logical'
then pg_catalog.pg_logical_emit_message(true, 'ashlar', '${MOVER_SLOT}') end`
const HOLD = 'select ashlar.hold_lease($1, $2, $3)'
const CLAIM_TURN_MS = 100
const CLAIM_PAUSE_MS = 20
/** A session that was told to end is gone when the server comes to it. */
const END_HOLDERS = `select pg_catalog.pg_terminate_backend(l.pid) from pg_catalog.pg_locks l
where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS} and l.objid = ${LEASE_LOCK}
  and l.granted and l.mode = 'ShareLock' and l.pid is not null
  and l.database = (select oid from pg_catalog.pg_database
    where datname = pg_catalog.current_database())`
/** A statement was given up; a lock was not to be had in time; a deadlock. */
const TURN_OVER: ReadonlySet<unknown> = new Set(['57014', '55P03', '40P01'])

/** Whether what was refused so may be had in another turn. */
export function isTurnOver(error: unknown): boolean {
  return TURN_OVER.has(sqlStateOf(error))
}

/** The way of a {@link PostgresMover} to one shard. */
export class MoverShard {
  readonly id: string
  readonly wait: FenceWait
  readonly #at: PostgresShard
  #tables: Promise<readonly MovedTable[]> | undefined

  constructor(at: PostgresShard, wait: FenceWait) {
    this.id = at.id
    this.#at = at
    this.wait = wait
  }

  /** A connection of its own. */
  connect(signal?: AbortSignal): Promise<PostgresSession> {
    return this.#at.connect(signal)
  }

  /** Runs statements, each a transaction of its own; the result of the last. */
  run(...statements: readonly Statement[]): Promise<StatementResult> {
    return this.#at.run(...statements)
  }

  /** Runs work in a transaction, and commits it; an abort ends it with the signal's reason. */
  async transact<T>(work: MoverWork, run: (session: PostgresSession) => Promise<T>): Promise<T> {
    const { signal } = work
    const session = await this.connect(signal)
    const abort = () => {
      session.fail(signal!.reason)
      session.cancel()
    }
    signal?.addEventListener('abort', abort, { once: true })
    try {
      begin(session, work)
      const result = await run(session)
      await session.run(unnamed('commit'), { role: 'end' })
      return result
    } catch (error) {
      // What was known of its tables may be what was wrong.
      this.forget()
      throw signal?.aborted ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', abort)
      await session.end()
    }
  }

  /** The tables that were installed here, marks included. */
  tables(): Promise<readonly MovedTable[]> {
    this.#tables ??= this.#readTables()
    return this.#tables
  }

  /** The tables whose rows have slots. */
  async shardedTables(): Promise<readonly MovedTable[]> {
    return (await this.tables()).filter(({ kind }) => kind === 'sharded')
  }

  /** Looks at the tables anew when they are asked for again. */
  forget(): void {
    this.#tables = undefined
  }

  /** @throws {ShardError} `FENCED`, or `UNREACHABLE` where those before do not let go. */
  async claim({ job, token }: MoveLease): Promise<void> {
    const { timers, monotonic, waitMs } = this.wait
    const start = monotonic()
    this.forget()
    for (;;) {
      try {
        await this.#claim(job, token)
        return
      } catch (error) {
        if (isNotInstalled(error)) await this.#install()
        else if (!isTurnOver(error)) throw error
        else if (monotonic() - start >= waitMs) throw heldOn(this.id, job, waitMs, error)
        else await this.run(unnamed(END_HOLDERS))
      }
      await sleep(timers, CLAIM_PAUSE_MS)
    }
  }

  async #claim(job: string, token: number): Promise<void> {
    const session = await this.connect()
    try {
      session.run(unnamed(BEGIN.write), { role: 'begin' })
      session.run(unnamed(`set local lock_timeout = ${CLAIM_TURN_MS}`))
      session.run(unnamed(`select ${DURABLY}`))
      session.run(unnamed('select ashlar.claim_lease($1, $2)', [job, token]))
      await session.run(unnamed('commit'), { role: 'end' })
    } finally {
      await session.end()
    }
  }

  /** A shard that is new remembers tokens as well. */
  async #install(): Promise<void> {
    const session = await this.connect()
    try {
      await install(session, this.id, { ddl: [], tables: [] })
    } finally {
      await session.end()
    }
  }

  async #readTables(): Promise<readonly MovedTable[]> {
    const session = await this.connect()
    try {
      return await readMovedTables(session)
    } catch (error) {
      this.forget()
      if (isNotInstalled(error)) return []
      throw error
    } finally {
      await session.end()
    }
  }
}

function begin(session: PostgresSession, { as, lease, isSilent = false }: MoverWork): void {
  session.run(unnamed(BEGIN[as]), { role: 'begin' })
  session.run(unnamed(PIN))
  if (lease !== undefined) {
    session.run(unnamed(HOLD, [lease.job, lease.token, as === 'write']))
  }
  if (isSilent) session.run(unnamed(SILENCE))
}

function heldOn(shard: string, job: string, waitMs: number, cause: unknown): ShardError {
  return new ShardError(
    'UNREACHABLE',
    `sessions of an earlier worker of job ${job} did not end on shard ${shard} within ${waitMs} ` +
      'ms; end them by pg_terminate_backend, and take the job again',
    { shard, cause },
  )
}
