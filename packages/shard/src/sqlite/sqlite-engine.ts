// Shards as SQLite files of this process, by node:sqlite: the embedded engine. One process owns the
// files; within it one transaction a shard writes at a time, and readers have snapshots meanwhile.

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
import { show } from '../show.ts'
import type { SlotMover } from '../slot-mover.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { scanSql } from './scan-sql.ts'
import { adoptShard } from './sqlite-adopt.ts'
import { readTable, tableOf } from './sqlite-catalog.ts'
import { readFences, writeFences } from './sqlite-fence.ts'
import { installShard } from './sqlite-install.ts'
import { measureTables } from './sqlite-measure.ts'
import { SqliteMover } from './sqlite-mover.ts'
import { refusalOf } from './sqlite-refusal.ts'
import { placementsOf, type ScanHome, SqliteScan } from './sqlite-scan.ts'
import { SqliteShard, type SqliteShardOptions } from './sqlite-shard.ts'
import type { Synchronous } from './synchronous.ts'

/**
 * Keeps each shard in a SQLite file of this process.
 *
 * Parameters are bound as JavaScript has them, with these conversions: booleans become 1 and 0,
 * dates ISO 8601 text, `undefined` NULL. Integers come back as numbers while those are exact, else
 * as bigints. A statement that is refused makes the whole transaction fail, as in PostgreSQL. An
 * `INSERT` into a sharded table names its columns, since the table has one more: `ashlar_slot`.
 *
 * After a crash nothing half done remains: what had committed is there, the rest SQLite undoes;
 * transactions over shards that were decided and not told are done again by recovery, from the
 * decision. Tables without a primary key, virtual tables' own rows and changes of the schema cannot
 * be part of those.
 */
export class SqliteEngine implements Engine<SqlTx>, AdoptingEngine {
  readonly kind = 'sqlite'
  readonly shards: readonly string[]
  readonly mover: SlotMover
  readonly #paths: ReadonlyMap<string, string>
  readonly #options: Omit<SqliteShardOptions, 'path'>
  readonly #mover: SqliteMover
  readonly #opened = new Map<string, SqliteShard>()
  #isClosed = false

  /**
   * Opens nothing yet: a shard's file is opened when it is first asked for.
   *
   * @param options.shards the file of each shard, made with its folder if there is none; `:memory:`
   *   for one that is gone at the end (it is a temporary file without syncs meanwhile)
   * @param options.synchronous `full`: a commit is on the disk when it resolves; `normal`: a power
   *   loss may take the last ones back, a killed process none; `off`: for tests. Default `full`
   * @param options.busyTimeoutMs how long a transaction waits for its turn on a shard before it is
   *   refused with `UNREACHABLE`; default 10,000
   * @param options.readers how many snapshots of a shard are read at once, each by a connection of
   *   its own; default 8
   * @param options.monotonic elapsed milliseconds, for the age of prepared transactions
   * @param options.now the wall clock in milliseconds; default `Date.now`
   * @throws {ShardError} `INVALID_OPTION`
   *
   * @example
   * const engine = new SqliteEngine({ shards: { s1: 'data/s1.db', s2: 'data/s2.db' } })
   */
  constructor(options: {
    readonly shards: Readonly<Record<string, string>>
    readonly synchronous?: Synchronous
    readonly busyTimeoutMs?: number
    readonly readers?: number
    readonly monotonic?: () => number
    readonly now?: () => number
    readonly timers?: Timers
  }) {
    const { synchronous = 'full', busyTimeoutMs = 10_000, readers = 8 } = options
    this.#paths = pathsOf(options.shards)
    this.shards = [...this.#paths.keys()]
    if (!['full', 'normal', 'off'].includes(synchronous)) {
      throw invalid(`synchronous is ${show(synchronous)}; it is full, normal or off`)
    }
    const monotonic = options.monotonic ?? (() => performance.now())
    this.#options = {
      synchronous,
      busyTimeoutMs: atLeast('busyTimeoutMs', busyTimeoutMs, 0),
      readers: atLeast('readers', readers, 1),
      monotonic,
      now: options.now ?? Date.now,
      timers: options.timers ?? platformTimers,
    }
    const { timers } = this.#options
    this.#mover = new SqliteMover({ shard: (id) => this.#shard(id), timers, monotonic })
    this.mover = this.#mover
  }

