// XXH32 of bytes in plain JavaScript: the reading of `XXH32` in the xxHash specification.
//
//   16 bytes or more: 4 lanes a b c d <- stripes of 4 little-endian words, then joined
//   what is left: words, then bytes, into the joined value, then the avalanche
//
// All at once here, in the parts that the stream works with below. The lanes are unrolled: a loop
// in which they take turns, as the string path has it, is 1.3x slower on bytes.

const P1 = 0x9e3779b1 | 0
const P2 = 0x85ebca77 | 0
const P3 = 0xc2b2ae3d | 0
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

/**
 * XXH32 of the first `size` bytes of `s`, unsigned. Written out in one function: with the calls of
 * the stream V8 gives up inlining and 16 bytes take twice as long.
 */
export function xxh32Bytes(s: Uint8Array, size: number, seed: number): number {
  let i = 0
  let h = (seed + P5 + size) | 0
  if (size >= 16) {
    let a = (seed + P1 + P2) | 0
    let b = (seed + P2) | 0
    let c = seed | 0
    let d = (seed - P1) | 0
    for (const end = size & ~15; i < end; i += 16) {
      a += Math.imul(s[i]! | (s[i + 1]! << 8) | (s[i + 2]! << 16) | (s[i + 3]! << 24), P2)
      a = Math.imul((a << 13) | (a >>> 19), P1)
      b += Math.imul(s[i + 4]! | (s[i + 5]! << 8) | (s[i + 6]! << 16) | (s[i + 7]! << 24), P2)
      b = Math.imul((b << 13) | (b >>> 19), P1)
      c += Math.imul(s[i + 8]! | (s[i + 9]! << 8) | (s[i + 10]! << 16) | (s[i + 11]! << 24), P2)
      c = Math.imul((c << 13) | (c >>> 19), P1)
      d += Math.imul(s[i + 12]! | (s[i + 13]! << 8) | (s[i + 14]! << 16) | (s[i + 15]! << 24), P2)
      d = Math.imul((d << 13) | (d >>> 19), P1)
    }
    h = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25))
    h = (h + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14)) + size) | 0
  }
  for (; i + 4 <= size; i += 4) {
    h += Math.imul(s[i]! | (s[i + 1]! << 8) | (s[i + 2]! << 16) | (s[i + 3]! << 24), P3)
    h = Math.imul((h << 17) | (h >>> 15), P4)
  }
  for (; i < size; i++) {
    h += Math.imul(s[i]!, P5)
    h = Math.imul((h << 11) | (h >>> 21), P1)
  }
  h = Math.imul(h ^ (h >>> 15), P2)
  h = Math.imul(h ^ (h >>> 13), P3)
  return (h ^ (h >>> 16)) >>> 0
}

/** The four lanes as one value. */
export function joinLanes(a: number, b: number, c: number, d: number): number {
  const ab = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25))
  const cd = ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))
  return (ab + cd) | 0
}

/** Mixes `bytes` from `start` to `end`, fewer than 16, into what the lanes gave; unsigned. */
export function mixRest(bytes: Uint8Array, start: number, end: number, joined: number): number {
  let h = joined
  let i = start
  for (; i + 4 <= end; i += 4) {
    h = (h + Math.imul(readWord(bytes, i), P3)) | 0
    h = Math.imul((h << 17) | (h >>> 15), P4)
  }
  for (; i < end; i++) {
    h = (h + Math.imul(bytes[i]!, P5)) | 0
    h = Math.imul((h << 11) | (h >>> 21), P1)
  }
  h = Math.imul(h ^ (h >>> 15), P2)
  h = Math.imul(h ^ (h >>> 13), P3)
  return (h ^ (h >>> 16)) >>> 0
}

/** A little-endian word. */
export function readWord(bytes: Uint8Array, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
}
