// How evenly keys and arcs fall, how little moves, and that anyone with xxHash finds the same
// points. All inputs are fixed, so nothing here can be right today and wrong tomorrow.

import { diffRings, HashRing, type RingHash, type RingOptions } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { layoutOf } from '../src/hash-ring.ts'
import { sortPoints } from '../src/sort-points.ts'

const { h32 } = await xxhash()

const hundred = (name: (i: number) => string) => Array.from({ length: 100 }, (_, i) => name(i))
const names: [string, string[]][] = [
  ['addresses', hundred((i) => `10.${i >> 5}.0.${i & 31}`)],
  ['node-i', hundred((i) => `node-${i}`)],
  ['node-i from 100', hundred((i) => `node-${100 + i}`)],
  ['bare digits', hundred(String)],
]

/** One ring's variation is itself random, by 7 %; that of a few seeds' mean is not. */
const SEEDS = [0, 1, 2, 3, 4, 5, 6, 7]

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** The standard deviation as a part of the mean. */
function coefficientOfVariation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) / middle
}

function countKeys(ring: HashRing, keys: readonly string[]): number[] {
  const counts = new Map(ring.nodes().map((node) => [node, 0]))
  for (const key of keys) {
    const owner = ring.get(key)!
    counts.set(owner, counts.get(owner)! + 1)
  }
  return [...counts.values()]
}

type Make = (ids: readonly string[], options: RingOptions) => HashRing
const makeRing: Make = (ids, options) => new HashRing(ids, options)

/** Law 6: shares vary around their mean as much as random points would make them, no more. */
function arcsVaryAsRandom(make: Make, ids: readonly string[], virtualNodes: number): void {
  const variation = SEEDS.map((seed) =>
    coefficientOfVariation([...make(ids, { virtualNodes, seed }).ownership().values()]),
  )
  expect(mean(variation)).toBeLessThanOrEqual(1.1 / Math.sqrt(virtualNodes))
  expect(mean(variation)).toBeGreaterThan(0.9 / Math.sqrt(virtualNodes))
}

describe.each(names)('over 100 nodes called by %s', (_, ids) => {
  test.each([160, 256, 1024])('arcs of %i virtual nodes vary as theory says', (virtualNodes) =>
    arcsVaryAsRandom(makeRing, ids, virtualNodes),
  )

  test.each([
    ['running numbers', 20_000, (i: number) => `user:${i}`],
    ['a short prefix alone', 1000, (i: number) => `${String(i).padStart(3, '0')}/config.json`],
    ['a short prefix, two letters', 676, (i: number) => `${letters(i)}.example.com`],
  ])('keys that differ in %s spread as random ones would', (_, count, name) => {
    const keys = Array.from({ length: count }, (_, i) => name(i))
    for (const virtualNodes of [160, 256]) {
      const variation = SEEDS.map((seed) =>
        coefficientOfVariation(countKeys(makeRing(ids, { virtualNodes, seed }), keys)),
      )
      const noise = Math.sqrt(1 / virtualNodes + ids.length / count)
      expect(mean(variation)).toBeLessThanOrEqual(1.15 * noise)
    }
  })

  test('nobody owns more than 1.2 times the mean by default', () => {
    const shares = [...new HashRing(ids).ownership().values()]
    expect(Math.max(...shares) * ids.length).toBeLessThanOrEqual(1.2)
  })

  test('what moves when one joins or leaves is near its fair share', () => {
    const ring = new HashRing(ids)
    // Five deviations of the share of one node: 1/100 ± 5/(100 · √256).
    const [low, high] = [1 - 5 / 16, 1 + 5 / 16]
    for (const id of ids.slice(0, 10)) {
      const { fraction, optimal, collateral } = diffRings(ring, ring.without(id))
      expect(fraction * 100).toBeGreaterThan(low)
      expect(fraction * 100).toBeLessThan(high)
      expect([optimal, collateral]).toEqual([fraction, 0])
    }
    for (let i = 0; i < 10; i++) {
      const { fraction, optimal, collateral } = diffRings(ring, ring.with(`new-${i}`))
      expect(fraction * 101).toBeGreaterThan(low)
      expect(fraction * 101).toBeLessThan(high)
      expect([optimal, collateral]).toEqual([fraction, 0])
    }
  })
})

test('the law of spread catches virtual nodes whose seeds are consecutive numbers', () => {
  const consecutive: RingHash = {
    name: 'consecutive',
    hash32: (input, seed) =>
      /^\d+$/u.test(String(input)) ? seed + 1 + Number(input) : h32(String(input), seed),
  }
  const make: Make = (ids, options) => new HashRing(ids, { ...options, hash: consecutive })
  const ids = hundred((i) => `node-${100 + i}`)
  expect(() => arcsVaryAsRandom(make, ids, 256)).toThrow(/less than or equal/)
})

test('shares follow weights', () => {
  const nodes = Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, weight: 1 + (i % 4) }))
  const shares = new HashRing(nodes).ownership()
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0)
  for (const { id, weight } of nodes) {
    const deviation = 1 / Math.sqrt(256 * weight)
    expect(Math.abs((shares.get(id)! * total) / weight - 1)).toBeLessThan(5 * deviation)
  }
})

test('shares are exact: they sum to 1, and count the places of the ring', () => {
  const ring = new HashRing(['a', 'b', { id: 'c', weight: 0 }], { virtualNodes: 3 })
  const shares = ring.ownership()
  expect(shares.get('a')! + shares.get('b')!).toBe(1)
  expect(shares.get('c')).toBe(0)
  for (const share of shares.values()) expect(Number.isInteger(share * 2 ** 32)).toBe(true)
  expect(new HashRing(['a'], { virtualNodes: 1 }).ownership()).toEqual(new Map([['a', 1]]))
})

test('anyone with xxHash finds the same points and owners', () => {
  for (const seed of [0, 1, 12_345, 2 ** 32 - 1]) {
    const ids = ['cache-1', 'кэш-2', '\u{1f5ff}', 'node11', 'node1', 'x'.repeat(100)]
    const ring = new HashRing(ids, { virtualNodes: 50, seed })
    const keySeed = Math.imul(seed, 0x9e3779b1) >>> 0
    const points = ids
      .flatMap((id) => Array.from({ length: 50 }, (_, v) => h32(id, h32(String(v), keySeed))))
      .sort((a, b) => a - b)
    expect([...layoutOf(ring).points]).toEqual(points)
    for (const key of ['', 'user:42', 'ключ', 'k'.repeat(200)]) {
      expect(ring.keyHash(key)).toBe(h32(key, keySeed))
    }
  }
})

test('sorting points is stable: equal points keep the order of their tags', () => {
  const points = Uint32Array.from({ length: 5000 }, (_, i) => ((i * 7919) % 13) << ((i % 3) * 14))
  const tags = points.map((_, i) => i)
  const expected = [...tags].sort((a, b) => points[a]! - points[b]! || a - b)
  expect([...sortPoints({ points: points.slice(), tags }).tags]).toEqual(expected)
})

/** aa, ab … zz. */
function letters(i: number): string {
  return String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26))
}
