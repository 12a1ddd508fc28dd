// The map of a fleet in a PostgreSQL database: any, one of the shards as well. A changed map is
// notified, so that routers hear of it within a round trip.

import type { JobLog } from '../job-log.ts'
import type { DecisionLog, MapStore, SagaLog } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { MapWatch } from './map-watch.ts'
import type { PostgresPool } from './postgres-client.ts'
import { PostgresDecisionLog } from './postgres-decision-log.ts'
import { checkNextEpoch, PostgresJobLog } from './postgres-job-log.ts'
import { PostgresSagaLog } from './postgres-saga-log.ts'
import { StoreConnection } from './store-connection.ts'
import { type StoreSql, storeSql } from './store-sql.ts'

/** Options of a {@link PostgresMapStore}. */
export interface PostgresMapStoreOptions {
  /** Where its tables lie, made when first needed; one a fleet. Default `ashlar_map`. */
  readonly schema?: string | undefined
  /** Connections, for a URL. One more is used while the map is watched. Default 4. */
  readonly poolSize?: number | undefined
  /** How long to wait for a connection, in milliseconds, for a URL. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** How often a watch looks, besides being notified. Default 10,000 ms. */
  readonly pollMs?: number | undefined
  /** For looks and for connecting again; the platform's by default. */
  readonly timers?: Timers | undefined
  /** Elapsed milliseconds; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
}

/**
 * A map store in PostgreSQL. Leases run on the server's clock. What must be durable is on the disk
 * when it resolves, also where `synchronous_commit` is off.
 *
 * @example
 * const store = new PostgresMapStore('postgres://app@db1/app')
 */
export class PostgresMapStore implements MapStore {
  readonly decisions: DecisionLog
  readonly sagas: SagaLog
  readonly jobs: JobLog
  readonly #connection: StoreConnection
  readonly #sql: StoreSql
  readonly #watch: MapWatch

  /**
   * Connects to nothing yet.
   *
   * @param source a URL (the package `pg` must be installed), or a pool of `pg` that stays the
   *   caller's, to end as well, without `pipeline: true` and with a connection to spare for watches
   * @throws {ShardError} `INVALID_OPTION`
   */
  constructor(source: string | PostgresPool, options: PostgresMapStoreOptions = {}) {
    const { schema = 'ashlar_map', timers = platformTimers, pollMs = 10_000 } = options
    const { monotonic = () => performance.now(), connectTimeoutMs = 5_000, poolSize = 4 } = options
    this.#sql = storeSql(checkedSchema(schema))
    const pool = { connectTimeoutMs, poolSize: poolSize + 1, timers }
    this.#connection = new StoreConnection(source, this.#sql.create, pool)
    this.decisions = new PostgresDecisionLog(this.#connection, this.#sql)
    this.sagas = new PostgresSagaLog(this.#connection, this.#sql)
    const watched = { connect: () => this.#connection.connect(), look: () => this.#look() }
    this.#watch = new MapWatch(watched, { channel: schema, timers, monotonic, pollMs })
    const onMap = (epoch: number) => this.#watch.tell(epoch)
    this.jobs = new PostgresJobLog(this.#connection, this.#sql.jobs, onMap)
  }

  async load(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ShardMapJson | undefined> {
    const { rows } = await this.#connection.run(this.#sql.load, [], options.signal)
    if (rows[0] === undefined) return undefined
    const map = JSON.parse(String(rows[0].map)) as ShardMapJson
    this.#watch.saw(map.epoch)
    return map
  }

  async epoch(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<number | undefined> {
    return (await this.#look(options.signal))?.epoch
  }

  /** @throws {ShardError} `INVALID_MAP` if the epoch of `next` is not above the expected one. */
  async compareAndSet(expected: number | undefined, next: ShardMapJson): Promise<boolean> {
    const { epoch } = next
    if (expected !== undefined) checkNextEpoch(expected, epoch)
    const map = JSON.stringify(next)
    const { rowCount } =
      expected === undefined
        ? await this.#connection.run(this.#sql.setFirst, [epoch, map])
        : await this.#connection.run(this.#sql.setNext, [epoch, map, expected])
    if (rowCount > 0) this.#watch.tell(epoch)
    return rowCount > 0
  }

  /**
   * As {@link MapStore.watch}; where this store has loaded or set a map before, from that one on.
   */
  watch(onEpoch: (epoch: number) => void): () => void {
    this.#connection.checkOpen()
    return this.#watch.add(onEpoch)
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#connection.close()
  }

  /** As {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #look(signal?: AbortSignal): Promise<{ epoch: number; ageMs: number } | undefined> {
    const { rows } = await this.#connection.run(this.#sql.epoch, [], signal)
    return rows[0] && { epoch: Number(rows[0].epoch), ageMs: Number(rows[0].age_ms) }
  }
}

/** Its name is also that of a channel, which PostgreSQL does not cut off. */
function checkedSchema(schema: string): string {
  const bytes = new TextEncoder().encode(schema).length
  if (bytes >= 1 && bytes <= 63 && !schema.includes('\0')) return schema
  throw new ShardError(
    'INVALID_OPTION',
    `schema is ${JSON.stringify(schema)}; it must be a name of 1 to 63 bytes`,
  )
}
