// XXH32 and slots with one thing wrong each: mistakes that hashes in use make.

import { slotOf, xxh32 } from '@ashlar/hash'
import type { Hashing } from './hash-laws.ts'

const encoder = new TextEncoder()
const bytesOf = (input: string | Uint8Array) =>
  typeof input === 'string' ? encoder.encode(input) : input

export const right: Hashing = { hash32: xxh32, slotOf }

/** Reads the low byte of each UTF-16 unit, as `charCodeAt` into bytes does. */
export const utf16Units: Hashing = {
  ...right,
  hash32: (input, seed) =>
    typeof input === 'string'
      ? xxh32(
          Uint8Array.from(input, (unit) => unit.charCodeAt(0)),
          seed,
        )
      : xxh32(input, seed),
}

/** Takes four bytes at a time and forgets what is left over. */
export const lostTail: Hashing = {
  ...right,
  hash32: (input, seed) => {
    const bytes = bytesOf(input)
    return xxh32(bytes.subarray(0, bytes.length & ~3), seed)
  },
}

/** FNV-1a: each byte is mixed upwards only, and nothing at the end brings it down again. */
export const noAvalanche: Hashing = {
  ...right,
  hash32: (input, seed) => {
    let hash = 0x811c9dc5 ^ seed
    for (const byte of bytesOf(input)) hash = Math.imul(hash ^ byte, 0x01000193)
    return hash >>> 0
  },
}

/** Adds the seed to the finished hash: seeds shift all keys alike. */
export const seedAddedLast: Hashing = {
  ...right,
  hash32: (input, seed) => (xxh32(input) + seed) >>> 0,
}

/** Takes the remainder of 16 bits: the first slots get more where 65,536 does not divide evenly. */
export const slotsOf16Bits: Hashing = {
  ...right,
  slotOf: (key, slots) => (xxh32(key) >>> 16) % slots,
}

/** Takes the remainder of the signed hash: half of the keys fall before the first slot. */
export const signedSlots: Hashing = { ...right, slotOf: (key, slots) => (xxh32(key) | 0) % slots }
