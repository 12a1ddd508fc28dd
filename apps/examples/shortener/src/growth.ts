// Adds a shard while the server serves: rows are copied, followed, compared, and cut over in
// batches. The job stands in the map's store; a server that starts carries on with what another
// one, or itself before it was killed, has begun.

import {
  type Engine,
  type MapStore,
  PlanConflict,
  type ShardRouter,
  type SqlTx,
} from '@ashlar/shard'
import { Reshard, type ReshardProgress } from '@ashlar/shard/reshard'
import { DDL } from './link-tables.ts'

/** What a {@link Growth} needs; all of it stays the caller's. */
export interface GrowthOptions {
  readonly engine: Engine<SqlTx>
  readonly store: MapStore
  readonly router: ShardRouter<SqlTx>
  /** Told why a job has stopped; it goes on when a server starts. */
  readonly onError: (error: unknown) => void
}

/** How the fleet is, and the last job of this server. */
export interface FleetStatus {
  readonly epoch: number
  readonly shards: readonly string[]
  readonly job: ReshardProgress | undefined
}

/** The growing of a fleet, as one server sees it. */
export class Growth {
  readonly #options: GrowthOptions
  #job: Reshard<SqlTx> | undefined

  constructor(options: GrowthOptions) {
    this.#options = options
  }

  /**
   * Begins to add the next shard.
   *
   * @throws {PlanConflict} if a job is under way, or no database is left to become a shard; what
   * `Reshard.create` throws.
   */
  async begin(): Promise<FleetStatus> {
    const { engine, store, router } = this.#options
    const { shards } = await router.refresh()
    const spare = engine.shards.find((id) => shards.every((shard) => shard.id !== id))
    if (spare === undefined) {
      throw new PlanConflict('all databases are shards: name more in DATABASE_URLS, or restart')
    }
    const cutover = { auto: true, maxFreezeMs: 250 }
    const change = { add: [spare] }
    const options = { engine, store, change, ddl: DDL, cutover, reversibleMs: 0 }
    this.#run(await Reshard.create(options))
    return this.status()
  }

  /** Carries on with the job that is under way, if there is one. */
  async resume(): Promise<void> {
    const { engine, store } = this.#options
    if ((await store.jobs.current()) === undefined) return
    this.#run(await Reshard.open({ engine, store }))
  }

  async status(): Promise<FleetStatus> {
    const { epoch, shards } = this.#options.router.map
    const job = await this.#job?.status()
    return { epoch, shards: shards.map(({ id }) => id), job }
  }

  /** Stops between two steps, with nothing frozen. */
  async close(): Promise<void> {
    await this.#job?.close()
  }

  #run(job: Reshard<SqlTx>): void {
    this.#job = job
    job.run().catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'CLOSED')) {
        this.#options.onError(error)
      }
    })
  }
}
