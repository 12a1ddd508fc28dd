// Which hashes are in a miniature, and in which slot: open addressing with linear probing, removal
// by backward shift (Knuth, TAOCP 6.4, Algorithm R).
//
//   hashes   by slot: the hash that lives there        table   slots, 0: empty
//
// A hash lies within MAX_PROBE words of where its probe begins or is not taken in at all: keys
// chosen to collide cost a bounded probe, and what a miniature does not know of is a miss there.

/** Numbers of slots, 16 bits each where that is enough. */
export type Slots = Uint16Array | Uint32Array

const MAX_PROBE = 64
const SCRAMBLE = 0x2c1b3c6d

/** Finds the slot of a hash. */
export class MiniatureIndex {
  /** The hash of each slot. */
  readonly hashes: Int32Array
  readonly #cells: Slots
  /** Where the table begins among the cells. */
  readonly #start: number
  readonly #mask: number

  /**
   * @param cells Whose end is the table: zeros, at least one more than there will be entries.
   * @param words How many, a power of two.
   */
  constructor(hashes: Int32Array, cells: Slots, words: number) {
    this.hashes = hashes
    this.#cells = cells
    this.#start = cells.length - words
    this.#mask = words - 1
  }

  /** The slot of a hash, or 0. */
  find(hash: number): number {
    const cells = this.#cells
    const start = this.#start
    const mask = this.#mask
    const { hashes } = this
    let at = homeOf(hash) & mask
    for (let left = MAX_PROBE; left > 0; left--) {
      const slot = cells[start + at]!
      if (slot === 0 || hashes[slot] === hash) return slot
      at = (at + 1) & mask
    }
    return 0
  }

  /** Enters a slot under a hash that is not there yet; whether there was a place for it. */
  enter(hash: number, slot: number): boolean {
    const cells = this.#cells
    const start = this.#start
    let at = homeOf(hash) & this.#mask
    for (let left = MAX_PROBE; left > 0; left--) {
      if (cells[start + at] === 0) {
        cells[start + at] = slot
        this.hashes[slot] = hash
        return true
      }
      at = (at + 1) & this.#mask
    }
    return false
  }

  /** Takes a slot out. */
  leave(slot: number): void {
    const cells = this.#cells
    const start = this.#start
    const mask = this.#mask
    const { hashes } = this
    let hole = homeOf(hashes[slot]!) & mask
    while (cells[start + hole] !== slot) hole = (hole + 1) & mask
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = cells[start + at]!
      if (other === 0) break
      // May fill the hole whoever has come at least as far as the hole is behind.
      if (((at - homeOf(hashes[other]!)) & mask) < ((at - hole) & mask)) continue
      cells[start + hole] = other
      hole = at
    }
    cells[start + hole] = 0
  }
}

/** Where the probe for a hash begins; what was sampled by hash has lost some of its randomness. */
function homeOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), SCRAMBLE)
  return mixed ^ (mixed >>> 15)
}
