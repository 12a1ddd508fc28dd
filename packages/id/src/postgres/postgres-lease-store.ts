// Worker leases in PostgreSQL: one row a worker id that was ever granted, a single statement a
// call. The clock is the server's; see worker-lease-store.ts for what the ticks mean.

import { describe, IdError, requireAtLeast } from '../id-error.ts'
import { checkLayout, type Layout, mergedWorker, workersOf } from '../layout.ts'
import { layouts } from '../layouts.ts'
import { quotedTable, requireText, unavailable } from '../table-name.ts'
import type { LeaseGrant, WorkerLeaseStore } from '../worker-lease-store.ts'
import { type LeaseStatements, leaseStatements } from './lease-statements.ts'
import { codeOf, createTable, type PostgresClient, rowsOf } from './postgres-client.ts'

type Row = Readonly<Record<string, unknown>>

/** Another transaction came between, where the database's default isolation is strict. */
const SERIALIZATION_FAILURE = '40001'
const MAX_ATTEMPTS = 20

/** Keeps worker leases in a PostgreSQL table. */
export class PostgresLeaseStore implements WorkerLeaseStore {
  readonly layout: Layout
  readonly #client: PostgresClient
  readonly #namespace: string
  readonly #maxTtlMs: number
  readonly #statements: LeaseStatements
  #isClosed = false

  /**
   * Asks nothing of the database yet.
   *
   * @param options.client a `Pool` of the package `pg`, say; it stays the caller's, to end as well
   * @param options.layout of the ids; default `layouts.ashlar`
   * @param options.maxTtlMs the longest lease that the store grants; default 600,000
   * @param options.table `table` or `schema.table`, made when it is first needed; default
   *   `ashlar_leases`
   * @param options.namespace whose workers these are: one for all processes whose ids must differ;
   *   default `default`
   * @throws IdError INVALID_LAYOUT or INVALID_OPTION
   *
   * @example
   * const store = new PostgresLeaseStore({ client: new pg.Pool() })
   * const lease = await WorkerLease.acquire(store, { owner: hostname() })
   */
  constructor(options: {
    readonly client: PostgresClient
    readonly layout?: Layout
    readonly maxTtlMs?: number
    readonly table?: string
    readonly namespace?: string
  }) {
    this.layout = mergedWorker(checkLayout(options.layout ?? layouts.ashlar))
    this.#client = options.client
    this.#namespace = requireText('namespace', options.namespace ?? 'default')
    this.#maxTtlMs = requireAtLeast('maxTtlMs', options.maxTtlMs ?? 600_000, this.layout.unitMs)
    this.#statements = leaseStatements(quotedTable(options.table ?? 'ashlar_leases'))
  }

  /** Makes the table unless it is there: for a role that may, before one that may not. */
  async createTable(): Promise<void> {
    this.#refuseClosed()
    await createTable(this.#client, this.#statements.createTable).catch((error: unknown) => {
      throw unavailable('lease store', error)
    })
  }

  async acquire(owner: string, ttlMs: number): Promise<LeaseGrant> {
    const timed = this.#timed(ttlMs)
    requireText('owner', owner)
    const workers = workersOf(this.layout)
    // Each attempt that lost its worker to another process chooses among more of them.
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const values = [...timed, workers, owner, Math.min(4 ** attempt, 65_536)]
      const [row] = await this.#rows(this.#statements.acquire, values)
      if (row === undefined) continue
      if (row.worker_id !== null) return grantOf(row)
      const tick = Number(row.tick)
      if (tick < 0) throw new IdError('BEFORE_EPOCH', 'the server’s clock is before the epoch')
      if (Number(row.free) > 0) continue
      throw new IdError(
        'NOT_READY',
        `all ${workers} worker ids are leased: wait waitMs, or use more worker bits`,
        { waitMs: Number(row.soonest) * this.layout.unitMs },
      )
    }
    throw new IdError('NOT_READY', 'others got every worker id that was free: try again', {
      waitMs: 1000,
    })
  }

  async renew(grant: LeaseGrant, ttlMs: number): Promise<LeaseGrant> {
    const values = [...this.#timed(ttlMs), grant.workerId, grant.token]
    const [row] = await this.#rows(this.#statements.renew, values)
    if (row !== undefined) return grantOf(row)
    throw new IdError(
      'LEASE_LOST',
      `worker ${grant.workerId} was released or given to somebody else: acquire a new lease`,
    )
  }

  async release(grant: LeaseGrant, lastTick: number): Promise<void> {
    this.#refuseClosed()
    const values = [this.#namespace, grant.workerId, grant.token, lastTick]
    await this.#rows(this.#statements.release, values)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  /** What every statement that reads the clock begins with. */
  #timed(ttlMs: number): unknown[] {
    this.#refuseClosed()
    const { epoch, unitMs } = this.layout
    requireAtLeast('ttlMs', ttlMs, unitMs)
    return [this.#namespace, epoch, unitMs, Math.min(ttlMs, this.#maxTtlMs)]
  }

  async #rows(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      return await rowsOf(this.#client, text, values, this.#statements)
    } catch (error) {
      // Nothing has happened: for an acquire that is as if the worker had been lost to another.
      const isLostRace = codeOf(error) === SERIALIZATION_FAILURE
      if (isLostRace && text === this.#statements.acquire) return []
      throw unavailable('lease store', error)
    }
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new IdError('STORE_UNAVAILABLE', 'the lease store is closed: make a new one')
  }
}

/** PostgreSQL's bigint comes as text. */
function grantOf(row: Row): LeaseGrant {
  const [workerId, fromTick, untilTick, token] = [
    row.worker_id,
    row.from_tick,
    row.until_tick,
    row.token,
  ].map((value) => {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw new IdError('INVALID_ID', `the lease store answered with ${describe(value)}`)
  }) as [number, number, number, number]
  return { workerId, fromTick, untilTick, token }
}
