// Jump hash against published answers and the paper's code in bigints.

import { readFileSync } from 'node:fs'
import { xxh64, xxh64Into } from '@ashlar/hash'
import { jumpHash, type Key64 } from '@ashlar/ring'
import { fc, test as law } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { mulHigh } from '../src/mul-high.ts'
import { errorCode } from './error-code.ts'

const published = JSON.parse(
  readFileSync(new URL('vectors/published_jump.json', import.meta.url), 'utf8'),
)

/** The paper's code, word for word, in bigints. */
function reference(key: bigint, buckets: number): number {
  let k = BigInt.asUintN(64, key)
  let b = -1n
  let j = 0n
  while (j < BigInt(buckets)) {
    b = j
    k = BigInt.asUintN(64, k * 2862933555777941757n + 1n)
    j = BigInt(Math.floor(Number(b + 1n) * (2 ** 31 / Number((k >> 33n) + 1n))))
  }
  return Number(b)
}

describe('jump hash answers as published', () => {
  test('by Guava, for keys 0 to 19 in 100 buckets', () => {
    const { keys, numBuckets, buckets } = published.golden100
    expect(keys).toBe('0..19')
    expect(buckets.map((_: number, key: number) => jumpHash(key, numBuckets))).toEqual(buckets)
  })

  test('by go-jump, for one key in 1, 2, 3 … buckets', () => {
    for (const { key, buckets } of published.perKey) {
      const answers = buckets.map((_: number, i: number) => jumpHash(BigInt(key), i + 1))
      expect(answers).toEqual(buckets)
    }
  })

  test('by python-jump-consistent-hash', () => {
    for (const [key, buckets, bucket] of published.tuples) {
      expect(jumpHash(BigInt(key), buckets)).toBe(bucket)
    }
  })
})

test('jump hash equals the reference of the paper for 100,000 keys and bucket counts', () => {
  let state = 1n
  for (let i = 0; i < 100_000; i++) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n)
    const halves = { hi: Number(state >> 32n), lo: Number(state & 0xffffffffn) }
    const buckets = 1 + (halves.hi % (i % 2 === 0 ? 1000 : 0x7fffffff))
    if (jumpHash(halves, buckets) !== reference(state, buckets)) {
      expect.unreachable(`key ${state} in ${buckets} buckets`)
    }
  }
})

const edges = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]
const buckets = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 0x7fffffff }))
const key = fc.oneof(fc.constantFrom(...edges), fc.bigInt(0n, 2n ** 64n - 1n))

law.prop([key, buckets])('jump hash equals the reference at the edges', (k, n) => {
  expect(jumpHash(k, n)).toBe(reference(k, n))
})

test('jump hash carries from the lower half of its generator into the upper', () => {
  // This lower half times the multiplier ends in 32 ones, to which the generator adds one.
  for (let hi = 0; hi < 50; hi++) {
    const k = (BigInt(hi) << 32n) | 0x666313abn
    expect(jumpHash(k, 0x7fffffff)).toBe(reference(k, 0x7fffffff))
  }
})

law.prop([fc.nat(0xffffffff), fc.nat(0xffffffff)])('mulHigh is the upper half', (a, b) => {
  expect(mulHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
  expect(mulHigh(a | 0, b | 0)).toBe(mulHigh(a, b))
})

law.prop([fc.maxSafeInteger(), buckets])('all forms of one key agree', (k, n) => {
  const bits = BigInt.asUintN(64, BigInt(k))
  const halves = { hi: Number(bits >> 32n), lo: Number(bits & 0xffffffffn) }
  for (const form of [k, BigInt(k), bits, halves]) {
    expect(jumpHash(form, n)).toBe(reference(bits, n))
  }
})

law.prop([fc.string({ unit: 'binary' }), buckets])('a string stands for its XXH64', (k, n) => {
  const bucket = reference(xxh64(k), n)
  expect(jumpHash(k, n)).toBe(bucket)
  expect(jumpHash(new TextEncoder().encode(k), n)).toBe(bucket)
  expect(jumpHash(xxh64Into(k, { hi: 0, lo: 0 }), n)).toBe(bucket)
})

test('jump hash refuses what is no bucket count and no key', () => {
  const code = (k: unknown, n: unknown) => errorCode(() => jumpHash(k as Key64, n as number))
  for (const n of [0, -1, 1.5, 2 ** 31, Number.NaN, '3']) {
    expect(code(1, n)).toBe('ERR_RING_COUNT')
  }
  const keys = [0.5, 2 ** 53, Infinity, 2n ** 64n, -(2n ** 63n) - 1n, null, undefined, {}, []]
  for (const k of [...keys, { hi: 1 }, { hi: 0.5, lo: 1 }, true]) {
    expect(code(k, 9)).toBe('ERR_RING_KEY')
  }
  expect(jumpHash(2n ** 64n - 1n, 2 ** 31 - 1)).toBe(reference(2n ** 64n - 1n, 2 ** 31 - 1))
  expect(jumpHash(-(2n ** 63n), 9)).toBe(reference(2n ** 63n, 9))
})
