// The engine of PostgreSQL servers: a database a shard, with all it needs in a schema `ashlar`.

import type {
  Engine,
  Fence,
  InstallSpec,
  OpenOptions,
  OpenTransaction,
  Outcome,
  PlacedRow,
  PreparedTransaction,
  Scan,
  ScanOptions,
  SlotClaim,
  SqlTx,
  TableSize,
  TableSpec,
} from '../engine.ts'
import type { AdoptingEngine, AdoptOptions } from '../reshard/adopting-engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError, UnknownShard } from '../shard-error.ts'
import { platformTimers, sleep, type Timers } from '../timers.ts'
import { adoptTables } from './adoption.ts'
import { Cursor } from './cursor.ts'
import { changeFences, type FenceWait } from './fence-change.ts'
import { ALL_FENCES, BEGIN_READING } from './fence-sql.ts'
import { MoverShard } from './mover-shard.ts'
import type { PostgresPool } from './postgres-client.ts'
import { isNotInstalled, sqlStateOf } from './postgres-error.ts'
import { install } from './postgres-install.ts'
import { PostgresMover } from './postgres-mover.ts'
import { PostgresScan } from './postgres-scan.ts'
import { PostgresShard } from './postgres-shard.ts'
import { PostgresTransaction } from './postgres-transaction.ts'
import { preparedName, preparedTransactionOf } from './prepared-name.ts'
import { checkShard } from './shard-check.ts'
import { quotedColumn, quotedText } from './sql-name.ts'
import { unnamed } from './statement.ts'
import { measureTables } from './table-sizes.ts'

/** Options of a {@link PostgresEngine}. */
export interface PostgresEngineOptions {
  /**
   * By shard: a URL (the package `pg` must be installed), or a pool of `pg` that stays the
   * caller's, to end as well. Not one with `pipeline: true`.
   */
  readonly shards: Readonly<Record<string, string | PostgresPool>>
  /** Connections a shard, for URLs. Default 10. */
  readonly poolSize?: number | undefined
  /** How long to wait for a connection, in milliseconds, for URLs. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** After how long the server gives up a statement, in milliseconds, for URLs. Default never. */
  readonly statementTimeoutMs?: number | undefined
  /** Rows copied in one transaction where slots move. Default 50,000. */
  readonly unitRows?: number | undefined
  /** How long `setFences` waits for transactions that hold a fence. Default 30,000 ms. */
  readonly fenceWaitMs?: number | undefined
  /** For waits between attempts; the platform's by default. */
  readonly timers?: Timers | undefined
  /** Elapsed milliseconds; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
}

const DEFAULT_BATCH_ROWS = 1_000
const PREPARED = `select gid, extract(epoch from clock_timestamp() - prepared) * 1000 as age
from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database() order by prepared`
const NO_SUCH_PREPARED = '42704'
/** Another session is ending the same prepared transaction. */
const IS_BUSY = '55000'
const RESOLVE_PAUSE_MS = 20
const RESOLVE_ATTEMPTS = 250
const MOVER_POOL_SIZE = 8

/**
 * An engine over PostgreSQL 15 or later.
 *
 * The role it logs in as must own the tables, and for `install` may create the schema `ashlar`.
 * A role that only routes needs USAGE on that schema, SELECT on its tables, INSERT and DELETE on
 * `ashlar.mark`, INSERT on `ashlar.dirty`, and what its statements need; `setFences` also INSERT
 * and UPDATE on `ashlar.fence` and UPDATE on `ashlar.shard`. Transactions over shards are ended by
 * the role that began them.
 *
 * Writers run READ COMMITTED, readers REPEATABLE READ. Values: int8 and numeric are a number where
 * that is exact, else a bigint (a numeric with a fraction: the nearest number); `date`, `timestamp`
 * and `timestamptz` are a Date, without a zone by UTC; bytea is a Uint8Array.
 *
 * @example
 * const engine = new PostgresEngine({
 *   shards: { s1: 'postgres://app@db1/app', s2: 'postgres://app@db2/app' },
 * })
 */
export class PostgresEngine implements Engine<SqlTx>, AdoptingEngine {
  readonly kind = 'postgres'
  readonly shards: readonly string[]
  readonly mover: PostgresMover
  readonly #shards: ReadonlyMap<string, PostgresShard>
  /** By a pool of its own where the engine makes them: a job waits for no router's connection. */
  readonly #moved: ReadonlyMap<string, PostgresShard>
  readonly #ways: ReadonlyMap<string, MoverShard>
  readonly #fenceWait: FenceWait
  #isClosed = false

