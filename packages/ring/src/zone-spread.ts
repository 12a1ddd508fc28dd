// Replicas over zones: the next node always comes from a zone used least so far, the earliest in
// ring order among those. So the r-th node of each zone forms a round, rounds follow one another,
// and within a round ring order rules:
//
//   ring order  a1 a2 b1 a3 c1 b2      rounds  [ a1 b1 c1 ] [ a2 b2 ] [ a3 ]
//
// How many nodes each zone has says where the last round ends, so the walk stops as soon as it can.

import { PreferenceWalk } from './preference-list.ts'
import type { RingLayout } from './ring-layout.ts'
import type { RingNode } from './ring-node.ts'

/** Which nodes may be chosen, by zone. */
export interface ZoneCensus {
  /** Slot → number of its zone, -1 for a node that may not be chosen. */
  readonly zoneOfSlot: Int32Array
  /** Number of zone → how many of its nodes may be chosen. */
  readonly populations: readonly number[]
}

/** Counts the nodes that own something, less the excluded. Nodes without a zone share one. */
export function takeCensus<N extends RingNode>(
  layout: RingLayout<N>,
  isExcluded?: (node: N) => boolean,
): ZoneCensus {
  const numbers = new Map<string | undefined, number>()
  const populations: number[] = []
  const zoneOfSlot = new Int32Array(layout.members.length).fill(-1)
  for (const member of layout.members) {
    if (member === undefined || member.virtualNodes === 0) continue
    if (isExcluded?.(member.node)) continue
    let zone = numbers.get(member.zone)
    if (zone === undefined) {
      zone = populations.push(0) - 1
      numbers.set(member.zone, zone)
    }
    populations[zone]!++
    zoneOfSlot[member.slot] = zone
  }
  return { zoneOfSlot, populations }
}

/** The first `n` nodes of the rounds. */
export function nearestOverZones<N extends RingNode>(
  layout: RingLayout<N>,
  hash: number,
  n: number,
  census: ZoneCensus,
): N[] {
  const { zoneOfSlot, populations } = census
  const available = populations.reduce((sum, population) => sum + population, 0)
  let missing = Math.min(n, available)
  const { wholeRounds, rest } = roundsOf(populations, missing)
  const rounds: N[][] = Array.from({ length: wholeRounds + 1 }, () => [])
  const taken = new Int32Array(populations.length)
  const walk = new PreferenceWalk(layout, hash)
  while (missing > 0) {
    const slot = walk.next()
    const zone = zoneOfSlot[slot]!
    if (zone < 0) continue
    const round = taken[zone]!++
    const last = rounds[wholeRounds]!
    if (round < wholeRounds || (round === wholeRounds && last.length < rest)) {
      rounds[round]!.push(layout.nodes[slot]!)
      missing--
    }
  }
  return rounds.flat()
}

/** How many rounds `n` nodes fill, and how many nodes are over. */
function roundsOf(
  populations: readonly number[],
  n: number,
): { wholeRounds: number; rest: number } {
  let wholeRounds = 0
  let rest = n
  for (;;) {
    let size = 0
    for (const population of populations) if (population > wholeRounds) size++
    if (size === 0 || size > rest) return { wholeRounds, rest }
    rest -= size
    wholeRounds++
  }
}
