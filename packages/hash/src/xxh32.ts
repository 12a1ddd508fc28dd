// XXH32 of a string or bytes, each by its cheapest way:
//
//   text:  0 .. 48 units  straight from charCodeAt; the first unit above 127 sends it on as UTF-8
//          49 units up    xxhash-wasm (from 17 where not ASCII), once it has compiled
//   bytes: 0 .. 96        JavaScript
//          97 up          xxhash-wasm, likewise
//
// All ways give the same number. Source: the xxHash specification (Y. Collet), XXH32.

import { refuseInput, refuseSeed } from './hash-error.ts'
import { encodeShort, isBytes } from './utf8.ts'
import { xxh32Bytes } from './xxh32-bytes.ts'
import { h32, h32Raw, isHuge, xxh32Long } from './xxh32-long.ts'

// In each file that hashes, since V8 folds a constant of the file itself, not an imported one:
// imported, an 8-character id takes twice as long.
const P1 = 0x9e3779b1 | 0
const P2 = 0x85ebca77 | 0
const P3 = 0xc2b2ae3d | 0
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

// Where xxhash-wasm overtakes JavaScript, measured: ASCII at 48 to 52 characters on Node 20 and at
// 56 to 60 on Node 26; other text at 16 to 20 units on both; bytes at 90 on Node 26 and past 160
// on Node 20.
const SHORT_ASCII = 48
const SHORT_TEXT = 16
const SHORT_BYTES = 96
const utf8 = new Uint8Array(3 * SHORT_TEXT)

/**
 * XXH32 of a string (as UTF-8) or bytes: the same number as every other xxHash gives.
 *
 * A lone surrogate is hashed as U+FFFD; text is never normalised. Works at once on import: no
 * promise, no initialisation. O(length), allocates nothing for short input.
 *
 * @param input A string or a Uint8Array (a Buffer is one).
 * @param seed Any integer, taken modulo 2^32 (`seed | 0`: -1 is the seed 4294967295); default 0.
 * @returns An integer from 0 to 2^32 - 1.
 * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array,
 * `ERR_HASH_SEED` if `seed` is not a number.
 * @example
 * xxh32('abc') // → 0x32d153ff
 */
export function xxh32(input: string | Uint8Array, seed = 0): number {
  if (typeof seed !== 'number') refuseSeed(seed, 'a number')
  if (typeof input !== 'string') return hashBytes(input, seed | 0)
  const units = input.length
  if (units <= SHORT_TEXT) return hashShort(input, seed | 0)
  // Most text that is not ASCII shows it at once and is spared the attempt.
  if (units <= SHORT_ASCII && input.charCodeAt(0) < 0x80) return hashShort(input, seed | 0)
  return hashLong(input, seed | 0)
}

// Apart from the above, which V8 then inlines where it is called: 10 ns less for long input.
function hashShort(input: string, seed: number): number {
  const units = input.length
  let i = 0
  let h = (seed + P5) | 0
  if (units >= 16) {
    let a = (seed + P1 + P2) | 0
    let b = (seed + P2) | 0
    let c = seed
    let d = (seed - P1) | 0
    // The lanes take turns in `a`: one place that reads a word, where four are 1.1x slower.
    for (const end = units & ~15; i < end; i += 4) {
      const u0 = input.charCodeAt(i)
      const u1 = input.charCodeAt(i + 1)
      const u2 = input.charCodeAt(i + 2)
      const u3 = input.charCodeAt(i + 3)
      if ((u0 | u1 | u2 | u3) > 127) return hashText(input, seed)
      const sum = (a + Math.imul(u0 | (u1 << 8) | (u2 << 16) | (u3 << 24), P2)) | 0
      a = b
      b = c
      c = d
      d = Math.imul((sum << 13) | (sum >>> 19), P1)
    }
    h = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25))
    h = (h + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0
  }
  h = (h + units) | 0
  for (; i + 4 <= units; i += 4) {
    const u0 = input.charCodeAt(i)
    const u1 = input.charCodeAt(i + 1)
    const u2 = input.charCodeAt(i + 2)
    const u3 = input.charCodeAt(i + 3)
    if ((u0 | u1 | u2 | u3) > 127) return hashText(input, seed)
    h = (h + Math.imul(u0 | (u1 << 8) | (u2 << 16) | (u3 << 24), P3)) | 0
    h = Math.imul((h << 17) | (h >>> 15), P4)
  }
  for (; i < units; i++) {
    const unit = input.charCodeAt(i)
    if (unit > 127) return hashText(input, seed)
    h = (h + Math.imul(unit, P5)) | 0
    h = Math.imul((h << 11) | (h >>> 21), P1)
  }
  h = Math.imul(h ^ (h >>> 15), P2)
  h = Math.imul(h ^ (h >>> 13), P3)
  return (h ^ (h >>> 16)) >>> 0
}

/** Text of at most SHORT_ASCII units that is not ASCII. */
function hashText(text: string, seed: number): number {
  if (text.length > SHORT_TEXT) return hashLong(text, seed)
  return xxh32Bytes(utf8, encodeShort(text, utf8, 0), seed)
}

function hashLong(text: string, seed: number): number {
  return h32 === undefined || isHuge(text.length) ? xxh32Long(text, seed) : h32(text, seed)
}

function hashBytes(input: Uint8Array, seed: number): number {
  if (!(input instanceof Uint8Array) && !isBytes(input)) refuseInput(input)
  const size = input.length
  return size <= SHORT_BYTES ? xxh32Bytes(input, size, seed) : hashLongBytes(input, seed)
}

function hashLongBytes(input: Uint8Array, seed: number): number {
  return h32Raw === undefined || isHuge(input.length) ? xxh32Long(input, seed) : h32Raw(input, seed)
}
