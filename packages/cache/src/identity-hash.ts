// Hashes for keys that only a Map can hold, for policies that must know a key again after it has
// left: floats by their bits, objects by a number that each is given when it is first seen.

import { hashInteger, hashString } from './key-hash.ts'

const POSITIVE = 0x7fffffff

/** Hashes floats, bigint, symbols, objects and all else that is neither string nor integer. */
export class IdentityHash {
  readonly #seed: number
  readonly #float: Float64Array = new Float64Array(1)
  readonly #halves: Int32Array = new Int32Array(this.#float.buffer)
  readonly #numbers: WeakMap<object, number> = new WeakMap()
  #next = 1

  constructor(seed: number) {
    this.#seed = seed
  }

  /** The hash of a key; not negative, by which an index knows it from that of a string. */
  hash(key: unknown): number {
    if (typeof key === 'number') {
      this.#float[0] = key
      return hashInteger(this.#halves[0]! ^ Math.imul(this.#halves[1]!, 31), this.#seed) & POSITIVE
    }
    if ((typeof key === 'object' && key !== null) || typeof key === 'function') {
      return hashInteger(this.#numberOf(key), this.#seed) & POSITIVE
    }
    return hashString(String(key), this.#seed) & POSITIVE
  }

  #numberOf(key: object): number {
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#next++ | 0
      this.#numbers.set(key, number)
    }
    return number
  }
}
