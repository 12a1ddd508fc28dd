// How often keys were used lately: a count-min sketch (Cormode and Muthukrishnan, 2005) with
// counters of four bits that are halved from time to time (TinyLFU: Einziger et al., 2017).
//
//   block of a key   16 words of 32 bits, one cache line: four rows of 32 counters
//   row i            the counter that 5 bits of the hash choose
//
// A key's count is the least of its four. When the table grows its blocks are copied, so that
// counts are kept.

const WORDS_PER_BLOCK = 16
const ROWS = 4
/** Every counter of a word without what a shift brings in from its neighbour. */
const HALVES = 0x77777777

/** Approximate counts from 0 to 15 by hash. */
export class FrequencySketch {
  #table: Uint32Array
  #blockMask: number
  /** Counts made since the last halving, and how many bring on the next. */
  #counted = 0
  #most = 0

  constructor(entries: number) {
    this.#table = new Uint32Array(WORDS_PER_BLOCK)
    this.#blockMask = 0
    this.grow(entries)
  }

  /** Makes room for the counts of so many entries. */
  grow(entries: number): void {
    this.#most = Math.max(this.#most, 10 * entries)
    const words = 2 ** Math.ceil(Math.log2(Math.max(WORDS_PER_BLOCK, 2 * entries)))
    while (this.#table.length < words) {
      const larger = new Uint32Array(2 * this.#table.length)
      larger.set(this.#table)
      larger.set(this.#table, this.#table.length)
      this.#table = larger
    }
    this.#blockMask = this.#table.length / WORDS_PER_BLOCK - 1
  }

  /** Counts a use of the key of a hash. */
  count(hash: number): void {
    const table = this.#table
    const block = blockOf(hash, this.#blockMask)
    let bits = bitsOf(hash)
    let added = false
    for (let row = 0; row < ROWS; row++, bits >>>= 5) {
      const at = block + 4 * row + (bits & 3)
      const shift = bits & 28
      if (((table[at]! >>> shift) & 15) === 15) continue
      table[at]! += 1 << shift
      added = true
    }
    if (added && ++this.#counted >= this.#most) this.#halve()
  }

  /** How often the key of a hash was used lately. */
  estimate(hash: number): number {
    const table = this.#table
    const block = blockOf(hash, this.#blockMask)
    let bits = bitsOf(hash)
    let least = 15
    for (let row = 0; row < ROWS; row++, bits >>>= 5) {
      const count = (table[block + 4 * row + (bits & 3)]! >>> (bits & 28)) & 15
      if (count < least) least = count
    }
    return least
  }

  clear(): void {
    this.#table.fill(0)
    this.#counted = 0
  }

  #halve(): void {
    const table = this.#table
    for (let at = 0; at < table.length; at++) table[at] = (table[at]! >>> 1) & HALVES
    this.#counted >>>= 1
  }
}

function blockOf(hash: number, mask: number): number {
  return ((hash >>> 8) & mask) * WORDS_PER_BLOCK
}

/** Twenty bits, five a row, that do not follow from those that chose the block. */
function bitsOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 8
}
