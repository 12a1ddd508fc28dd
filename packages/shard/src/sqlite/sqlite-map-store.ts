// The shard map, decisions, sagas and jobs in a SQLite file of their own, beside the shards' or
// anywhere that all routers can open: one row holds the map as JSON, and its epoch is what is
// compared.

import type { JobLog } from '../job-log.ts'
import type { DecisionLog, MapStore, SagaLog } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { show } from '../show.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { EpochWatch } from './epoch-watch.ts'
import { mapEpoch, replaceMap } from './map-row.ts'
import { SqliteDecisionLog } from './sqlite-decision-log.ts'
import { SqliteJobLog } from './sqlite-job-log.ts'
import { SqliteSagaLog } from './sqlite-saga-log.ts'
import { StoreFile } from './store-file.ts'

/** Options of a {@link SqliteMapStore}. */
export interface SqliteMapStoreOptions {
  /** The store's clock in milliseconds, for leases and what is kept for a time. */
  readonly now?: (() => number) | undefined
  readonly timers?: Timers | undefined
  /** How often a watch looks for changes by other processes; default 200 ms. */
  readonly pollMs?: number | undefined
}

/**
 * Keeps the map of a fleet in a SQLite file. Processes of one machine may share it.
 *
 * @example
 * const store = new SqliteMapStore('data/map.db')
 */
export class SqliteMapStore implements MapStore {
  readonly decisions: DecisionLog
  readonly sagas: SagaLog
  readonly jobs: JobLog
  readonly #file: StoreFile
  readonly #watch: EpochWatch

  /**
   * @param path of the file, made with its folder if there is none; `:memory:` for one that only
   *   this store sees
   * @throws {ShardError} `UNREACHABLE` if it cannot be opened, `UNSUPPORTED` on a Node without
   *   node:sqlite, `INVALID_OPTION`
   */
  constructor(path: string, options: SqliteMapStoreOptions = {}) {
    const { now = Date.now, timers = platformTimers, pollMs = 200 } = options
    if (!(pollMs >= 1)) {
      throw new ShardError('INVALID_OPTION', `pollMs is ${show(pollMs)}; it must be at least 1`)
    }
    this.#file = new StoreFile(path)
    this.decisions = new SqliteDecisionLog(this.#file, now)
    this.sagas = new SqliteSagaLog(this.#file, now)
    this.jobs = new SqliteJobLog(this.#file, { now, onMap: () => this.#watch.wake() })
    const source = {
      version: () =>
        this.#file.readNow((connection) => Number(connection.get('pragma data_version')![0])),
      epoch: () => this.#file.readNow(mapEpoch),
    }
    this.#watch = new EpochWatch(source, { timers, pollMs })
  }

  async load(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ShardMapJson | undefined> {
    options.signal?.throwIfAborted()
    return this.#file.read((connection) => {
      const row = connection.get('select json from ashlar_map')
      return row === undefined ? undefined : (JSON.parse(String(row[0])) as ShardMapJson)
    })
  }

  async epoch(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number | undefined> {
    options.signal?.throwIfAborted()
    return this.#file.read(mapEpoch)
  }

  async compareAndSet(expected: number | undefined, next: ShardMapJson): Promise<boolean> {
    const change = { expected, next }
    const isSet = await this.#file.change((connection) => replaceMap(connection, change))
    if (isSet) this.#watch.wake()
    return isSet
  }

  watch(onEpoch: (epoch: number) => void): () => void {
    return this.#watch.add(onEpoch)
  }

  async close(): Promise<void> {
    this.#watch.stop()
    this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
