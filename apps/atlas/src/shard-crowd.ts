// The crowd before the shards: clients that ask for cities at the same time, each city as often as
// people live there. Every third request leaves a visit: a row of its own, and one more on the
// city's count, so that a visit that is lost shows, and one that happened twice as well.
//
// What was asked of which router, and which visits were acknowledged, is counted here exactly.

import { setImmediate } from 'node:timers/promises'
import type { City } from './city.ts'
import type { CityRouter } from './city-shards.ts'
import { countryName } from './city-tables.ts'
import { drawsOf } from './crowd.ts'
import { diceOf } from './dice.ts'

/** Every crowd asks for the same cities in the same order. */
const SEED = 11

/** Requests under way at the same time. */
const CLIENTS = 8

/** Every fourth request goes through the second router. */
const SECOND_EVERY = 4

const VISIT_EVERY = 3

/** Requests between two looks at the event loop, which SQLite alone would not let run. */
const SLICE = 50

const READ = `select cities.name as name, countries.name as country from cities
  join countries on countries.code = cities.country where cities.id = $1`
const LEAVE_VISIT = 'insert into visits (id, city_id) values ($1, $2)'
const COUNT_VISIT = 'update cities set visits = visits + 1 where id = $1'
const TABLE = { table: 'cities' } as const

/** Clients that read cities and leave visits. */
export class ShardCrowd {
  /** Answers that were not what the list of the cities says. */
  wrong = 0
  /** Acknowledged visits by the id of the city. */
  readonly visits: Map<number, number> = new Map()
  /** Requests by the shard that the router sent them to first. */
  readonly byShard: Map<string, number> = new Map()
  readonly #asked: readonly Map<string, number>[]
  readonly #cities: readonly City[]
  readonly #routers: readonly CityRouter[]
  readonly #signal: AbortSignal
  readonly #draw: () => number
  #served = 0

  constructor(cities: readonly City[], routers: readonly CityRouter[], signal: AbortSignal) {
    this.#cities = cities
    this.#routers = routers
    this.#signal = signal
    this.#asked = routers.map(() => new Map())
    this.#draw = drawsOf(cities, diceOf(SEED))
  }

  /** Requests made so far. */
  get served(): number {
    return this.#served
  }

  /** How often each key was asked for through a router, by its number. */
  asked(router: number): ReadonlyMap<string, number> {
    return this.#asked[router]!
  }

  /**
   * Makes so many more requests.
   * @throws what a request failed with, once the others under way have ended.
   */
  async serve(count: number): Promise<void> {
    const until = this.#served + count
    let hasFailed = false
    const client = async (): Promise<void> => {
      while (this.#served < until && !hasFailed) {
        const number = this.#served++
        if (number % SLICE === 0) await setImmediate()
        this.#signal.throwIfAborted()
        await this.#request(number)
      }
    }
    const clients = Array.from({ length: CLIENTS }, () =>
      client().catch((error: unknown) => {
        hasFailed = true
        throw error
      }),
    )
    for (const outcome of await Promise.allSettled(clients)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  async #request(number: number): Promise<void> {
    const city = this.#cities[this.#draw()]!
    const which = number % SECOND_EVERY === SECOND_EVERY - 1 ? 1 : 0
    const router = this.#routers[which]!
    increment(this.#asked[which]!, city.key)
    increment(this.byShard, router.route(city.id, 'cities').shard)
    if (number % VISIT_EVERY === 0) await this.#visit(router, city, number)
    else if (!(await isFound(router, city))) this.wrong++
  }

  async #visit(router: CityRouter, city: City, number: number): Promise<void> {
    await router.withShard(
      city.id,
      async (tx) => {
        // Both are sent before either is awaited.
        await Promise.all([
          tx.query(LEAVE_VISIT, [number, city.id]),
          tx.query(COUNT_VISIT, [city.id]),
        ])
      },
      TABLE,
    )
    increment(this.visits, city.id)
  }
}

/** Whether a router finds a city, and in the country where the list has it. */
export async function isFound(router: CityRouter, city: City): Promise<boolean> {
  const { rows } = await router.query(city.id, READ, [city.id], { ...TABLE, readOnly: true })
  const [row] = rows
  return rows.length === 1 && row!.name === city.name && row!.country === countryName(city.country)
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
