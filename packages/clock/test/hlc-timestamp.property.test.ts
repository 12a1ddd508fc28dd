// The forms of a timestamp: each comes back as it was, and orders as the timestamps do.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  compareHlc,
  decodeHlc,
  encodeHlc,
  type HlcTimestamp,
  hlcFromBigInt,
  hlcFromLong,
  hlcToBigInt,
  hlcToLong,
} from '../src/index.ts'
import { arbitraryId } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const EDGES = [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 47, 2 ** 48 - 1]

const arbitraryStamp: fc.Arbitrary<HlcTimestamp> = fc.record({
  wall: fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 0, max: 2 ** 48 - 1 })),
  logical: fc.oneof(fc.constantFrom(0, 1, 0xff, 0x8000, 0xffff), fc.nat(0xffff)),
  node: arbitraryId,
})

/** Pairs that differ in one part only are rare by chance. */
const arbitraryPair = fc.tuple(arbitraryStamp, arbitraryStamp, fc.nat(3)).map(([a, b, how]) => {
  if (how === 1) return [a, { ...b, wall: a.wall }] as const
  if (how === 2) return [a, { ...a, node: b.node }] as const
  return [a, b] as const
})

type Encode = (stamp: HlcTimestamp) => string

const textLaw = (encode: Encode) =>
  fc.property(arbitraryPair, ([a, b]) => {
    const [x, y] = [encode(a), encode(b)]
    expect(Math.sign(compareHlc(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0)
  })

describe('timestamps as text', () => {
  test.prop({ stamp: arbitraryStamp })('come back as they were', ({ stamp }) => {
    expect(decodeHlc(encodeHlc(stamp))).toEqual(stamp)
  })

  test('sort as timestamps do', () => {
    fc.assert(textLaw(encodeHlc), { numRuns: 1000 })
  })

  test('law catches numbers that are not padded', () => {
    const unpadded: Encode = ({ wall, logical, node }) => `${wall}-${logical}-${node}`
    expect(fc.check(textLaw(unpadded), { numRuns: 1000, seed: 1 }).failed).toBe(true)
  })

  test('are 12 hex digits, 4 hex digits and the node', () => {
    const stamp = { wall: 1_700_000_000_000, logical: 7, node: 'oslo' }
    expect(encodeHlc(stamp)).toBe('018bcfe56800-0007-oslo')
    expect(encodeHlc({ wall: 2 ** 48 - 1, logical: 0xffff, node: '' })).toBe('ffffffffffff-ffff-')
  })

  test.each([
    ...['', '018bcfe56800-0007', '018bcfe56800-0007oslo', '018BCFE56800-0007-oslo'],
    ...['018bcfe5680g-0007-oslo', '018bcfe56800-00 7-oslo', '018bcfe56800_0007-oslo'],
    ...['-18bcfe56800-0007-oslo', '018bcfe5680\u0130-0007-oslo', '018bcfe56800-000\uff17-a'],
  ])('are not %j', (text) => {
    expect(codeOf(() => decodeHlc(text))).toBe('INVALID_BYTES')
  })

  test.each([undefined, null, 5, {}])('are not %s', (given) => {
    expect(codeOf(() => decodeHlc(given as never))).toBe('INVALID_BYTES')
  })

  test.prop({ text: fc.string({ unit: 'binary' }) })('are nothing else', ({ text }) => {
    expect(codeOf(() => decodeHlc(text))).toBe('INVALID_BYTES')
  })
})

describe('timestamps as 64 bits', () => {
  test.prop({ stamp: arbitraryStamp })('come back as they were', ({ stamp }) => {
    expect(hlcFromBigInt(hlcToBigInt(stamp), stamp.node)).toEqual(stamp)
    expect(hlcFromLong(hlcToLong(stamp), stamp.node)).toEqual(stamp)
  })

  test.prop({ pair: arbitraryPair })('order as timestamps do', ({ pair: [a, b] }) => {
    const [x, y] = [hlcToBigInt(a), hlcToBigInt(b)]
    const order = compareHlc({ ...a, node: '' }, { ...b, node: '' })
    expect(Math.sign(order)).toBe(x < y ? -1 : x > y ? 1 : 0)
  })

  test.prop({ stamp: arbitraryStamp })('are the same bits in both forms', ({ stamp }) => {
    const { low, high, unsigned } = hlcToLong(stamp)
    expect([low | 0, high | 0, unsigned]).toEqual([low, high, true])
    expect((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toBe(hlcToBigInt(stamp))
    const plain = { low: low >>> 0, high: high >>> 0, unsigned }
    expect(hlcFromLong(plain, stamp.node)).toEqual(stamp)
  })

  test('are not what does not fit', () => {
    for (const value of [-1n, 2n ** 64n, 5, '5', undefined]) {
      expect(codeOf(() => hlcFromBigInt(value as bigint, 'a'))).toBe('INVALID_BYTES')
    }
    for (const [low, high] of [
      [0.5, 0],
      [0, 2 ** 32],
      [Number.NaN, 0],
      [0, '1'],
      [0, undefined],
    ]) {
      const long = { low, high, unsigned: true } as never
      expect(codeOf(() => hlcFromLong(long, 'a'))).toBe('INVALID_BYTES')
    }
    expect(codeOf(() => hlcFromBigInt(1n, '\ud800'))).toBe('INVALID_ID')
    expect(codeOf(() => hlcFromLong({ low: 0, high: 0, unsigned: true }, 5 as never))).toBe(
      'INVALID_ID',
    )
  })

  test.each([
    [-1, 0],
    [2 ** 48, 0],
    [0.5, 0],
    [0, 65_536],
    [0, -1],
    [Number.NaN, 0],
  ])('and text are refused for the parts %s and %s', (wall, logical) => {
    const stamp = { wall, logical, node: 'a' }
    for (const form of [encodeHlc, hlcToBigInt, hlcToLong]) {
      expect(codeOf(() => form(stamp))).toBe('INVALID_COUNTER')
    }
  })
})
