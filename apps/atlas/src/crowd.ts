// The crowd that asks for cities: each as often as people live there, in four acts.
//
//   everyday   by population alone
//   festival   every second visitor asks for a town near a festival, which travels
//   census     every second request counts the cities once each, from the first on
//   everyday   as at the start
//
// A seed makes the same crowd everywhere, so that every cache is asked for the same.

import type { City } from './city.ts'
import { diceOf } from './dice.ts'

/** A stretch of the crowd's requests, `until` not included. */
export interface Act {
  readonly name: string
  readonly from: number
  readonly until: number
}

/** What was asked for: places in the list of cities, in order. */
export interface Crowd {
  readonly requests: Int32Array
  readonly acts: readonly Act[]
}

/** How many requests a crowd makes in the story. */
export const CROWD_SIZE = 120_000

/** The story's crowd is the same in every run. */
export const CROWD_SEED = 7

/** The parts of the acts, in tenths. */
const PLAN = [
  { name: 'everyday', tenths: 3 },
  { name: 'festival', tenths: 3 },
  { name: 'census', tenths: 2 },
  { name: 'after', tenths: 2 },
] as const

/** The festival plays so many times, around so many towns each. */
const STOPS = 6
const TOWNS = 1_000

/** Gathers a crowd of `size` requests; O(size · log(cities)). */
export function gatherCrowd(cities: readonly City[], size: number, seed: number): Crowd {
  const random = diceOf(seed)
  const everyday = drawsOf(cities, random)
  const requests = new Int32Array(size)
  const acts: Act[] = []
  let at = 0
  let done = 0
  for (const { name, tenths } of PLAN) {
    done += tenths
    const act = { name, from: at, until: Math.round((size * done) / 10) }
    acts.push(act)
    for (; at < act.until; at++) {
      const isSpecial = at % 2 === 1
      if (isSpecial && name === 'festival') requests[at] = festivalTown(act, at, cities, random)
      else if (isSpecial && name === 'census') requests[at] = ((at - act.from) >> 1) % cities.length
      else requests[at] = everyday()
    }
  }
  return { requests, acts }
}

/** Draws places of cities, each as likely as its share of all people. */
export function drawsOf(cities: readonly City[], random: () => number): () => number {
  const sums = new Float64Array(cities.length)
  let people = 0
  // One more than live there: a city that nobody is counted in may be asked for as well.
  for (const [i, { population }] of cities.entries()) sums[i] = people += population + 1
  return () => {
    const wanted = random() * people
    let low = 0
    let high = sums.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle]! > wanted) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** A town near where the festival is: neighbours in the list are of one country. */
function festivalTown(
  { from, until }: Act,
  at: number,
  cities: readonly City[],
  random: () => number,
): number {
  const stop = Math.floor((STOPS * (at - from)) / (until - from))
  // Stops lie far apart, in an order that goes around the world; the nearest towns draw most.
  const start = Math.floor(((stop * 5 + 2) / STOPS) * cities.length)
  return (start + Math.floor(TOWNS * random() * random())) % cities.length
}
