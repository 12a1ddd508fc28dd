// The number of buckets of jumpHash and jumpBackHash, checked at the edge.

import { RingError } from './ring-error.ts'
import { show } from './ring-node.ts'

/** Throws a {@link RingError} (`ERR_RING_COUNT`) unless buckets is from 1 to 2^31 - 1. */
export function checkBuckets(buckets: number): void {
  if (!(Number.isInteger(buckets) && buckets >= 1 && buckets <= 0x7fffffff)) {
    throw new RingError(
      'ERR_RING_COUNT',
      `buckets must be a whole number from 1 to 2147483647, got ${show(buckets)}`,
    )
  }
}
