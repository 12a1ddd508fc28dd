// Who owns each city, by asking the ring about every one of them: the brute force that the exact
// figures of the ring are held against. One number a city, so that two censuses compare fast.

import type { City } from './city.ts'
import { STONES, type Stone } from './stone.ts'
import type { CityRing } from './world.ts'

/** Stands for an owner that is missing, or is no node of the ring. */
export const NOBODY = 0xff

/** The owner of every city at one moment. */
export interface Census {
  /** The number of the owning {@link Stone}, or {@link NOBODY}, in the order of the cities. */
  readonly owners: Uint8Array
  /** Cities by number of stone. */
  readonly cities: Float64Array
  /** People by number of stone. */
  readonly population: Float64Array
}

/** Asks the ring for the owner of each city: O(cities). */
export function takeCensus(cities: readonly City[], ring: CityRing): Census {
  const owners = new Uint8Array(cities.length)
  const count = new Float64Array(STONES.length)
  const population = new Float64Array(STONES.length)
  for (let i = 0; i < cities.length; i++) {
    const city = cities[i]!
    const owner = ring.get(city.key)
    const number = owner !== undefined && ring.has(owner.id) ? owner.number : NOBODY
    owners[i] = number
    if (number === NOBODY) continue
    count[number]! += 1
    population[number]! += city.population
  }
  return { owners, cities: count, population }
}

/** The cities of the fullest node over the mean: 1 is perfectly even. */
export function maxOverMean({ cities }: Census, nodes: readonly Stone[]): number {
  const counts = nodes.map((node) => cities[node.number]!)
  const sum = counts.reduce((a, b) => a + b, 0)
  return (Math.max(...counts) * counts.length) / sum
}

/** How many cities changed hands, and how many of them between nodes that did not change. */
export interface Moves {
  readonly moved: number
  readonly collateral: number
}

/** Compares two censuses around the joining or leaving of `changed`. */
export function countMoves(before: Census, after: Census, changed: Stone): Moves {
  let moved = 0
  let collateral = 0
  for (let i = 0; i < before.owners.length; i++) {
    const from = before.owners[i]!
    const to = after.owners[i]!
    if (from === to) continue
    moved++
    if (from !== changed.number && to !== changed.number) collateral++
  }
  return { moved, collateral }
}

/**
 * How far a count of `hits` in `trials` lies from what a chance of `probability` each would bring,
 * in standard deviations of the binomial distribution.
 */
export function deviations(hits: number, trials: number, probability: number): number {
  const expected = trials * probability
  const deviation = Math.sqrt(expected * (1 - probability))
  if (deviation === 0) return hits === expected ? 0 : Infinity
  return Math.abs(hits - expected) / deviation
}

/** The promises of balance allow this many standard deviations: one run in two million strays. */
export const ALLOWED_DEVIATIONS = 5
