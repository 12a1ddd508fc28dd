// Worker leases in SQLite: one row a worker id that was ever granted, each call a transaction of
// its own. The processes of one machine share its clock; see worker-lease-store.ts for the ticks.

import { describe, IdError, requireAtLeast } from '../id-error.ts'
import { checkLayout, type Layout, mergedWorker, tickOf, workersOf } from '../layout.ts'
import { layouts } from '../layouts.ts'
import { quotedTable, requireText, unavailable } from '../table-name.ts'
import type { LeaseGrant, WorkerLeaseStore } from '../worker-lease-store.ts'
import {
  exclusively,
  openDatabase,
  type SqliteDatabase,
  type SqliteStatement,
} from './sqlite-database.ts'

type Statements = Readonly<Record<'choose' | 'soonest' | 'acquire' | 'renew' | 'release', string>>

/** Keeps worker leases in an SQLite table. */
export class SqliteLeaseStore implements WorkerLeaseStore {
  readonly layout: Layout
  readonly #database: SqliteDatabase
  readonly #closeDatabase: () => void
  readonly #statements: Readonly<Record<keyof Statements, SqliteStatement>>
  readonly #namespace: string
  readonly #maxTtlMs: number
  readonly #now: () => number
  #isClosed = false

  /**
   * @param options.database path of a file, made if there is none; or a database that is open, for
   *   which `pragma synchronous` should be `full`, and which stays the caller's to close
   * @param options.layout of the ids; default `layouts.ashlar`
   * @param options.maxTtlMs the longest lease that the store grants; default 600,000
   * @param options.table made unless it is there; default `ashlar_leases`
   * @param options.namespace whose workers these are: one for all processes whose ids must differ;
   *   default `default`
   * @param options.now the store's clock in milliseconds since 1970; default `Date.now`
   * @throws IdError INVALID_LAYOUT, INVALID_OPTION; STORE_UNAVAILABLE if the file cannot be opened,
   *   or on a Node without node:sqlite.
   *
   * @example
   * const store = new SqliteLeaseStore({ database: 'ids.db' })
   * const lease = await WorkerLease.acquire(store, { owner: `process ${process.pid}` })
   */
  constructor(options: {
    readonly database: string | SqliteDatabase
    readonly layout?: Layout
    readonly maxTtlMs?: number
    readonly table?: string
    readonly namespace?: string
    readonly now?: () => number
  }) {
    const table = quotedTable(options.table ?? 'ashlar_leases')
    this.layout = mergedWorker(checkLayout(options.layout ?? layouts.ashlar))
    this.#namespace = requireText('namespace', options.namespace ?? 'default')
    this.#maxTtlMs = requireAtLeast('maxTtlMs', options.maxTtlMs ?? 600_000, this.layout.unitMs)
    this.#now = options.now ?? Date.now
    try {
      const { database, close } = openDatabase(options.database)
      this.#database = database
      this.#closeDatabase = close
      database.exec(`create table if not exists ${table} (namespace text, worker_id integer,
        owner text not null, token integer not null, from_tick integer not null,
        until_tick integer not null, is_held integer not null,
        primary key (namespace, worker_id)) strict, without rowid`)
      const { choose, soonest, acquire, renew, release } = statementsOf(table)
      this.#statements = {
        choose: database.prepare(choose),
        soonest: database.prepare(soonest),
        acquire: database.prepare(acquire),
        renew: database.prepare(renew),
        release: database.prepare(release),
      }
    } catch (error) {
      throw unavailable('lease store', error)
    }
  }

  async acquire(owner: string, ttlMs: number): Promise<LeaseGrant> {
    const { tick, untilTick } = this.#open(ttlMs)
    requireText('owner', owner)
    const workers = workersOf(this.layout)
    return this.#change((namespace) => {
      const { choose, soonest, acquire } = this.#statements
      const free = choose.get({ namespace, tick, workers }) as { workerId: number } | undefined
      if (free !== undefined) {
        const { workerId } = free
        return grantOf(acquire.get({ namespace, workerId, owner, untilTick }))
      }
      const { end } = soonest.get({ namespace }) as { end: number }
      throw new IdError(
        'NOT_READY',
        `all ${workers} worker ids are leased: wait waitMs, or use more worker bits`,
        { waitMs: (end - tick) * this.layout.unitMs },
      )
    })
  }

  async renew(grant: LeaseGrant, ttlMs: number): Promise<LeaseGrant> {
    const { untilTick } = this.#open(ttlMs)
    const { workerId, token } = grant
    const renewed = this.#change((namespace) => {
      return this.#statements.renew.get({ namespace, workerId, token, untilTick })
    })
    if (renewed !== undefined) return grantOf(renewed)
    throw new IdError(
      'LEASE_LOST',
      `worker ${workerId} was released or given to somebody else: acquire a new lease`,
    )
  }

  async release({ workerId, token }: LeaseGrant, lastTick: number): Promise<void> {
    this.#refuseClosed()
    this.#change((namespace) => {
      this.#statements.release.run({ namespace, workerId, token, lastTick })
    })
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#closeDatabase()
    this.#isClosed = true
  }

  /** The ticks of now and of the end of a lease granted now. */
  #open(ttlMs: number): { tick: number; untilTick: number } {
    this.#refuseClosed()
    requireAtLeast('ttlMs', ttlMs, this.layout.unitMs)
    const now = this.#now()
    const tick = tickOf(this.layout, now)
    if (!(tick >= 0)) {
      throw new IdError('BEFORE_EPOCH', `the clock of the lease store reads ${describe(now)}`)
    }
    return { tick, untilTick: tickOf(this.layout, now + Math.min(ttlMs, this.#maxTtlMs)) }
  }

  #change<T>(change: (namespace: string) => T): T {
    try {
      return exclusively(this.#database, () => change(this.#namespace))
    } catch (error) {
      throw unavailable('lease store', error)
    }
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new IdError('STORE_UNAVAILABLE', 'the lease store is closed: make a new one')
  }
}

/** A row comes without a prototype, which is nobody's business. */
function grantOf(row: unknown): LeaseGrant {
  return { ...(row as LeaseGrant) }
}

function statementsOf(table: string): Statements {
  const mine = `from ${table} where namespace = $namespace`
  const returning = `returning worker_id as workerId, from_tick as fromTick,
    until_tick as untilTick, token`
  return {
    // The lowest whose ticks are over, else the released one that is least ahead of the clock.
    // Among ids never used the lowest is 0 or follows one that was.
    choose: `select workerId from (
        select worker_id as workerId, until_tick as untilTick ${mine}
          and (until_tick <= $tick or not is_held)
        union all
        select id, 0 from (select 0 as id union select worker_id + 1 ${mine})
          where id < $workers and id not in (select worker_id ${mine}))
      order by max(untilTick - $tick, 0), workerId limit 1`,
    soonest: `select min(until_tick) as end ${mine}`,
    acquire: `insert into ${table} as l
        (namespace, worker_id, owner, token, from_tick, until_tick, is_held)
      values ($namespace, $workerId, $owner, 1, 0, max($untilTick, 1), 1)
      on conflict do update set owner = excluded.owner, token = l.token + 1,
        from_tick = l.until_tick, until_tick = max($untilTick, l.until_tick + 1), is_held = 1
      ${returning}`,
    renew: `update ${table} set until_tick = max(until_tick, $untilTick)
      where namespace = $namespace and worker_id = $workerId and token = $token and is_held
      ${returning}`,
    release: `update ${table} set is_held = 0,
        until_tick = min(until_tick, max(from_tick, $lastTick + 1))
      where namespace = $namespace and worker_id = $workerId and token = $token and is_held`,
  }
}
