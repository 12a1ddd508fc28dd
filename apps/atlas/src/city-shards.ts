// The cities on four shards, or five once they have grown: databases, the map, and two routers over
// them. One hears of every change of the map. The other hears of none, as a process that is cut off
// from the store; what keeps it from going wrong are the fences in the shards alone.

import {
  type Engine,
  type MapStore,
  ShardMap,
  ShardRouter,
  type RouterOptions as ShardRouterOptions,
  type SqlTx,
} from '@ashlar/shard'
import { Reshard, type ReshardChange } from '@ashlar/shard/reshard'
import type { City } from './city.ts'
import { cityRows, countryRows, DDL, TABLES } from './city-tables.ts'
import { Closers } from './closers.ts'
import { ShardCrowd } from './shard-crowd.ts'
import { type DatabaseOptions, openDatabases, type ShardDatabases } from './shard-databases.ts'
import { STONES } from './stone.ts'

/** A router over the shards, as far as the atlas uses it. */
export type CityRouter = Pick<
  ShardRouter<SqlTx>,
  | ('map' | 'route' | 'load' | 'replicate' | 'query' | 'withShard' | 'scatter' | 'transaction')
  | ('pin' | 'unpin' | 'hot' | 'capacity' | 'verify' | 'recover' | 'refresh' | 'status' | 'close')
>

/** Opens a router; the tests put a broken one here. */
export type MakeCityRouter = (options: ShardRouterOptions<SqlTx>) => Promise<CityRouter>

/** What the shards are built from; the tests put broken parts here. */
export interface ShardParts {
  readonly makeCityRouter?: MakeCityRouter
  /** What a job moves slots with, made of the engine that there is. */
  readonly makeMovingEngine?: (engine: Engine<SqlTx>) => Engine<SqlTx>
}

/** What {@link CityShards.open} takes. */
export interface CityShardsOptions extends DatabaseOptions, ShardParts {
  /** Ends what is under way, not the databases: those are closed by `close`. */
  readonly signal: AbortSignal
}

/** The shards at first, by the stones that they are called after. */
export const SHARDS: readonly string[] = STONES.slice(0, 4).map(({ id }) => id)

/** The one that joins later: its database is there from the beginning, empty. */
export const FIFTH: string = STONES[4]!.id

/** How many keys a router keeps in mind to find the hot ones. */
export const HOT_KEYS = 256

/** How long slots may be frozen at a time while they move. */
const MAX_FREEZE_MS = 500

/** What a shard may hold, for the page to say how long that will last. */
export const MAX_ROWS = 100_000

/** The cities on shards, open. */
export class CityShards {
  readonly databases: ShardDatabases
  readonly signal: AbortSignal
  /** The router that hears of every change of the map. */
  readonly main: CityRouter
  /** The router that hears of none. */
  readonly late: CityRouter
  /** Who asks for cities, through both routers. */
  readonly crowd: ShardCrowd
  readonly #closers: Closers
  readonly #make: MakeCityRouter
  readonly #moving: Engine<SqlTx>
  readonly #cities: readonly City[]
  readonly #byKey: ReadonlyMap<string, City>

  private constructor(
    cities: readonly City[],
    databases: ShardDatabases,
    routers: readonly [main: CityRouter, late: CityRouter],
    around: { make: MakeCityRouter; moving: Engine<SqlTx>; closers: Closers; signal: AbortSignal },
  ) {
    const { make, moving, closers, signal } = around
    const [main, late] = routers
    this.databases = databases
    this.signal = signal
    this.main = main
    this.late = late
    this.crowd = new ShardCrowd(cities, [main, late], signal)
    this.#cities = cities
    this.#byKey = new Map(cities.map((city) => [city.key, city]))
    this.#make = make
    this.#moving = moving
    this.#closers = closers
  }

