// Keys for benches: many, distinct, and either re-used string objects or fresh ones, as they
// come from a socket (a fresh string has no cached hash, a re-used one has).

/** `count` distinct flat ASCII keys of exactly `length` characters (at least 8). */
export function distinctKeys(count: number, length: number): string[] {
  if (count > 36 ** 7) throw new RangeError(`at most 36^7 keys, got ${count}`)
  return Array.from({ length: count }, (_, i) => {
    const text = `k${((i + 1) * 0x9e3779b1).toString(36).padStart(12, '0')}`
    return flat(text.length >= length ? text.slice(-length) : text.padEnd(length, 'abcdefghij'))
  })
}

/** A reader that makes a fresh string of the i-th key each time, as a parser of a socket does. */
export function freshReader(keys: readonly string[]): (i: number) => string {
  const buffers = keys.map((key) => Buffer.from(key))
  return (i) => buffers[i]!.toString('latin1')
}

/** The same text in one piece: V8 keeps concatenations and slices as trees and views. */
function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
