// Shares a fixed number of slots out to nodes, within bounds, moving as few as possible when the
// nodes change. The slots are what a shard map stores and a resharding moves; slot-balance.ts has
// the method and why its moves are the fewest.

import type { NodeInput } from './member.ts'
import { nodeList } from './node-list.ts'
import { RingError } from './ring-error.ts'
import { byId, type RingNode, show, weightOf } from './ring-node.ts'
import { drawSlots, NOBODY, type SlotOwners, settleSlots } from './slot-balance.ts'
import { SlotTable, slotMoves } from './slot-table.ts'
import type { SlotTableJson } from './slot-table-json.ts'

/** Options of {@link assignSlots}. */
export interface AssignSlotsOptions<N extends RingNode = RingNode> {
  /** How many slots: 1 to 2^24; default that of `previous`, else 16384. Fixed for ever. */
  readonly slots?: number
  /**
   * Above 1, finite; default 1.25. Every node owns at least `floor(share / factor)` and at most
   * `ceil(share × factor)` slots, its share being its part of all weights times the slots. Closer
   * to 1 is evener and moves more.
   */
  readonly factor?: number
  /** The table in force, or its JSON: what of it can stay, stays. */
  readonly previous?: SlotTable<N> | SlotTableJson
}

/**
 * Assigns slots to nodes with bounded loads and minimal moves.
 *
 * Without `previous` the table follows from the nodes alone: each slot goes to the node with the
 * highest rendezvous score that has room, so two processes with the same nodes agree, and tables
 * of nearly the same nodes are nearly the same. With `previous` it moves exactly
 * `max(orphans + excess, shortage)` slots, the fewest that lead within the bounds: orphans belonged
 * to nobody or to a node that left or was drained, excess is what nodes hold above their most,
 * shortage what nodes (new ones above all) lack to their least. Never a slot between two nodes
 * that are within their bounds, save to make up a shortage. A moved slot goes to the node that is
 * least full for its weight.
 *
 * The order of nodes never matters. Nodes of weight 0 own nothing; without any other nobody does.
 * O(slots × nodes): some 10 ms for 16384 slots on 100 nodes.
 *
 * @throws {RingError} on a bad or repeated id, a bad weight, `slots` or `factor`;
 * `ERR_RING_INCOMPATIBLE` if `previous` has another number of slots, `ERR_RING_FORMAT` if it is
 * JSON that was altered.
 * @example
 * const before = assignSlots(['a', 'b', 'c'], { slots: 1024 })
 * const after = assignSlots(['a', 'b', 'c', 'd'], { previous: before })
 * after.moves.every((move) => move.to === 'd') // → true
 */
export function assignSlots<N extends RingNode = RingNode>(
  nodes: Iterable<NodeInput<N>>,
  options: AssignSlotsOptions<N> = {},
): SlotTable<N> {
  const { factor = 1.25, previous } = options
  const before = readPrevious<N>(previous)
  const slots = checkSlots(options.slots ?? before?.slots ?? 16384, before)
  if (!(factor > 1 && factor < Infinity)) {
    throw new RingError(
      'ERR_RING_OPTION',
      `factor must be a finite number above 1, got ${show(factor)}; 1.25 is a good start`,
    )
  }
  const sorted = nodeList<N>(nodes).sort(byId)
  const live: N[] = []
  const places: number[] = []
  sorted.forEach((node, place) => {
    if (weightOf(node) === 0) return
    live.push(node)
    places.push(place)
  })
  const owners = before === undefined ? drawSlots(live, slots, factor) : kept(before, live)
  if (before !== undefined) settleSlots(owners, live, factor)
  const placed = owners.map((owner) => (owner === NOBODY ? NOBODY : places[owner]!))
  const moves = before === undefined ? [] : slotMoves(before, sorted, placed)
  return new SlotTable<N>({ nodes: sorted, owners: placed, factor, moves })
}

function readPrevious<N extends RingNode>(
  previous: SlotTable<N> | SlotTableJson | undefined,
): SlotTable<N> | undefined {
  if (previous === undefined || previous instanceof SlotTable) return previous
  return SlotTable.fromJSON<N>(previous)
}

function checkSlots(slots: number, before: SlotTable<RingNode> | undefined): number {
  if (!(Number.isInteger(slots) && slots >= 1 && slots <= 2 ** 24)) {
    throw new RingError(
      'ERR_RING_OPTION',
      `slots must be a whole number from 1 to ${2 ** 24}, got ${show(slots)}`,
    )
  }
  if (before !== undefined && before.slots !== slots) {
    throw new RingError(
      'ERR_RING_INCOMPATIBLE',
      `previous has ${before.slots} slots, asked for ${slots}: the number of slots is fixed`,
    )
  }
  return slots
}

/** The owners that are still there, as indexes into the live nodes. */
function kept(before: SlotTable<RingNode>, live: readonly RingNode[]): SlotOwners {
  const indexes = new Map(live.map((node, i) => [node.id, i]))
  return Int32Array.from({ length: before.slots }, (_, slot) => {
    const owner = before.ownerOf(slot)
    return owner === undefined ? NOBODY : (indexes.get(owner.id) ?? NOBODY)
  })
}
