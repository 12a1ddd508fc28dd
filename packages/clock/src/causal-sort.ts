// Items of a partial order in a row (a linear extension). A comparator for sort() cannot do it: the
// order of vectors is partial, "concurrent" is not transitive, and sort() with it answers
// differently for each order of its input.
//
// The row is by height, which is the sum of a vector's counts: how many events are in its past. A
// vector before another has the smaller sum, so the row never contradicts causality; and since
// height and tie-break are each an item's own, two items stand alike in every row they are both in.

import type { VersionVector } from './version-vector.ts'

/** 2^26: sums are kept in two parts, since counts may be near 2^53 each. */
const SPLIT = 0x4000000

/**
 * The items so that none comes before one that it depends on. O(n log n + n × replicas).
 *
 * @param clockOf The vector of an item.
 * @param tieBreak Orders items of equal height, as for `Array.sort`; total, so that the result does
 *   not depend on the order of the input.
 * @example
 * causalSort(edits, (edit) => edit.clock, (a, b) => (a.id < b.id ? -1 : 1))
 */
export function causalSort<T>(
  items: Iterable<T>,
  clockOf: (item: T) => VersionVector,
  tieBreak: (a: T, b: T) => number,
): T[] {
  const placed = Array.from(items, (item) => ({ item, ...heightOf(clockOf(item)) }))
  placed.sort((a, b) => a.high - b.high || a.low - b.low || tieBreak(a.item, b.item))
  return placed.map(({ item }) => item)
}

function heightOf({ counts }: VersionVector): { high: number; low: number } {
  let high = 0
  let low = 0
  for (const count of counts) {
    high += Math.floor(count / SPLIT)
    low += count % SPLIT
  }
  return { high: high + Math.floor(low / SPLIT), low: low % SPLIT }
}
