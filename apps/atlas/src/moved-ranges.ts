// The exact answer against the brute force: a key moved if and only if its hash lies in one of the
// ranges of diffRings, which are sorted, apart, and hold both their ends.

import type { RingMove } from '@ashlar/ring'

/** How many keys moved although no range holds them, or stayed although one does. */
export function movedOutsideRanges(
  hashes: readonly number[],
  hasMoved: (index: number) => boolean,
  ranges: readonly Pick<RingMove, 'start' | 'end'>[],
): number {
  let wrong = 0
  for (const [i, hash] of hashes.entries()) {
    const range = ranges[firstEndingAtOrAfter(ranges, hash)]
    const isInside = range !== undefined && range.start <= hash
    if (isInside !== hasMoved(i)) wrong++
  }
  return wrong
}

function firstEndingAtOrAfter(ranges: readonly Pick<RingMove, 'end'>[], hash: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges[middle]!.end < hash) low = middle + 1
    else high = middle
  }
  return low
}
