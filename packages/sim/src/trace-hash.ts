// A 64-bit hash of everything that happened, in order: two runs with the same hash took the same
// steps. Two 32-bit lanes, each step a bijection of the state for a given word, so that nothing
// folded in earlier is ever forgotten. Not cryptographic.

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)
/** Engines may give NaN other bits. */
const NAN = [0, 0x7ff80000]

/** A running hash over words, numbers and texts. */
export class TraceHash {
  #a = 0x243f6a88 | 0
  #b = 0x85a308d3 | 0

  /** Folds in 32 bits. */
  word(w: number): void {
    const a = Math.imul(this.#a ^ w, 0x9e3779b1)
    const mixed = (a << 13) | (a >>> 19)
    const b = Math.imul((this.#b + w) | 0, 0x85ebca77)
    this.#b = ((b << 17) | (b >>> 15)) ^ mixed
    this.#a = (mixed + this.#b) | 0
  }

  /** Folds in any number; every NaN counts as the same. */
  number(n: number): void {
    if ((n | 0) === n && n !== 0) {
      this.word(n)
      return
    }
    float[0] = n
    if (Number.isNaN(n)) words.set(NAN)
    this.word(words[0]!)
    this.word(words[1]!)
  }

  /** Folds in a text and its length. */
  text(text: string): void {
    const { length } = text
    // Two code units a word: texts are most of what is folded in.
    let i = 1
    for (; i < length; i += 2) this.word((text.charCodeAt(i - 1) << 16) | text.charCodeAt(i))
    if (i === length) this.word(text.charCodeAt(i - 1))
    this.word(length)
  }

  /** Folds in bytes and their number. */
  bytes(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.word(bytes[i]!)
    this.word(bytes.length)
  }

  /** The hash so far, as 16 hexadecimal digits. */
  digest(): string {
    return hex(mixLanes(this.#a, this.#b)) + hex(mixLanes(this.#b, this.#a))
  }
}

function mixLanes(x: number, y: number): number {
  let h = Math.imul(x ^ (x >>> 16) ^ y, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16) ^ x) >>> 0
}

function hex(n: number): string {
  return n.toString(16).padStart(8, '0')
}
