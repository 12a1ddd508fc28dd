// Jump consistent hash: no table at all, about ln(n) steps a key. A 64-bit linear congruential
// generator seeded with the key draws, from bucket b, the next bucket the key would jump to as
// buckets are added; the last jump below n is the answer. Only the last bucket can go without
// moving other keys. The generator runs on two 32-bit halves.
// Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).

import type { Halves } from '@ashlar/hash'
import { checkBuckets } from './bucket-count.ts'
import { type Key64, readKey64 } from './key64.ts'
import { mulHigh } from './mul-high.ts'

/** The paper's multiplier, 2862933555777941757, in halves. */
const MULTIPLIER_HI = 0x27bb2ee6
const MULTIPLIER_LO = 0x87b0b0fd

const scratch: Halves = { hi: 0, lo: 0 }

/**
 * The bucket of a key, 0 to `buckets - 1`, equal to the paper's reference code.
 *
 * From n to n + 1 buckets a key stays or moves to the new bucket, which takes 1/(n + 1) of all
 * keys; so only the last bucket can be taken away without moving others. Integer keys may be as
 * regular as ids are: the generator mixes them. Strings and bytes are hashed by XXH64 first.
 * O(log buckets), no memory.
 *
 * @param buckets how many there are, 1 to 2^31 - 1.
 * @throws {RingError} `ERR_RING_COUNT` on a bad number of buckets, `ERR_RING_KEY` on a bad key.
 * @example
 * jumpHash(42, 57) // → 43
 * jumpHash(0x0ddc0ffeebadf00dn, 16) // → 15
 */
export function jumpHash(key: Key64, buckets: number): number {
  checkBuckets(buckets)
  readKey64(key, scratch)
  let hi = scratch.hi
  let lo = scratch.lo
  let bucket = 0
  let next = 0
  while (next < buckets) {
    bucket = next
    const low = (Math.imul(lo, MULTIPLIER_LO) + 1) >>> 0
    const carry = low === 0 ? 1 : 0
    const cross = Math.imul(lo, MULTIPLIER_HI) + Math.imul(hi, MULTIPLIER_LO)
    hi = (mulHigh(lo, MULTIPLIER_LO) + cross + carry) >>> 0
    lo = low
    next = Math.floor((bucket + 1) * (0x80000000 / ((hi >>> 1) + 1)))
  }
  return bucket
}
