// The list of nodes as callers give it: ids or node objects, in any order, checked once here so
// that nothing behind it has to doubt an id or a weight.

import { RingError } from './ring-error.ts'
import { checkNode, type RingNode, show, weightOf } from './ring-node.ts'
import { checkList } from './ring-options.ts'

/**
 * Reads nodes and bare ids into node objects, in the order given.
 *
 * @throws {RingError} on an id that is empty, not a string or there twice, and on a bad weight.
 */
export function nodeList<N extends RingNode>(nodes: Iterable<N | string>): N[] {
  const list: N[] = []
  const seen = new Set<string>()
  for (const given of checkList(nodes, 'nodes')) {
    const node = typeof given === 'string' ? ({ id: given } as N) : given
    checkNode(node)
    if (seen.has(node.id)) {
      throw new RingError(
        'ERR_RING_DUPLICATE_ID',
        `node ${show(node.id)} is there twice; ids must be unique, for more load give it a weight`,
      )
    }
    seen.add(node.id)
    list.push(node)
  }
  return list
}

/** The nodes that own something: those of weight above 0. */
export function liveNodes<N extends RingNode>(nodes: readonly N[]): N[] {
  return nodes.filter((node) => weightOf(node) > 0)
}

/** An array for owners' indexes: 16 bits while they and the mark for "nobody" fit, else 32. */
export function ownerArray(length: number, nodes: number): Uint16Array | Uint32Array {
  return nodes < 0xffff ? new Uint16Array(length) : new Uint32Array(length)
}