  async check(
    shard: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    options.signal?.throwIfAborted()
    await this.#shard(shard).read((connection) => {
      connection.get('select count(*) from sqlite_schema')
    })
  }

  async install(shard: string, spec: InstallSpec): Promise<void> {
    const opened = this.#shard(shard)
    try {
      await opened.write((connection) => installShard(connection, spec))
    } finally {
      opened.redefined()
    }
  }

  /**
   * As `AdoptingEngine` has it. Each statement of SQLite holds this process up: the longest is the
   * making of an index on the new column, at the beginning. From that on the application has to
   * name its columns where it inserts.
   */
  async adopt(shard: string, spec: InstallSpec, options: AdoptOptions): Promise<void> {
    const { timers, monotonic, busyTimeoutMs } = this.#options
    const home = { shard: this.#shard(shard), timers, monotonic, busyTimeoutMs }
    await adoptShard(home, spec, {
      ...options,
      batchRows: atLeast('batchRows', options.batchRows, 1),
    })
  }

  async open(
    shard: string,
    claim: SlotClaim,
    options: OpenOptions = {},
  ): Promise<OpenTransaction<SqlTx>> {
    const { readOnly = false, prepares = true, signal } = options
    signal?.throwIfAborted()
    const begun = { claim, readOnly, prepares, signal }
    const opened = this.#shard(shard)
    return opened.beginNow(begun) ?? opened.begin(begun)
  }

  async scan(shard: string, request: ScanRequest, options: ScanOptions = {}): Promise<Scan> {
    const opened = this.#shard(shard)
    const home = await this.#startScan(opened, options)
    try {
      const owned = opened.owned.read(home.connection)
      const table = tableOf(home.connection, request.table)
      return new SqliteScan(home, owned, scanSql(table, request, true))
    } catch (error) {
      home.release()
      throw refusalOf(error, shard)
    }
  }

  async fences(shard: string): Promise<readonly Fence[]> {
    return this.#shard(shard).read(readFences)
  }

  async setFences(shard: string, fences: readonly Fence[]): Promise<void> {
    await this.#shard(shard).write((connection) => writeFences(connection, fences))
  }

  async prepared(shard: string): Promise<readonly PreparedTransaction[]> {
    return this.#shard(shard).prepared()
  }

  async resolve(
    shard: string,
    transaction: string,
    outcome: Outcome,
    redo?: Uint8Array | undefined,
  ): Promise<void> {
    await this.#shard(shard).resolve(transaction, outcome, redo)
  }

  async measure(shard: string): Promise<readonly TableSize[]> {
    return this.#shard(shard).read(measureTables)
  }

  async *placements(shard: string, table: TableSpec): AsyncIterable<readonly PlacedRow[]> {
    const home = await this.#startScan(this.#shard(shard), {})
    const info = readTable(home.connection, table)
    if (info === undefined) {
      home.release()
      throw new ShardError('UNKNOWN_TABLE', `shard ${shard} has no table ${show(table.name)}`, {
        shard,
      })
    }
    yield* placementsOf(home, info, table)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#mover.close()
    for (const shard of this.#opened.values()) shard.close()
    this.#opened.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #startScan(opened: SqliteShard, options: ScanOptions): Promise<ScanHome> {
    const { signal, batchRows = 1000 } = options
    atLeast('batchRows', batchRows, 1)
    signal?.throwIfAborted()
    const connection = await opened.startReading(signal)
    const release = () => opened.stopReading(connection)
    return { shard: opened.shard, connection, batchRows, signal, release }
  }

  #shard(id: string): SqliteShard {
    const found = this.#opened.get(id)
    if (found !== undefined) return found
    if (this.#isClosed) throw new ShardError('CLOSED', 'the engine is closed; make another')
    const path = this.#paths.get(id)
    if (path === undefined) throw new UnknownShard(id, this.shards)
    const made = new SqliteShard(id, { ...this.#options, path })
    this.#opened.set(id, made)
    return made
  }
}

function pathsOf(shards: Readonly<Record<string, string>>): Map<string, string> {
  const paths = new Map(Object.entries(shards))
  const bad = [...paths].find(([, path]) => typeof path !== 'string' || path === '')
  if (bad !== undefined) {
    throw invalid(`shard ${bad[0]} has the path ${show(bad[1])}; give it a file or ':memory:'`)
  }
  if (paths.size === 0) throw invalid('shards is empty; give at least one')
  return paths
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw invalid(`${name} is ${show(value)}; it must be an integer of at least ${least}`)
}

function invalid(message: string): ShardError {
  return new ShardError('INVALID_OPTION', message)
}
