// One input under many seeds, as a ring needs it: every virtual node is a seed. XXH32 multiplies
// each input word by a constant before the seed touches it, so those products are taken once:
//
//   products  [ word x P2: 4 a stripe | word x P3: the 0-3 words left | byte x P5: the 0-3 left ]
//
// and each seed costs only the mixing.

import { toBytes } from './utf8.ts'

// In each file that hashes, since V8 folds a constant of the file itself, not an imported one
// (imported: 20 ns a seed of an 8-character id, here: 5 ns).
const P1 = 0x9e3779b1 | 0
const P2 = 0x85ebca77 | 0
const P3 = 0xc2b2ae3d | 0
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

/** Products of inputs up to this many bytes (every sane id) are kept here, longer ones are not. */
const KEPT = 1024
const kept = new Int32Array(KEPT)

/**
 * Fills `out[i]` with `xxh32(input, firstSeed + i)`: many hashes of one input, read once.
 *
 * About 5 ns a seed for an input of 8 characters. Seeds wrap around at 2^32.
 *
 * @param input A string (hashed as UTF-8, see {@link xxh32}) or bytes.
 * @param firstSeed Any integer, taken modulo 2^32.
 * @param out Filled whole, from index 0; its length says how many seeds.
 * @returns `out`.
 * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array.
 * @example
 * const points = xxh32Seeds('node-a', 1, new Uint32Array(256))
 * points[9] === xxh32('node-a', 10) // → true
 */
export function xxh32Seeds(
  input: string | Uint8Array,
  firstSeed: number,
  out: Uint32Array,
): Uint32Array {
  const bytes = toBytes(input)
  const size = bytes.length
  const products = size <= KEPT ? kept : new Int32Array(size)
  takeProducts(bytes, products)
  if (size < 16) mixShort(products, size, firstSeed | 0, out)
  else mixLong(products, size, firstSeed | 0, out)
  return out
}

function takeProducts(bytes: Uint8Array, products: Int32Array): void {
  const laneWords = (bytes.length >>> 4) << 2
  const words = bytes.length >>> 2
  for (let p = 0, i = 0; p < words; p++, i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    products[p] = Math.imul(word, p < laneWords ? P2 : P3)
  }
  for (let p = words, i = words << 2; i < bytes.length; i++, p++) {
    products[p] = Math.imul(bytes[i]!, P5)
  }
}

function mixShort(products: Int32Array, size: number, firstSeed: number, out: Uint32Array): void {
  for (let i = 0; i < out.length; i++) {
    out[i] = mixRest(products, 0, size, (firstSeed + i + P5) | 0)
  }
}

function mixLong(products: Int32Array, size: number, firstSeed: number, out: Uint32Array): void {
  const laneWords = (size >>> 4) << 2
  for (let i = 0; i < out.length; i++) {
    const seed = (firstSeed + i) | 0
    let a = (seed + P1 + P2) | 0
    let b = (seed + P2) | 0
    let c = seed
    let d = (seed - P1) | 0
    for (let p = 0; p < laneWords; p += 4) {
      a = (a + products[p]!) | 0
      a = Math.imul((a << 13) | (a >>> 19), P1)
      b = (b + products[p + 1]!) | 0
      b = Math.imul((b << 13) | (b >>> 19), P1)
      c = (c + products[p + 2]!) | 0
      c = Math.imul((c << 13) | (c >>> 19), P1)
      d = (d + products[p + 3]!) | 0
      d = Math.imul((d << 13) | (d >>> 19), P1)
    }
    a = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25))
    c = ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))
    out[i] = mixRest(products, laneWords, size, (a + c) | 0)
  }
}

function mixRest(products: Int32Array, from: number, size: number, joined: number): number {
  const words = size >>> 2
  const end = words + (size & 3)
  let h = (joined + size) | 0
  let p = from
  for (; p < words; p++) {
    h = (h + products[p]!) | 0
    h = Math.imul((h << 17) | (h >>> 15), P4)
  }
  for (; p < end; p++) {
    h = (h + products[p]!) | 0
    h = Math.imul((h << 11) | (h >>> 21), P1)
  }
  h = Math.imul(h ^ (h >>> 15), P2)
  h = Math.imul(h ^ (h >>> 13), P3)
  return (h ^ (h >>> 16)) >>> 0
}
