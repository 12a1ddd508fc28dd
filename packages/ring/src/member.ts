// What a ring knows about one node. Records are never changed, only replaced, so that copies of a
// ring share them, and a caller who changes a node object later changes nothing here.

import { RingError } from './ring-error.ts'
import { checkNode, type RingNode, show, weightOf } from './ring-node.ts'

/** A node of a ring with what was read from it when it came in. */
export interface Member<N extends RingNode = RingNode> {
  readonly node: N
  readonly id: string
  readonly weight: number
  readonly zone: string | undefined
  /** How many virtual nodes it has: 0 for a drained node. */
  readonly virtualNodes: number
  /** Its number in the arrays of the layout. */
  readonly slot: number
}

/** Most virtual nodes that one ring may have, of all nodes together. */
export const MAX_POINTS: number = 2 ** 26

/** A node as callers may give it: a bare string is an id, where a bare `{ id }` is a node. */
export type NodeInput<N extends RingNode> = N | ({ id: string } extends N ? string : never)

/** Reads and checks a node; the slot is given when it enters the layout. */
export function readMember<N extends RingNode>(
  input: N | string,
  virtualNodesPerWeight: number,
): Member<N> {
  const node = typeof input === 'string' ? ({ id: input } as N) : input
  checkNode(node)
  const weight = weightOf(node)
  const virtualNodes = virtualNodesFor(weight, virtualNodesPerWeight)
  if (virtualNodes > MAX_POINTS) {
    throw new RingError(
      'ERR_RING_WEIGHT',
      `weight ${weight} of node ${show(node.id)} makes ${virtualNodes} virtual nodes of ` +
        `${virtualNodesPerWeight} each, more than ${MAX_POINTS}: lower the weight`,
    )
  }
  return { node, id: node.id, weight, zone: node.zone, virtualNodes, slot: -1 }
}

/** Rounds halves up; never depends on other nodes, so that no weight moves another's keys. */
function virtualNodesFor(weight: number, virtualNodesPerWeight: number): number {
  return weight === 0 ? 0 : Math.max(1, Math.round(virtualNodesPerWeight * weight))
}