  /** Connects to nothing yet. */
  constructor(options: PostgresEngineOptions) {
    const { timers = platformTimers, monotonic = () => performance.now() } = options
    const { poolSize = 10, connectTimeoutMs = 5_000, statementTimeoutMs } = options
    const pool = { poolSize, connectTimeoutMs, statementTimeoutMs, timers }
    this.#shards = new Map(
      Object.entries(options.shards).map(([id, at]) => [id, new PostgresShard(id, at, pool)]),
    )
    this.#fenceWait = { timers, monotonic, waitMs: options.fenceWaitMs ?? 30_000 }
    this.shards = [...this.#shards.keys()]
    const own = { ...pool, poolSize: MOVER_POOL_SIZE, statementTimeoutMs: undefined }
    this.#moved = new Map(
      Object.entries(options.shards).map(([id, at]) => [id, new PostgresShard(id, at, own)]),
    )
    this.#ways = new Map(
      [...this.#moved].map(([id, at]) => [id, new MoverShard(at, this.#fenceWait)]),
    )
    this.mover = new PostgresMover((id) => this.#known(this.#ways, id), {
      unitRows: options.unitRows ?? 50_000,
      monotonic,
    })
  }

  async check(shard: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const session = await this.#shard(shard).connect(signal)
    const abort = () => session.fail(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await checkShard(session, shard)
    } finally {
      signal?.removeEventListener('abort', abort)
      session.release()
    }
  }

  async install(shard: string, spec: InstallSpec): Promise<void> {
    const at = this.#shard(shard)
    const session = await at.connect()
    try {
      await install(session, shard, spec)
      at.layouts.reset()
    } finally {
      await session.end()
    }
  }

  async adopt(shard: string, spec: InstallSpec, options: AdoptOptions): Promise<void> {
    await adoptTables(this.#known(this.#ways, shard), spec, options)
    this.#shard(shard).layouts.reset()
  }

  async open(
    shard: string,
    claim: SlotClaim,
    options: OpenOptions = {},
  ): Promise<OpenTransaction<SqlTx>> {
    const at = this.#shard(shard)
    const session = await at.connect(options.signal)
    const { names, layouts, open } = at
    const onEnd = (ended: PostgresTransaction) => open.delete(ended)
    const setting = { shard, session, names, layouts, onEnd }
    const transaction = new PostgresTransaction(setting, claim, options)
    open.add(transaction)
    return transaction
  }

  async scan(shard: string, request: ScanRequest, options: ScanOptions = {}): Promise<Scan> {
    const at = this.#shard(shard)
    const { signal, batchRows = DEFAULT_BATCH_ROWS } = options
    const session = await at.connect(signal)
    const { names, layouts, open, owned: known } = at
    const onEnd = (ended: PostgresScan) => open.delete(ended)
    const setting = { shard, session, names, layouts, batchRows, signal, known, onEnd }
    const scan = new PostgresScan(setting)
    open.add(scan)
    at.owned = await scan.open(request)
    return scan
  }

  async fences(shard: string): Promise<readonly Fence[]> {
    try {
      const { rows } = await this.#shard(shard).run(unnamed(ALL_FENCES))
      return rows as readonly unknown[] as readonly Fence[]
    } catch (error) {
      if (isNotInstalled(error)) return []
      throw error
    }
  }

  async setFences(shard: string, fences: readonly Fence[]): Promise<void> {
    const at = this.#shard(shard)
    if (fences.length > 0) await changeFences(() => at.connect(), fences, this.#fenceWait, shard)
  }

  async prepared(shard: string): Promise<readonly PreparedTransaction[]> {
    const { rows } = await this.#shard(shard).run(unnamed(PREPARED))
    return rows.flatMap(({ gid, age }) => {
      const transaction = preparedTransactionOf(String(gid), shard)
      return transaction === undefined ? [] : [{ transaction, ageMs: Math.max(0, Number(age)) }]
    })
  }

  async resolve(shard: string, transaction: string, outcome: Outcome): Promise<void> {
    const at = this.#shard(shard)
    const name = quotedText(preparedName(transaction, shard))
    for (let attempt = 1; ; attempt++) {
      try {
        await at.run(unnamed(`${outcome} prepared ${name}`))
        return
      } catch (error) {
        const code = sqlStateOf(error)
        if (code === NO_SUCH_PREPARED) return
        if (code !== IS_BUSY || attempt === RESOLVE_ATTEMPTS) throw error
      }
      await sleep(this.#fenceWait.timers, RESOLVE_PAUSE_MS)
    }
  }

  measure(shard: string): Promise<readonly TableSize[]> {
    return measureTables(this.#shard(shard))
  }

  async *placements(shard: string, table: TableSpec): AsyncGenerator<readonly PlacedRow[]> {
    const at = this.#shard(shard)
    const session = await at.connect()
    try {
      session.run(unnamed(BEGIN_READING), { role: 'begin' })
      const layout = await at.layouts.read(session, table.name, table.key)
      const columns = [...table.key, ...layout.primaryKey].map(quotedColumn)
      const cursor = new Cursor(session, DEFAULT_BATCH_ROWS, false)
      await cursor.open(
        `select ${['ashlar_slot', ...new Set(columns)].join(', ')} from ${layout.table}`,
        [],
      )
      for await (const rows of cursor.batches()) {
        yield rows.map((row) => ({
          slot: Number(row.ashlar_slot),
          key: table.key.map((column) => row[column]),
          primaryKey: Object.fromEntries(layout.primaryKey.map((one) => [one, row[one]])),
        }))
      }
    } finally {
      await session.end()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const all = [...this.#shards.values(), ...this.#moved.values()]
    await Promise.all(all.map((shard) => shard.close()))
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #shard(id: string): PostgresShard {
    return this.#known(this.#shards, id)
  }

  #known<T>(shards: ReadonlyMap<string, T>, id: string): T {
    const shard = shards.get(id)
    if (this.#isClosed) throw new ShardError('CLOSED', 'this engine was closed; make another')
    if (shard === undefined) throw new UnknownShard(id, this.shards)
    return shard
  }
}
