// The race behind the page: it goes on by as many requests as the page asks for, so that a page
// may play it, stop it, and start it again with caches of another size.

import type { City } from './city.ts'
import { CROWD_SEED, CROWD_SIZE, type Crowd, gatherCrowd } from './crowd.ts'
import { LAPS, Race, sum } from './race.ts'
import { RACERS } from './racer.ts'
import type { RaceFigures } from './snapshot.ts'

/** Thrown where a race cannot be run as it is asked for. */
export class RaceError extends Error {
  override readonly name = 'RaceError'
  readonly code: 'ERR_ATLAS_CAPACITY' | 'ERR_ATLAS_REQUESTS'

  constructor(code: RaceError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The largest cache that may race: most of the cities. */
const MOST_CAPACITY = 100_000

/** The race that the page shows and moves. */
export class LiveRace {
  readonly #cities: readonly City[]
  readonly #crowd: Crowd
  #race: Race

  constructor(cities: readonly City[], capacity: number) {
    this.#cities = cities
    this.#crowd = gatherCrowd(cities, CROWD_SIZE, CROWD_SEED)
    this.#race = new Race(cities, this.#crowd, capacity, RACERS)
  }

  /**
   * Begins anew with empty caches of this capacity.
   * @throws {RaceError} ERR_ATLAS_CAPACITY
   */
  restart(capacity: number): void {
    requireWhole('ERR_ATLAS_CAPACITY', 'capacity', capacity, MOST_CAPACITY)
    this.#race = new Race(this.#cities, this.#crowd, capacity, RACERS)
  }

  /**
   * Serves the next requests, or as many as there are.
   * @throws {RaceError} ERR_ATLAS_REQUESTS
   */
  run(requests: number): void {
    requireWhole('ERR_ATLAS_REQUESTS', 'requests', requests, CROWD_SIZE)
    this.#race.run(requests)
  }

  /** Everything the page shows of the race. */
  figures(): RaceFigures {
    const race = this.#race
    const { served, capacity, optimum } = race
    const laps = served === 0 ? 0 : race.lapOf(served - 1) + 1
    const ahead = new Int32Array(LAPS)
    for (let at = 0; at < served; at++) ahead[race.lapOf(at)]! += optimum.isHit[at]!
    return {
      capacity,
      requests: CROWD_SIZE,
      served,
      laps: LAPS,
      acts: this.#crowd.acts,
      optimum: { hits: sum(ahead), laps: [...ahead.subarray(0, laps)] },
      lanes: race.lanes.map(({ racer: { id, name }, hits }) => {
        return { id, name, hits: sum(hits), laps: [...hits.subarray(0, laps)] }
      }),
    }
  }
}

function requireWhole(code: RaceError['code'], name: string, given: number, most: number): void {
  if (Number.isInteger(given) && given >= 1 && given <= most) return
  throw new RaceError(code, `${name} is a whole number from 1 to ${most}, got ${given}`)
}
