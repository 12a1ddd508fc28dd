// The engine of databases in memory: for simulation, as the oracle of the other engines, and to
// try the router without a server. Deterministic: what happens when is decided by the caller, by
// `delay` and by the timers alone.

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
  ShardTx,
  SlotClaim,
  TableSize,
  TableSpec,
} from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError, UnknownShard } from '../shard-error.ts'
import { abortable, platformTimers, type Timers } from '../timers.ts'
import { EngineSteps, type StepOptions, unreachable } from './engine-steps.ts'
import { FenceChange } from './fence-change.ts'
import { MemoryDatabase } from './memory-database.ts'
import { MemoryMover } from './memory-mover.ts'
import { MemoryScan } from './memory-scan.ts'
import type { MemoryShard } from './memory-shard.ts'
import { MemoryTransaction } from './memory-transaction.ts'
import { copyOut, sizeBytes } from './stored-row.ts'

/** Options of a {@link MemoryEngine}. */
export interface MemoryEngineOptions extends StepOptions {
  /** The databases by shard; given names alone, it makes an empty one for each. */
  readonly shards: Readonly<Record<string, MemoryDatabase>> | readonly string[]
  /** How long a transaction waits for a lock before it is rolled back. Default 5,000 ms. */
  readonly lockWaitMs?: number | undefined
  /** For lock waits; the platform's by default. */
  readonly timers?: Timers | undefined
  /** Elapsed milliseconds, for health and databases that it makes; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
  /** About how many rows are copied in one transaction. Default 1,000. */
  readonly unitRows?: number | undefined
}

const DEFAULT_LOCK_WAIT_MS = 5_000
const DEFAULT_BATCH_ROWS = 1_000
const DEFAULT_UNIT_ROWS = 1_000

/**
 * An engine over {@link MemoryDatabase}s.
 *
 * @example
 * const engine = new MemoryEngine({ shards: ['s1', 's2'] })
 */
export class MemoryEngine implements Engine<ShardTx> {
  readonly kind = 'memory'
  readonly shards: readonly string[]
  readonly mover: MemoryMover
  readonly #shards: ReadonlyMap<string, MemoryShard>
  readonly #wait: { readonly timers: Timers; readonly waitMs: number }
  #isClosed = false

  constructor(options: MemoryEngineOptions) {
    const { shards, lockWaitMs = DEFAULT_LOCK_WAIT_MS, timers = platformTimers } = options
    const databases = isNames(shards)
      ? shards.map((id) => [id, new MemoryDatabase({ monotonic: options.monotonic })] as const)
      : Object.entries(shards)
    this.#wait = { timers, waitMs: lockWaitMs }
    this.#shards = new Map(
      databases.map(([id, database]) => [id, this.#join(id, database, options)]),
    )
    this.shards = [...this.#shards.keys()]
    this.mover = new MemoryMover({
      shard: (id) => this.#shard(id),
      wait: this.#wait,
      monotonic: options.monotonic ?? (() => performance.now()),
      unitRows: options.unitRows ?? DEFAULT_UNIT_ROWS,
    })
  }

  /** The database of a shard. @throws {UnknownShard} */
  database(shard: string): MemoryDatabase {
    return this.#shard(shard).database
  }

  /**
   * Ends every open transaction and scan of a shard, or of all, as a restart does; prepared ones
   * stay, with their locks. The engine can be used on; `close` it where its process died.
   */
  crash(shard?: string): void {
    for (const id of shard === undefined ? this.shards : [shard]) {
      this.#endAll(this.#shard(id), unreachable(id, 'it crashed'))
    }
  }

  /** Crashes a shard, and refuses everything with `UNREACHABLE` until it is up again. */
  down(shard: string): void {
    this.#shard(shard).isDown = true
    this.crash(shard)
  }

  /** The shard answers again. */
  up(shard: string): void {
    this.#shard(shard).isDown = false
  }

  async check(shard: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    await abortable(
      this.#step(shard, 'check', () => undefined),
      signal,
    )
  }

  install(shard: string, spec: InstallSpec): Promise<void> {
    return this.#step(shard, 'install', ({ database }) => database.install(spec))
  }

  async open(
    shard: string,
    claim: SlotClaim,
    options: OpenOptions = {},
  ): Promise<OpenTransaction<ShardTx>> {
    const { database, steps, open } = this.#shard(shard)
    options.signal?.throwIfAborted()
    const onEnd = (ended: MemoryTransaction) => open.delete(ended)
    const setting = { shard, database, steps, wait: this.#wait, onEnd }
    const transaction = new MemoryTransaction(setting, claim, options)
    open.add(transaction)
    await transaction.begin()
    return transaction
  }

  async scan(shard: string, request: ScanRequest, options: ScanOptions = {}): Promise<Scan> {
    const { signal, batchRows = DEFAULT_BATCH_ROWS } = options
    const { database, steps, open } = this.#shard(shard)
    signal?.throwIfAborted()
    const onEnd = (ended: MemoryScan) => open.delete(ended)
    let scan: MemoryScan | undefined
    try {
      return await steps.run('scan', () => {
        scan = new MemoryScan({ database, steps, onEnd }, request, { signal, batchRows })
        open.add(scan)
        return scan
      })
    } catch (error) {
      scan?.fail(error)
      throw error
    }
  }

  fences(shard: string): Promise<readonly Fence[]> {
    return this.#step(shard, 'fences', ({ database }) =>
      [...database.fences.values()].sort((a, b) => a.slot - b.slot),
    )
  }

  setFences(shard: string, fences: readonly Fence[]): Promise<void> {
    return this.#step(shard, 'setFences', async (place) => {
      const change = new FenceChange(place)
      try {
        await change.take(
          fences.map((fence) => fence.slot),
          this.#wait,
        )
        place.database.setFences(fences)
      } finally {
        change.close()
      }
    })
  }

