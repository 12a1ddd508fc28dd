// A race of caches: the same crowd is served through each of them, in step, beside the one that
// knows the future. What each found is counted here, not asked of the caches.

import type { City } from './city.ts'
import { type Foresight, foresee } from './clairvoyant.ts'
import type { Crowd } from './crowd.ts'
import { diceOf } from './dice.ts'
import type { CityCache, Racer } from './racer.ts'

/** The requests are counted in so many parts of equal size. */
export const LAPS = 100

/** So many cities fit into each cache of the story: fewer than one in a hundred. */
export const CAPACITY = 1_000

/** How far one policy has come. */
export interface Lane {
  readonly racer: Racer
  readonly cache: CityCache
  /** Hits in each part of the requests. */
  readonly hits: Int32Array
  /** The most cities that were in the cache. */
  peak: number
  /** Answers that were another than the store's. */
  wrong: number
}

/** Several caches on one crowd. */
export class Race {
  readonly capacity: number
  readonly lanes: readonly Lane[]
  readonly optimum: Foresight
  readonly #cities: readonly City[]
  readonly #requests: Int32Array
  #served = 0

  constructor(
    cities: readonly City[],
    { requests }: Crowd,
    capacity: number,
    racers: readonly Racer[],
  ) {
    this.#cities = cities
    this.#requests = requests
    this.capacity = capacity
    this.optimum = foresee(requests, cities.length, capacity)
    this.lanes = racers.map((racer, i) => ({
      racer,
      cache: racer.make({ max: capacity, stats: true, random: diceOf(i) }),
      hits: new Int32Array(LAPS),
      peak: 0,
      wrong: 0,
    }))
  }

  /** Requests served so far. */
  get served(): number {
    return this.#served
  }

  /** Serves the next `count` requests, or as many as there are, through every cache. */
  run(count: number): void {
    const from = this.#served
    const until = Math.min(this.#requests.length, from + count)
    for (const lane of this.lanes) this.#serve(lane, from, until)
    this.#served = until
  }

  /** Which part of the requests one is in. */
  lapOf(request: number): number {
    return Math.floor((request * LAPS) / this.#requests.length)
  }

  #serve(lane: Lane, from: number, until: number): void {
    const { cache, hits } = lane
    for (let at = from; at < until; at++) {
      const city = this.#cities[this.#requests[at]!]!
      const answer = cache.get(city.key)
      if (answer === undefined) {
        cache.set(city.key, city)
        lane.peak = Math.max(lane.peak, cache.size)
      } else {
        hits[this.lapOf(at)]!++
        if (answer !== city) lane.wrong++
      }
    }
  }
}

/** The hits of a lane in a stretch of the requests. */
export function sum(counts: Int32Array, from = 0, until: number = counts.length): number {
  return counts.subarray(from, until).reduce((total, count) => total + count, 0)
}
