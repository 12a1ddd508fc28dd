// The shards behind the page: they serve the crowd when a button asks them to, pin and unpin
// cities, and let a fifth shard join or leave. One thing after the other, so that what the page
// shows is of one moment; slots alone move beside the rest (live-job.ts).

import type { CapacityReport } from '@ashlar/shard'
import type { City } from './city.ts'
import { type CityShards, FIFTH, HOT_KEYS, MAX_ROWS } from './city-shards.ts'
import { LiveJob } from './live-job.ts'
import type { HotFigures, ShardFigures, StoreFigures } from './snapshot.ts'
import { STONES } from './stone.ts'

/** Thrown where the shards cannot do what they are asked for. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code:
    | 'ERR_ATLAS_SHARD_REQUESTS'
    | 'ERR_ATLAS_NOT_STORED'
    | 'ERR_ATLAS_PINNED'
    | 'ERR_ATLAS_NOT_PINNED'
    | 'ERR_ATLAS_MOVING'

  constructor(code: StoreError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** At most so many requests at a time: the page waits for them. */
const MOST_REQUESTS = 2_000

/** Hot keys that the page shows. */
const SHOWN = 8

const TABLE = { table: 'cities' } as const
const DAY_MS = 86_400_000

/** The shards that the page shows and moves. */
export class LiveShards {
  readonly #shards: CityShards
  readonly #cities: ReadonlyMap<string, City>
  #work: Promise<unknown> = Promise.resolve()
  #job: LiveJob | undefined
  #isBeginning = false

  /** @param shards Stay the caller's, to close as well. */
  constructor(cities: readonly City[], shards: CityShards) {
    this.#shards = shards
    this.#cities = new Map(cities.map((city) => [city.key, city]))
  }

