// Remembers roughly which keys left last, in 2 bytes each: 16-bit fingerprints in sets of eight.
//
//   set    [ newest … oldest ]   fingerprints of keys whose hash leads here; 0 is none
//
// A full set forgets its oldest, so what is remembered is about the last `size` keys; the
// ghost of S3FifoCache keeps to that number and takes four times the memory for it. A key that
// never left is taken for one that did in about 1 of 8,000 cases.

const WAYS = 8

/** A rough memory of the last keys that left. */
export class CompactGhost {
  /** About how many keys it remembers. */
  readonly size: number
  readonly #prints: Uint16Array
  readonly #sets: number

  constructor(size: number) {
    this.size = size
    this.#sets = Math.max(1, Math.ceil(size / WAYS))
    this.#prints = new Uint16Array(this.#sets * WAYS)
  }

  /** Remembers the key of a hash. */
  add(hash: number): void {
    const prints = this.#prints
    const at = this.#setOf(hash)
    for (let way = at + WAYS - 1; way > at; way--) prints[way] = prints[way - 1]!
    prints[at] = printOf(hash)
  }

  /** Whether the key of a hash is remembered; forgets it. */
  take(hash: number): boolean {
    const prints = this.#prints
    const print = printOf(hash)
    const at = this.#setOf(hash)
    for (let way = at; way < at + WAYS; way++) {
      if (prints[way] !== print) continue
      // The older ones move up, so that what is free is always at the end of the set.
      for (; way < at + WAYS - 1; way++) prints[way] = prints[way + 1]!
      prints[way] = 0
      return true
    }
    return false
  }

  clear(): void {
    this.#prints.fill(0)
  }

  /** Where the set of a hash begins: its upper bits say so, for any number of sets. */
  #setOf(hash: number): number {
    return Math.floor((((hash << 1) >>> 0) / 2 ** 32) * this.#sets) * WAYS
  }
}

/** The lower half of a hash, never 0. */
function printOf(hash: number): number {
  return hash & 0xffff || 1
}