  prepared(shard: string): Promise<readonly PreparedTransaction[]> {
    return this.#step(shard, 'prepared', ({ database }) => database.prepared())
  }

  resolve(shard: string, transaction: string, outcome: Outcome): Promise<void> {
    return this.#step(shard, 'resolve', ({ database }) => database.resolve(transaction, outcome))
  }

  measure(shard: string): Promise<readonly TableSize[]> {
    return this.#step(shard, 'measure', ({ database }) =>
      [...database.tables.values()].map(({ spec, versions }) => {
        const rows = [...versions.all(database.commit)].map(([, row]) => sizeBytes(row.values))
        const bytes = rows.reduce((sum, size) => sum + size, 0)
        return { table: spec.name, rows: rows.length, bytes }
      }),
    )
  }

  async *placements(shard: string, table: TableSpec): AsyncGenerator<readonly PlacedRow[]> {
    const rows = await this.#step(shard, 'placements', ({ database }) => {
      const { spec, primaryKey, versions } = database.table(table.name)
      return [...versions.all(database.commit)].map(([, { slot, values }]) => ({
        slot,
        key: spec.key.map((column) => copyOut(values, [column])[column]),
        primaryKey: copyOut(values, primaryKey),
      }))
    })
    for (let i = 0; i < rows.length; i += DEFAULT_BATCH_ROWS) {
      yield rows.slice(i, i + DEFAULT_BATCH_ROWS)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const shard of this.#shards.values()) this.#endAll(shard, closed())
  }

  #join(id: string, database: MemoryDatabase, options: MemoryEngineOptions): MemoryShard {
    const shard: MemoryShard = {
      id,
      database,
      steps: new EngineSteps(id, options, () => this.#checkAlive(id, shard)),
      open: new Set(),
      isDown: false,
    }
    return shard
  }

  #shard(id: string): MemoryShard {
    const shard = this.#shards.get(id)
    if (shard === undefined) throw new UnknownShard(id, this.shards)
    return shard
  }

  #checkAlive(id: string, shard: MemoryShard): void {
    if (this.#isClosed) throw closed()
    if (shard.isDown) throw unreachable(id, 'it is down')
  }

  async #step<T>(
    id: string,
    label: string,
    effect: (shard: MemoryShard) => T | Promise<T>,
  ): Promise<T> {
    const shard = this.#shard(id)
    return shard.steps.run(label, () => effect(shard))
  }

  #endAll(shard: MemoryShard, reason: ShardError): void {
    for (const one of [...shard.open]) one.fail(reason)
  }
}

function isNames(shards: MemoryEngineOptions['shards']): shards is readonly string[] {
  return Array.isArray(shards)
}

function closed(): ShardError {
  return new ShardError('CLOSED', 'this engine was closed; make another on the same databases')
}