  /** Makes the databases and puts the first map in force; no city is stored yet. */
  static async open(cities: readonly City[], options: CityShardsOptions): Promise<CityShards> {
    const closers = new Closers()
    const { signal } = options
    const make: MakeCityRouter =
      options.makeCityRouter ?? ((routerOptions) => ShardRouter.open(routerOptions))
    try {
      const databases = await openDatabases([...SHARDS, FIFTH], options, closers)
      signal.throwIfAborted()
      const map = ShardMap.create({ shards: SHARDS, tables: TABLES })
      const limits = { maxRows: MAX_ROWS }
      const hot = { capacity: HOT_KEYS }
      const { engine, store } = databases
      const main = await make({ engine, store, map, ddl: DDL, limits, hot, signal })
      closers.add(() => main.close())
      const late = await make({ engine, store: deafTo(store), sweepMs: 0, signal })
      closers.add(() => late.close())
      const moving = options.makeMovingEngine?.(engine) ?? engine
      return new CityShards(cities, databases, [main, late], { make, moving, closers, signal })
    } catch (error) {
      // Why it failed matters more than how it was cleared up after.
      await closers.close().catch(Boolean)
      throw error
    }
  }

  /** The shards that are in the map. */
  get ids(): readonly string[] {
    const present = new Set(this.main.map.shards.map(({ id }) => id))
    return [...SHARDS, FIFTH].filter((id) => present.has(id))
  }

  /** Makes a job that moves slots while the crowd goes on; ended with the rest. */
  async reshard(change: ReshardChange): Promise<Reshard<SqlTx>> {
    const cutover = { auto: true, maxFreezeMs: MAX_FREEZE_MS }
    const job = await Reshard.create({
      engine: this.#moving,
      store: this.databases.store,
      change,
      ddl: DDL,
      cutover,
    })
    this.#closers.add(() => job.close())
    return job
  }

  /** The city of a key, as the list has it. */
  cityOf(key: string): City | undefined {
    return this.#byKey.get(key)
  }

  /** Stores every city on its shard, and every country on all of them. */
  async load(onProgress: (rows: number) => void): Promise<void> {
    const { main, signal } = this
    await main.load('cities', cityRows(this.#cities), { onProgress, signal })
    const countries = countryRows(this.#cities)
    await main.replicate(
      async (tx) => {
        await Promise.all(countries.map((country) => tx.put('countries', country)))
      },
      { signal },
    )
  }

  /** A router for who only reads, so that what others count is theirs; closed with the rest. */
  async readingRouter(): Promise<CityRouter> {
    const { engine, store } = this.databases
    const router = await this.#make({ engine, store, sweepMs: 0, signal: this.signal })
    this.#closers.add(() => router.close())
    return router
  }

  /** A router whose transactions break off at the label; closed with the rest. */
  async breakingRouter(label: string): Promise<CityRouter> {
    const { engine, store } = this.databases
    const buggify = (reached: string): boolean => reached === label
    const router = await this.#make({ engine, store, sweepMs: 0, buggify, signal: this.signal })
    this.#closers.add(() => router.close())
    return router
  }

  /** The people that each shard's own rows count, in the order of {@link ids}. */
  async peopleByShard(): Promise<number[]> {
    const aggregates = { people: { op: 'sum', column: 'population' } } as const
    return Promise.all(
      this.ids.map(async (shard) => {
        const scan = await this.databases.engine.scan(shard, { table: 'cities', aggregates })
        let people = 0
        try {
          for await (const rows of scan.rows()) {
            for (const row of rows) people += Number(row.people)
          }
        } finally {
          await scan.close()
        }
        return people
      }),
    )
  }

  /** Ends the routers, then closes and removes the databases; safe to call twice. */
  close(): Promise<void> {
    return this.#closers.close()
  }
}

/** The same store, to somebody who does not hear of changes and has to ask. */
function deafTo(store: MapStore): MapStore {
  return {
    load: (options) => store.load(options),
    epoch: (options) => store.epoch(options),
    compareAndSet: (expected, next) => store.compareAndSet(expected, next),
    watch: () => () => {},
    decisions: store.decisions,
    sagas: store.sagas,
    jobs: store.jobs,
    close: () => store.close(),
  }
}
