// Where keys and virtual nodes lie on the ring of 2^32 places, so that anyone with xxHash can say:
//
//   s            = imul(seed, 0x9E3779B1)           the ring's seed, spread over 32 bits
//   key          → xxh32(utf8(key), s)
//   (id, v)      → xxh32(utf8(id), xxh32(v, s))     v = "0", "1" … in decimal digits
//
// Seeds s + 1 + v would be simpler and are wrong: XXH32 adds the seed to products of the input, so
// ids of one word's difference, like node-103 and node-187, get the same points in shifted order.
// At 256 virtual nodes the shares of node-100 … node-199 then vary 4.6 times more than they should.

import { xxh32 } from '@ashlar/hash'
import { RingError } from './ring-error.ts'
import { checkKey, type RingKey } from './ring-key.ts'
import { show } from './ring-node.ts'

/**
 * A hash function with a name, so that stored rings can say which one placed their keys.
 *
 * `hash32` must be pure, and spread well over 32 bits also for inputs that differ little; what it
 * returns is taken modulo 2^32.
 */
export interface RingHash {
  readonly name: string
  readonly hash32: (input: string | Uint8Array, seed: number) => number
}

/** The name that rings without a hash of their own give theirs. */
const DEFAULT_HASH_NAME = 'xxh32'

/** The hash and the seed of one ring. */
export class PlacementRule {
  readonly name: string
  /** Undefined for XXH32, which is called directly: the engine can inline it. */
  readonly custom: RingHash | undefined
  readonly keySeed: number
  /** The seeds of virtual nodes 0, 1 …, as far as they were needed. */
  #seeds: Uint32Array = new Uint32Array(0)

  constructor(hash: RingHash | undefined, seed: number) {
    if (hash !== undefined) checkHash(hash)
    this.name = hash?.name ?? DEFAULT_HASH_NAME
    this.custom = hash
    this.keySeed = Math.imul(seed, 0x9e3779b1) >>> 0
  }

  /** Where a key lies, 0 … 2^32 - 1. Throws `ERR_RING_KEY` unless it is a string or bytes. */
  hashOf(key: RingKey): number {
    if (typeof key !== 'string') checkKey(key)
    const custom = this.custom
    return custom === undefined ? xxh32(key, this.keySeed) : custom.hash32(key, this.keySeed) >>> 0
  }

  /** Fills `out` with the points of virtual nodes `first`, `first + 1` … of the node `id`. */
  pointsOf(id: string, first: number, out: Uint32Array): void {
    const seeds = this.#seedsOf(first + out.length)
    const custom = this.custom
    if (custom === undefined) {
      for (let i = 0; i < out.length; i++) out[i] = xxh32(id, seeds[first + i]!)
    } else {
      for (let i = 0; i < out.length; i++) out[i] = custom.hash32(id, seeds[first + i]!)
    }
  }

  /** Do both put every key and every virtual node in the same place, as far as can be told? */
  agreesWith(other: PlacementRule): boolean {
    return this.name === other.name && this.keySeed === other.keySeed && this.probe === other.probe
  }

  /** One hash as a sample: two functions that share a name by mistake differ in it. */
  get probe(): number {
    return this.hashOf('ashlar')
  }

  #seedsOf(count: number): Uint32Array {
    const known = this.#seeds
    if (known.length >= count) return known
    const seeds = new Uint32Array(count)
    seeds.set(known)
    for (let v = known.length; v < count; v++) seeds[v] = this.hashOf(String(v))
    this.#seeds = seeds
    return seeds
  }
}

function checkHash(hash: RingHash): void {
  const given: unknown = hash
  if (typeof given !== 'object' || given === null || typeof hash.hash32 !== 'function') {
    throw new RingError(
      'ERR_RING_OPTION',
      `hash must be { name, hash32(input, seed) } or left out for XXH32, got ${show(given)}`,
    )
  }
  const name: unknown = hash.name
  if (typeof name !== 'string' || name === '') {
    throw new RingError(
      'ERR_RING_OPTION',
      `hash.name must be a non-empty string (stored rings name their hash), got ${show(name)}`,
    )
  }
}
