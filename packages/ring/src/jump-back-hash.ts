// JumpBackHash: like jumpHash, but walking down from a power of two, so that a key costs less than
// two random numbers on average, whatever the number of buckets. The generator is SplitMix64,
// seeded with the key; answers equal hash4j's jumpBackHash with SplitMix64.
//
// The bits set in the first number say at which powers of two the key jumps; from the highest
// such range [2^i, 2^(i+1)) a bucket is drawn, and kept if it exists.
// Source: Ertl, "JumpBackHash: Say Goodbye to the Modulo Operation to Distribute Keys Uniformly to
// Buckets" (2024); SplitMix64: Steele, Lea and Flood, OOPSLA 2014.

import type { Halves } from '@ashlar/hash'
import { checkBuckets } from './bucket-count.ts'
import { type Key64, readKey64 } from './key64.ts'
import { mulHigh } from './mul-high.ts'

const scratch: Halves = { hi: 0, lo: 0 }
const drawn: Halves = { hi: 0, lo: 0 }

/**
 * The bucket of a key, 0 to `buckets - 1`; the keeps of {@link jumpHash} at constant cost.
 *
 * From n to n + 1 buckets a key stays or moves to the new bucket, and buckets are equally likely.
 * Equal to hash4j's `jumpBackHash` over SplitMix64 for the same 64 bits. Strings and bytes are
 * hashed by XXH64 first. O(1) expected, no memory.
 *
 * @param buckets how many there are, 1 to 2^31 - 1.
 * @throws {RingError} `ERR_RING_COUNT` on a bad number of buckets, `ERR_RING_KEY` on a bad key.
 * @example
 * jumpBackHash('user:42', 1) // → 0
 */
export function jumpBackHash(key: Key64, buckets: number): number {
  checkBuckets(buckets)
  readKey64(key, scratch)
  if (buckets === 1) return 0
  splitMix64(scratch, drawn)
  const { hi, lo } = drawn
  let jumps = (hi ^ lo) & (0xffffffff >>> Math.clz32(buckets - 1))
  while (jumps !== 0) {
    const min = 0x80000000 >>> Math.clz32(jumps)
    // The half is chosen by parity, so that lower jumps do not reuse the bits of the higher ones.
    const offset = parity(jumps) === 1 ? hi : lo
    const bucket = min + (offset & (min - 1))
    if (bucket < buckets) return bucket
    const redrawn = redraw(scratch, min, buckets)
    if (redrawn >= 0) return redrawn
    jumps ^= min
  }
  return 0
}

/** Draws from [0, 2 min) until a bucket of [min, buckets) or one below min, which says -1. */
function redraw(state: Halves, min: number, buckets: number): number {
  const mask = 2 * min - 1
  for (;;) {
    splitMix64(state, drawn)
    let bucket = drawn.lo & mask
    if (bucket >= min && bucket >= buckets) bucket = drawn.hi & mask
    if (bucket < min) return -1
    if (bucket < buckets) return bucket
  }
}

/** Adds the golden ratio to the state and writes its mix into `out`. */
function splitMix64(state: Halves, out: Halves): void {
  const sum = state.lo + 0x7f4a7c15
  let lo = sum >>> 0
  let hi = (state.hi + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) >>> 0
  state.lo = lo
  state.hi = hi
  let low = (lo ^ ((lo >>> 30) | (hi << 2))) >>> 0
  let high = hi ^ (hi >>> 30)
  hi = (mulHigh(low, 0x1ce4e5b9) + Math.imul(low, 0xbf58476d) + Math.imul(high, 0x1ce4e5b9)) | 0
  lo = Math.imul(low, 0x1ce4e5b9)
  low = (lo ^ ((lo >>> 27) | (hi << 5))) >>> 0
  high = hi ^ (hi >>> 27)
  hi = (mulHigh(low, 0x133111eb) + Math.imul(low, 0x94d049bb) + Math.imul(high, 0x133111eb)) | 0
  lo = Math.imul(low, 0x133111eb)
  out.lo = lo ^ ((lo >>> 31) | (hi << 1))
  out.hi = hi ^ (hi >>> 31)
}

function parity(bits: number): number {
  let x = bits ^ (bits >>> 16)
  x ^= x >>> 8
  x ^= x >>> 4
  return (0x6996 >>> (x & 15)) & 1
}
