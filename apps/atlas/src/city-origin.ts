// Where the caches load from: the shards, each load counted, and each taking some time more than a
// real one here, so that many come while it lasts. What is known of a country has an edition, which
// changes as one; whoever answers with an older one has kept what is gone.

import type { Load } from '@ashlar/cache'
import type { City } from './city.ts'
import type { CityRouter, CityShards } from './city-shards.ts'
import { countryRow } from './city-tables.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How long a load takes. */
export const LOAD_MS = 20

/** What is kept of a city. */
export interface CityRecord {
  readonly id: number
  readonly name: string
  readonly country: string
  /** The edition of its country that it was read with. */
  readonly edition: number
}

/** Hears of a load as it begins. */
export type LoadListener = (city: City, process: number, atOnce: number) => void

interface OriginSetting {
  readonly shards: CityShards
  readonly router: CityRouter
  readonly time: VirtualTime
}

const READ = `select cities.name as name, countries.name as country, countries.edition as edition
  from cities join countries on countries.code = cities.country where cities.id = $1`
const TABLE = { table: 'cities', readOnly: true } as const

/** The cities in the shards, as caches load them. */
export class CityOrigin {
  /** When the youngest load of each city began that has ended. */
  readonly freshSinceMs: Map<string, number> = new Map()
  readonly #shards: CityShards
  readonly #router: CityRouter
  readonly #time: VirtualTime
  readonly #onLoad: LoadListener
  readonly #underWay = new Map<string, number>()
  readonly #editions = new Map<string, number>()
  #end = { fromMs: -1, passed: Promise.resolve() }

  constructor({ shards, router, time }: OriginSetting, onLoad: LoadListener) {
    this.#shards = shards
    this.#router = router
    this.#time = time
    this.#onLoad = onLoad
  }

  /** Whether a load has begun that has not ended. */
  get isBusy(): boolean {
    return this.#underWay.size > 0
  }

  /** How a process loads a city, which is tagged with its country. */
  loadFor(process: number): Load<string, CityRecord> {
    return async (key, { keep }) => {
      const startMs = this.#time.now()
      const atOnce = (this.#underWay.get(key) ?? 0) + 1
      this.#underWay.set(key, atOnce)
      const city = this.#shards.cityOf(key)!
      this.#onLoad(city, process, atOnce)
      try {
        const { id, country } = city
        keep({ tags: [country] })
        const { rows } = await this.#time.work(this.#router.query(id, READ, [id], TABLE))
        await this.#wait()
        this.freshSinceMs.set(key, startMs)
        const [row] = rows
        const edition = Number(row!.edition)
        return { id, name: String(row!.name), country: String(row!.country), edition }
      } finally {
        const left = this.#underWay.get(key)! - 1
        if (left > 0) this.#underWay.set(key, left)
        else this.#underWay.delete(key)
      }
    }
  }

  /** Loads that end at the same moment share a timer. */
  #wait(): Promise<void> {
    const nowMs = this.#time.now()
    if (this.#end.fromMs !== nowMs) {
      const passed = new Promise<void>((resolve) => {
        this.#time.timers.setTimeout(resolve, LOAD_MS)
      })
      this.#end = { fromMs: nowMs, passed }
    }
    return this.#end.passed
  }

  /** The edition of a country that is true now. */
  editionOf(country: string): number {
    return this.#editions.get(country) ?? 0
  }

  /** Writes another edition of a country to every shard: all its cities are changed. */
  async renew(country: string): Promise<number> {
    const edition = this.editionOf(country) + 1
    const row = countryRow(country, edition)
    await this.#time.work(this.#shards.main.replicate((tx) => tx.put('countries', row)))
    this.#editions.set(country, edition)
    return edition
  }
}
