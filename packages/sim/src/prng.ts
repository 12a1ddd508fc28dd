// Randomness from one seed, split by label: each stream is seeded by a hash of (seed, label), so
// that what one node, link or disk draws never moves what another one draws. This is what lets a
// failing plan shrink: a fault taken away leaves every other draw where it was.
//
// `RandomStream` is sfc32 (Chris Doty-Humphrey, PractRand), integers only, so that every engine
// gives the same numbers. `draw` needs no state at all: the n-th number of a salt.

/** A sequence of random numbers that depends on a seed and a label only. */
export class RandomStream {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, label: string) {
    this.#a = saltOf(seed, label)
    this.#b = draw(this.#a, 1) ^ saltOf(seed, `${label}/b`)
    this.#c = draw(this.#b, 2) ^ saltOf(seed, `${label}/c`)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** The next 32 random bits, as an integer from 0 to 2^32 − 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0 to n − 1; n is at most 2^32. */
  below(n: number): number {
    return Math.floor((this.next() * n) / TWO_32)
  }

  /** A number in [0, 1) with 53 random bits, as Math.random gives them. */
  fraction(): number {
    return ((this.next() >>> 5) * 0x4000000 + (this.next() >>> 6)) / 0x20000000000000
  }
}

/** A 32-bit hash of a seed (any integer up to 2^53) and a label: MurmurHash3's mixing. */
export function saltOf(seed: number, label: string): number {
  let h = mix(Math.floor(seed / TWO_32) ^ 0x9e3779b9) ^ mix((seed | 0) ^ 0x85ebca6b)
  for (let i = 0; i < label.length; i++) {
    let k = Math.imul(label.charCodeAt(i), 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    h ^= k
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  }
  return mix(h ^ label.length)
}

/** The n-th random number of a salt, from 0 to 2^32 − 1. */
export function draw(salt: number, n: number): number {
  return mix(mix(salt ^ Math.imul(n, 0x9e3779b1)) + n) >>> 0
}

/** An integer from 0 to n − 1 out of 32 random bits. */
export function scale(bits: number, n: number): number {
  return Math.floor((bits * n) / TWO_32)
}

/** Whether 32 random bits fall under a rate from 0 to 1. */
export function hits(bits: number, rate: number): boolean {
  return bits < rate * TWO_32
}

const TWO_32 = 0x100000000

/** Murmur3's finaliser: a bijection of 32-bit integers in which every bit moves every other. */
export function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
