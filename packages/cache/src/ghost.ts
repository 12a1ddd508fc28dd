// Remembers which keys have left last: 32-bit words in sets of sixteen, 8 bytes a key remembered.
//
//   set    [ newest … oldest ]         words of keys whose hash leads here
//   word   [ fingerprint:16 | time:16 ]    time: keys that left, counted in 1/16,384 of the size
//
// A key counts as remembered while no more than `size` have left after it; there are twice as many
// words as that, so that few are pushed out of their set before. A key that never left is taken
// for one that did in about 1 of 8,000 cases.

const WAYS = 16
const UNITS = 16_384

/** A memory of the last keys that left. */
export class Ghost {
  /** How many keys it remembers. */
  readonly size: number
  readonly #words: Uint32Array
  readonly #sets: number
  /** Keys that one step of time stands for. */
  readonly #unit: number
  /** How many keys have left. */
  #left = 0

  constructor(size: number) {
    this.size = size
    this.#sets = Math.max(1, Math.ceil((2 * size) / WAYS))
    this.#words = new Uint32Array(this.#sets * WAYS)
    this.#unit = Math.max(1, Math.ceil(size / UNITS))
  }

  /** Remembers the key of a hash. */
  add(hash: number): void {
    const words = this.#words
    const at = this.#setOf(hash)
    for (let way = at + WAYS - 1; way > at; way--) words[way] = words[way - 1]!
    words[at] = printOf(hash) | (Math.floor(this.#left / this.#unit) & 0xffff)
    this.#left++
  }

  /** Whether the key of a hash is remembered; forgets it. */
  take(hash: number): boolean {
    const words = this.#words
    const print = printOf(hash)
    const at = this.#setOf(hash)
    for (let way = at; way < at + WAYS; way++) {
      const word = words[way]!
      if (((word ^ print) & 0xffff0000) !== 0) continue
      words[way] = 0
      const age = (Math.floor(this.#left / this.#unit) - word) & 0xffff
      return age * this.#unit <= this.size
    }
    return false
  }

  clear(): void {
    this.#words.fill(0)
  }

  /** Where the set of a hash begins: its upper bits say so, for any number of sets. */
  #setOf(hash: number): number {
    return Math.floor((((hash << 1) >>> 0) / 2 ** 32) * this.#sets) * WAYS
  }
}

/** The lower half of a hash, never 0, in the upper half of a word. */
function printOf(hash: number): number {
  return (hash << 16) | 0x10000
}
