// Weights as fractions of their sum, for the tables whose originals normalise them. In doubles and
// in this order of operations, for Envoy's results depend on the last bit.

import { RingError } from './ring-error.ts'
import { type RingNode, weightOf } from './ring-node.ts'

/**
 * Each node's weight divided by the sum of all.
 *
 * @throws {RingError} `ERR_RING_WEIGHT` if the sum is too large, or a share too small, for a
 * number to hold.
 */
export function sharesOf(nodes: readonly RingNode[]): number[] {
  const total = nodes.reduce((sum, node) => sum + weightOf(node), 0)
  const shares = nodes.map((node) => weightOf(node) / total)
  if (shares.includes(0)) {
    throw new RingError(
      'ERR_RING_WEIGHT',
      `weights must not be so far apart that a share of the sum (${total}) vanishes; ` +
        'use weights between 1e-9 and 1e9',
    )
  }
  return shares
}
