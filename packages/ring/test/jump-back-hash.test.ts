// JumpBackHash against hash4j's published check value and its laws. That the check value comes out
// says that a million answers are equal, for all sizes of bucket counts.

import { jumpBackHash, type Key64 } from '@ashlar/ring'
import { fc, test as law } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { errorCode } from './error-code.ts'

const u64 = (x: bigint) => BigInt.asUintN(64, x)

/** Java's SplittableRandom (Steele, Lea and Flood), from which hash4j draws its test input. */
class SplittableRandom {
  #state: bigint

  constructor(seed: bigint) {
    this.#state = seed
  }

  nextInt(): number {
    let z = this.#advance()
    z = u64((z ^ (z >> 33n)) * 0x62a9d9ed799705f5n)
    return Number(u64((z ^ (z >> 28n)) * 0xcb24d0a5c88c35b3n) >> 32n) | 0
  }

  nextLong(): bigint {
    let z = this.#advance()
    z = u64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = u64((z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    return z ^ (z >> 31n)
  }

  #advance(): bigint {
    this.#state = u64(this.#state + 0x9e3779b97f4a7c15n)
    return this.#state
  }
}

/** komihash 5.0, seed 0, of whole 64-byte blocks: what hash4j sums its answers up by. */
function komihash(words: BigUint64Array): bigint {
  const product = 0x243f6a8885a308d3n * 0x452821e638d01377n
  const high = u64(0x452821e638d01377n + (product >> 64n))
  const low = high ^ u64(product)
  const s = [low]
  for (const pi of [0x13198a2e03707344n, 0xa4093822299f31d0n, 0x082efa98ec4e6c89n]) s.push(pi ^ low)
  const t = [high]
  for (const pi of [0xbe5466cf34e90c6cn, 0xc0ac29b7c97c50ddn, 0x3f84d5b5b5470917n])
    t.push(pi ^ high)
  for (let i = 0; i < words.length; i += 8) {
    const lows = s.map((seed, lane) => {
      const r = (seed ^ words[i + lane]!) * (t[lane]! ^ words[i + 4 + lane]!)
      t[lane] = u64(t[lane]! + (r >> 64n))
      return u64(r)
    })
    // Each lane's sum goes into the next lane.
    for (let lane = 0; lane < 4; lane++) s[(lane + 1) % 4] = t[lane]! ^ lows[(lane + 1) % 4]!
  }
  let a = s.reduce((x, y) => x ^ y) ^ 1n
  let b = t.reduce((x, y) => x ^ y)
  const lastSum = b
  for (let round = 0; round < 2; round++) {
    const r = a * b
    b = u64((round === 0 ? lastSum : b) + (r >> 64n))
    a = b ^ u64(r)
  }
  return a
}

test('a million answers have the check value that hash4j publishes for SplitMix64', () => {
  const random = new SplittableRandom(0x0a55871a9d9103b7n)
  const answers = new Uint32Array(1_000_000)
  for (let i = 0; i < answers.length; i++) {
    const drawn = (random.nextInt() >>> 1) >>> random.nextInt()
    answers[i] = jumpBackHash(random.nextLong(), Math.max(1, drawn))
  }
  expect(komihash(new BigUint64Array(answers.buffer))).toBe(0x23d7a0d288cd67e7n)
})

const key = fc.bigInt(0n, 2n ** 64n - 1n)
const LARGEST = 2 ** 31 - 1
const buckets = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 0, max: 30 }).map((power) => 2 ** power),
  fc.integer({ min: 1, max: LARGEST }),
  fc.constant(LARGEST),
)

law.prop([key, buckets])('an answer is a bucket, and the same for fewer down to it', (k, n) => {
  const bucket = jumpBackHash(k, n)
  expect(bucket >= 0 && bucket < n && Number.isInteger(bucket)).toBe(true)
  expect(jumpBackHash(k, bucket + 1)).toBe(bucket)
  if (bucket > 0) expect(jumpBackHash(k, bucket)).toBeLessThan(bucket)
})

law.prop([key])('from n to n + 1 buckets a key stays or moves to the new one', (k) => {
  let bucket = 0
  for (let n = 1; n <= 300; n++) {
    const next = jumpBackHash(k, n)
    if (next !== bucket) expect(next).toBe(n - 1)
    bucket = next
  }
})

test('buckets are equally likely, also for keys that count up', () => {
  for (const n of [2, 3, 7, 11, 64, 100]) {
    const counts = new Array<number>(n).fill(0)
    for (let i = 0; i < 50_000; i++) counts[jumpBackHash(i, n)]!++
    const expected = 50_000 / n
    const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chi2).toBeLessThan(n - 1 + 5 * Math.sqrt(2 * (n - 1)))
  }
})

test('forms of a key agree, and bad ones are refused', () => {
  const code = (k: unknown, n: number) => errorCode(() => jumpBackHash(k as Key64, n))
  expect(jumpBackHash(-1, 1000)).toBe(jumpBackHash(2n ** 64n - 1n, 1000))
  expect(jumpBackHash({ hi: 1, lo: 2 }, 1000)).toBe(jumpBackHash(2n ** 32n + 2n, 1000))
  expect(jumpBackHash('user:42', 1000)).toBe(
    jumpBackHash(new TextEncoder().encode('user:42'), 1000),
  )
  expect(jumpBackHash('user:42', 1)).toBe(0)
  expect(code('k', 0)).toBe('ERR_RING_COUNT')
  expect(code('k', 2 ** 31)).toBe('ERR_RING_COUNT')
  expect(code(0.5, 1)).toBe('ERR_RING_KEY')
})
