// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, SODA 2018): a key goes to
// the first node of its preference list that has room, where room is a factor above the node's
// share of all load. With a factor above 1 and a true total somebody always has room.

import { PreferenceWalk } from './preference-list.ts'
import { RingError } from './ring-error.ts'
import type { RingLayout } from './ring-layout.ts'
import { type RingNode, show } from './ring-node.ts'

/** How much a node of `weight` may carry once `total + 1` keys are placed. */
function loadBound(factor: number, total: number, weight: number, weights: number): number {
  return Math.ceil((factor * (total + 1) * weight) / weights)
}

/** Throws unless a bound of this factor always leaves room. */
export function checkFactor(factor: number): void {
  if (!(typeof factor === 'number' && factor > 1 && factor < Infinity)) {
    throw new RingError(
      'ERR_RING_OPTION',
      `factor must be a finite number > 1 (1.25 is usual), got ${show(factor)}`,
    )
  }
}

/** Throws unless it is a number that a load or a sum of loads can be. */
export function checkLoad(load: number, what: string): void {
  if (!(typeof load === 'number' && load >= 0 && load < Infinity)) {
    throw new RingError('ERR_RING_COUNT', `${what} must be a finite number >= 0, got ${show(load)}`)
  }
}

/** The sums that bounds are made of. */
export interface LoadTotals {
  readonly factor: number
  /** Keys placed so far. */
  readonly total: number
  /** The weights of all nodes that own something. */
  readonly weights: number
}

/** The first node with room; with a total that is too small, the one with most room. */
export function nearestWithRoom<N extends RingNode>(
  layout: RingLayout<N>,
  hash: number,
  load: (node: N) => number,
  { factor, total, weights }: LoadTotals,
): N | undefined {
  const walk = new PreferenceWalk(layout, hash)
  let best: N | undefined
  let bestRoom = -Infinity
  for (let slot = walk.next(); slot >= 0; slot = walk.next()) {
    const { node, weight } = layout.members[slot]!
    const carried = load(node)
    checkLoad(carried, `load of node ${show(node.id)}`)
    const room = loadBound(factor, total, weight, weights) - carried
    if (room >= 1) return node
    if (room > bestRoom) {
      best = node
      bestRoom = room
    }
  }
  return best
}
