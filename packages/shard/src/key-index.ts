// Finds the item number of a key among a bounded set that keys keep joining and leaving: open
// addressing with linear probing, and removal by shifting back, so that it never fills with traces
// of what has left. A Map takes 1.5x to 1.8x the time for fresh strings, as requests bring them
// (and 0.65x for re-used ones, whose hash V8 keeps).
//
//   cells   item + 1 by hash, 0 where free; at most half are taken
//   hashes  XXH32 by item, compared before the text is
//   keys    text by item

import { xxh32 } from '@ashlar/hash'

/** Keys of items 0 to capacity - 1. */
export class KeyIndex {
  readonly #keys: string[] = []
  readonly #hashes: Int32Array
  readonly #cells: Int32Array
  readonly #mask: number

  constructor(capacity: number) {
    // Twice the capacity or more, a power of two.
    const cells = 2 ** (33 - Math.clz32(Math.max(1, capacity - 1)))
    this.#hashes = new Int32Array(capacity)
    this.#cells = new Int32Array(cells)
    this.#mask = cells - 1
  }

  /** The item of a key, -1 if there is none. */
  find(key: string, hash: number): number {
    const cells = this.#cells
    const hashes = this.#hashes
    const mask = this.#mask
    for (let cell = hash & mask; ; cell = (cell + 1) & mask) {
      const item = cells[cell]! - 1
      if (item < 0) return -1
      if (hashes[item] === hash && this.#keys[item] === key) return item
    }
  }

  /** The key of an item. */
  keyOf(item: number): string {
    return this.#keys[item]!
  }

  /** Gives an item that has no key one; the key must not be there. */
  put(item: number, key: string, hash: number): void {
    const cells = this.#cells
    const mask = this.#mask
    let cell = hash & mask
    while (cells[cell] !== 0) cell = (cell + 1) & mask
    cells[cell] = item + 1
    this.#hashes[item] = hash
    this.#keys[item] = key
  }

  /** Takes the key of an item away; {@link put} must follow, or the item is not used again. */
  remove(item: number): void {
    const cells = this.#cells
    const mask = this.#mask
    let gap = this.#hashes[item]! & mask
    while (cells[gap] !== item + 1) gap = (gap + 1) & mask
    // Whoever probed past the gap moves into it, and leaves another.
    for (let cell = (gap + 1) & mask; cells[cell] !== 0; cell = (cell + 1) & mask) {
      const home = this.#hashes[cells[cell]! - 1]! & mask
      if (((cell - home) & mask) < ((cell - gap) & mask)) continue
      cells[gap] = cells[cell]!
      gap = cell
    }
    cells[gap] = 0
  }

  clear(): void {
    this.#keys.length = 0
    this.#cells.fill(0)
  }
}

/** The hash that {@link KeyIndex} goes by. */
export function hashOf(key: string): number {
  return xxh32(key, 0) | 0
}
