// A hash as a point of the unit interval, for sampling, percentages and weighted choices.

/**
 * A 32-bit hash as a number from 0 up to but never 1: `h / 2^32`, exact.
 *
 * @param h A hash, 0 to 2^32 - 1, as {@link xxh32} returns it.
 * @example
 * toUnit(0x80000000) // → 0.5
 */
export function toUnit(h: number): number {
  return h / 0x100000000
}