  /**
   * Lets the crowd make so many more requests.
   * @throws {StoreError} ERR_ATLAS_SHARD_REQUESTS
   */
  serve(count: number): Promise<StoreFigures> {
    return this.#next(async () => {
      if (!(Number.isInteger(count) && count >= 1 && count <= MOST_REQUESTS)) {
        const message = `count is a whole number from 1 to ${MOST_REQUESTS}, got ${count}`
        throw new StoreError('ERR_ATLAS_SHARD_REQUESTS', message)
      }
      await this.#shards.crowd.serve(count)
    })
  }

  /**
   * Gives a city a slot of its own, on the shard with the fewest requests of the others.
   * @throws {StoreError} for a city that is not stored, or that is pinned.
   */
  pin(key: string): Promise<StoreFigures> {
    return this.#next(async () => {
      const { main } = this.#shards
      const { id, name } = this.#city(key)
      if (this.#pins().some((pin) => pin.key === key)) {
        throw new StoreError('ERR_ATLAS_PINNED', `${name} is pinned already: unpin it first`)
      }
      await main.pin(id, this.#calmest(main.route(id, 'cities').shard), TABLE)
    })
  }

  /**
   * Puts a pinned city back to where its hash belongs.
   * @throws {StoreError} for a city that is not stored, or not pinned.
   */
  unpin(key: string): Promise<StoreFigures> {
    return this.#next(async () => {
      const { id, name } = this.#city(key)
      if (!this.#pins().some((pin) => pin.key === key)) {
        throw new StoreError('ERR_ATLAS_NOT_PINNED', `${name} is not pinned: pin it first`)
      }
      await this.#shards.main.unpin(id, TABLE)
    })
  }

  /**
   * Begins to move slots to the fifth shard, or away from it where it has some; resolves when it
   * has begun. The crowd goes on meanwhile.
   * @throws {StoreError} while slots move already.
   */
  async reshard(): Promise<StoreFigures> {
    if (this.#isBeginning || this.#job?.isRunning) {
      const message = 'slots move already: wait until they have arrived'
      throw new StoreError('ERR_ATLAS_MOVING', message)
    }
    this.#isBeginning = true
    const begun = this.#next(async () => {
      const isThere = this.#shards.ids.includes(FIFTH)
      const change = isThere ? { remove: [FIFTH] } : { add: [FIFTH] }
      this.#job = await LiveJob.begin(this.#shards, change)
    })
    return begun.finally(() => {
      this.#isBeginning = false
    })
  }

  /** Everything the page shows of the shards. */
  figures(): Promise<StoreFigures> {
    return this.#next(async () => {})
  }

  /** Does it after what was asked for before, and tells what is true then. */
  #next(act: () => Promise<void>): Promise<StoreFigures> {
    const figures = this.#work.then(act).then(() => this.#measure())
    this.#work = figures.catch(Boolean)
    return figures
  }

  async #measure(): Promise<StoreFigures> {
    const { main, late, crowd, databases } = this.#shards
    const [capacity, { epoch, refreshes }] = await Promise.all([main.capacity(), late.status()])
    const hot = main.hot({ k: SHOWN })
    return {
      engine: databases.engine.kind,
      epoch: main.map.epoch,
      served: crowd.served,
      visits: [...crowd.visits.values()].reduce((sum, visits) => sum + visits, 0),
      maxRows: MAX_ROWS,
      hotTotal: hot.total,
      hotKeys: HOT_KEYS,
      shards: this.#shards.ids.map((id) => this.#shard(id, capacity)),
      hot: hot.keys.map((key) => this.#hot(key)),
      pins: this.#pins(),
      owners: this.#owners(),
      late: { epoch, refusals: refreshes },
      fifth: FIFTH,
      job: (await this.#job?.figures()) ?? null,
    }
  }

  #shard(id: string, { shards }: CapacityReport): ShardFigures {
    const { main, crowd } = this.#shards
    // One that joined a moment ago was not measured yet.
    const measured = shards.find(({ shard }) => shard === id)
    const { rows = 0, bytes = 0, daysLeft } = measured ?? {}
    const isEnding = daysLeft !== undefined && Number.isFinite(daysLeft)
    return {
      id,
      number: STONES.findIndex((stone) => stone.id === id),
      slots: main.map.slotsOf(id).length,
      rows,
      bytes,
      requests: crowd.byShard.get(id) ?? 0,
      msLeft: isEnding ? daysLeft * DAY_MS : null,
    }
  }

  #hot({ key, count, error }: Pick<HotFigures, 'key' | 'count' | 'error'>): HotFigures {
    const { id, name, country } = this.#city(key)
    const { main } = this.#shards
    const { shard } = main.route(id, 'cities')
    const isPinned = main.map.pinOf(id, 'cities') !== undefined
    return { key, name, country, shard, count, error, isPinned }
  }

  /** The cities that have a slot of their own. */
  #pins(): StoreFigures['pins'] {
    const { main } = this.#shards
    return main.map.toJSON().pins.map(({ key }) => {
      const { name } = this.#city(key)
      return { key, name, shard: main.route(key, 'cities').shard }
    })
  }

  #owners(): string {
    const { slots, owners, shards } = this.#shards.main.map.toJSON()
    const bytes = Buffer.alloc(slots)
    let at = 0
    for (const [count, shard] of owners) {
      bytes.fill(this.#shards.ids.indexOf(shards[shard]!.id), at, at + count)
      at += count
    }
    return bytes.toString('base64')
  }

  #calmest(except: string): string {
    const { crowd } = this.#shards
    const requests = (shard: string): number => crowd.byShard.get(shard) ?? 0
    const others = this.#shards.ids.filter((shard) => shard !== except)
    return others.reduce((calmest, shard) =>
      requests(shard) < requests(calmest) ? shard : calmest,
    )
  }

  #city(key: string): City {
    const city = this.#cities.get(key)
    if (city !== undefined) return city
    throw new StoreError('ERR_ATLAS_NOT_STORED', `there is no city ${JSON.stringify(key)}`)
  }
}
