// Which node owns which slot, such that every node has between floor(share / factor) and
// ceil(factor x share) of them. Two ways in:
//
//   drawSlots     from nothing: each slot to its best-scoring node with room, then settled
//   settleSlots   from what was: moves max(orphans + excess, shortage) slots, the fewest possible
//
// where orphans have no owner left, excess is what nodes hold above their most, and shortage what
// others lack to their least. An orphan or an excess slot has to move, and a lacking one has to
// arrive, so no fewer will do; a move serves both at once wherever both are due.
// Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2016).

import { RendezvousScores } from './rendezvous-scores.ts'
import { type RingNode, weightOf } from './ring-node.ts'

/** Slot owners as indexes into the nodes; NOBODY where there is none. */
export type SlotOwners = Int32Array

export const NOBODY = -1

/** The fewest and the most slots that a node may own. */
export interface SlotBounds {
  readonly least: number
  readonly most: number
}

/** The bounds of each node; all must have a weight above 0. */
export function slotBounds(
  nodes: readonly RingNode[],
  slots: number,
  factor: number,
): SlotBounds[] {
  // Relative to the largest weight, lest the sum of huge ones overflows.
  const largest = nodes.reduce((max, node) => Math.max(max, weightOf(node)), 0)
  const weights = nodes.map((node) => weightOf(node) / largest)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => {
    const share = (slots * weight) / total
    // The last digits of a product must not give a whole number one more: 50 x 1.1 is 55.
    const least = Math.floor((share / factor) * (1 + 1e-12))
    return { least, most: Math.ceil(share * factor * (1 - 1e-12)) }
  })
}

/** Gives all slots to nodes, by their scores alone: whoever computes it gets the same. */
export function drawSlots(nodes: readonly RingNode[], slots: number, factor: number): SlotOwners {
  const owners = new Int32Array(slots).fill(NOBODY)
  const bounds = slotBounds(nodes, slots, factor)
  const scores = new RendezvousScores(nodes, 0)
  const loads = new Int32Array(nodes.length)
  for (let slot = 0; slot < slots; slot++) {
    const owner = favourite(scores, slot, (i) => loads[i]! < bounds[i]!.most)
    if (owner !== NOBODY) {
      owners[slot] = owner
      loads[owner]!++
    }
  }
  settleSlots(owners, nodes, factor)
  return owners
}

/** Brings all nodes within their bounds in place, with the fewest moves. */
export function settleSlots(owners: SlotOwners, nodes: readonly RingNode[], factor: number): void {
  if (nodes.length === 0) return
  const bounds = slotBounds(nodes, owners.length, factor)
  const scores = new RendezvousScores(nodes, 0)
  const loads = new Int32Array(nodes.length)
  for (const owner of owners) if (owner !== NOBODY) loads[owner]!++
  const released = chooseReleases(loads, nodes, bounds, owners.length)
  released.forEach((count, owner) => {
    if (count > 0) release(owners, owner, count, scores)
  })
  for (let slot = 0; slot < owners.length; slot++) {
    if (owners[slot] !== NOBODY) continue
    const owner = chooseOwner(slot, loads, nodes, bounds, scores)
    owners[slot] = owner
    loads[owner]!++
  }
}

/** How many slots each node lets go; takes them off its load. */
function chooseReleases(
  loads: Int32Array,
  nodes: readonly RingNode[],
  bounds: readonly SlotBounds[],
  slots: number,
): Int32Array {
  const released = new Int32Array(loads.length)
  let free = slots
  let shortage = 0
  bounds.forEach(({ least, most }, i) => {
    released[i] = Math.max(0, loads[i]! - most)
    loads[i]! -= released[i]!
    free -= loads[i]!
    shortage += Math.max(0, least - loads[i]!)
  })
  for (; free < shortage; free++) {
    // The least add up to no more than all slots, so somebody has more, above share / factor for
    // its weight, where those at or below their least are not: the fullest is such a one.
    const donor = fullest(loads, nodes)
    released[donor]!++
    loads[donor]!--
  }
  return released
}

function fullest(loads: Int32Array, nodes: readonly RingNode[]): number {
  let donor = NOBODY
  let highest = -1
  for (let i = 0; i < loads.length; i++) {
    const fill = loads[i]! / weightOf(nodes[i]!)
    if (fill > highest) {
      highest = fill
      donor = i
    }
  }
  return donor
}

/** Lets go of the slots that score lowest for their owner: those least its own. */
function release(owners: SlotOwners, owner: number, count: number, scores: RendezvousScores): void {
  const held: { slot: number; score: number }[] = []
  owners.forEach((holder, slot) => {
    if (holder === owner) held.push({ slot, score: scores.at(owner, slot) })
  })
  held.sort((a, b) => a.score - b.score || a.slot - b.slot)
  for (const { slot } of held.slice(0, count)) owners[slot] = NOBODY
}

/**
 * The node that would be least full for its weight, by score among equals. That serves all who
 * lack to their least first: with one more they are at most at share / factor, others above it.
 */
function chooseOwner(
  slot: number,
  loads: Int32Array,
  nodes: readonly RingNode[],
  bounds: readonly SlotBounds[],
  scores: RendezvousScores,
): number {
  const hasRoom = (i: number) => loads[i]! < bounds[i]!.most
  let lowest = Infinity
  for (let i = 0; i < loads.length; i++) {
    if (hasRoom(i)) lowest = Math.min(lowest, fillAfter(i, loads, nodes))
  }
  return favourite(scores, slot, (i) => hasRoom(i) && fillAfter(i, loads, nodes) === lowest)
}

function fillAfter(i: number, loads: Int32Array, nodes: readonly RingNode[]): number {
  return (loads[i]! + 1) / weightOf(nodes[i]!)
}

/** The node with the highest score for a slot among those that may have it. */
function favourite(
  scores: RendezvousScores,
  slot: number,
  mayHave: (i: number) => boolean,
): number {
  let best = NOBODY
  let highest = -1
  for (let i = 0; i < scores.length; i++) {
    if (!mayHave(i)) continue
    const score = scores.at(i, slot)
    if (score > highest) {
      highest = score
      best = i
    }
  }
  return best
}
