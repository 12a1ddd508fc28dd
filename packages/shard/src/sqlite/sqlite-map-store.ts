// The shard map, decisions and sagas in a SQLite file of their own, beside the shards' or anywhere
// that all routers can open: one row holds the map as JSON, and its epoch is what is compared.

import type { DecisionLog, MapStore, SagaLog } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { show } from '../show.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { EpochWatch } from './epoch-watch.ts'
import { SqliteDecisionLog } from './sqlite-decision-log.ts'
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
    const source = {
      version: () =>
        this.#file.readNow((connection) => Number(connection.get('pragma data_version')![0])),
      epoch: () => this.#file.readNow((connection) => epochOf(connection.get(EPOCH))),
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
    return this.#file.read((connection) => epochOf(connection.get(EPOCH)))
  }

  async compareAndSet(expected: number | undefined, next: ShardMapJson): Promise<boolean> {
    const json = JSON.stringify(next)
    const isSet = await this.#file.change((connection) => {
      if (epochOf(connection.get(EPOCH)) !== expected) return false
      if (expected !== undefined && next.epoch <= expected) {
        throw new ShardError(
          'INVALID_MAP',
          `the next map has epoch ${next.epoch}; it must be above ${expected}, the one in force`,
        )
      }
      connection.run(
        `insert into ashlar_map values (1, ?, ?) on conflict do update
          set epoch = excluded.epoch, json = excluded.json`,
        next.epoch,
        json,
      )
      return true
    })
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

const EPOCH = 'select epoch from ashlar_map'

function epochOf(row: readonly unknown[] | undefined): number | undefined {
  return row === undefined ? undefined : Number(row[0])
}
