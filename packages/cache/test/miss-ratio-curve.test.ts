// The curve beside LRU caches of each size that were really run.

import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LruCache } from '../src/index.ts'
import { MissRatioCurve, missRatioCurve } from '../src/miss-ratio-curve.ts'
import { ReuseDistance } from '../src/reuse-distance.ts'
import { seeded } from './cache-laws.ts'
import { readTrace } from './recorded-trace.ts'

describe('the miss-ratio curve of recorded requests', () => {
  const sizes = [100, 300, 1000, 3000, 10_000]
  const bounds = { web07: { mean: 0.008, worst: 0.04 }, web12: { mean: 0.006, worst: 0.03 } }
  test.each(Object.entries(bounds))('is near LRU’s on %s', (name, { mean, worst }) => {
    const trace = readTrace(name)
    const exact = sizes.map((max) => missRatioOf(trace, max))
    const isNear = (curveOf: (seed: number) => MissRatioCurve<number>) => {
      const errors = [1, 2, 3, 4].flatMap((seed) => {
        const curve = curveOf(seed)
        return sizes.map((max, i) => Math.abs(curve.missRatio(max) - exact[i]!))
      })
      const sum = errors.reduce((total, error) => total + error, 0)
      return sum / errors.length < mean && Math.max(...errors) < worst
    }
    const curveOf = (seed: number) => missRatioCurve(trace, { random: seeded(seed) })
    expect(curveOf(1).rate).toBeLessThan(1)
    expect(isNear(curveOf)).toBe(true)
    // A curve of every other request, and one of requests in another order, are told apart.
    const half = trace.filter((_, i) => i % 2 === 0)
    const sorted = trace.toSorted()
    for (const wrong of [half, sorted]) {
      expect(isNear((seed) => missRatioCurve(wrong, { random: seeded(seed) }))).toBe(false)
    }
  })

  test('is within 6 points on Zipf’s law from a sample of 3 %', () => {
    const random = seeded(5)
    const keys = Array.from({ length: 200_000 }, () => `k${Math.floor(50_000 ** random())}`)
    const curve = missRatioCurve(keys, { maxSamples: 1000, random })
    expect(curve.rate).toBeLessThan(0.05)
    for (const max of [500, 2000, 8000]) {
      expect(Math.abs(curve.missRatio(max) - missRatioOf(keys, max))).toBeLessThan(0.06)
    }
  })

  test('falls at once where a loop fits', () => {
    const keys = Array.from({ length: 60_000 }, (_, i) => i % 3000)
    const curve = missRatioCurve(keys, { random: seeded(1) })
    expect(curve.missRatio(2900)).toBe(1)
    expect(curve.missRatio(3100)).toBeCloseTo(0.05, 10)
    const sampled = missRatioCurve(keys, { maxSamples: 500, random: seeded(1) })
    expect(sampled.missRatio(2000)).toBeGreaterThan(0.9)
    expect(sampled.missRatio(4500)).toBeLessThan(0.15)
  })
})

describe('the miss-ratio curve', () => {
  const keys = fc.array(fc.oneof(fc.nat(30), fc.constantFrom('a', '__proto__', 0.5, null)), {
    maxLength: 300,
    size: 'max',
  })

  property.prop([keys, fc.integer({ min: 0, max: 40 })])(
    'is exact as long as all keys are tracked',
    (requests, max) => {
      const curve = missRatioCurve<unknown>(requests, { random: seeded(1) })
      expect(curve.missRatio(max)).toBeCloseTo(missRatioOf(requests, max), 10)
    },
  )

  property.prop([keys, fc.integer({ min: 1, max: 12 })])(
    'never rises, stays within 0 and 1, and is given by its points',
    (requests, maxSamples) => {
      const curve = missRatioCurve<unknown>(requests, { maxSamples, random: seeded(1) })
      const ratios = Array.from({ length: 200 }, (_, max) => curve.missRatio(max))
      expect(ratios.every((ratio, i) => ratio >= 0 && ratio <= (ratios[i - 1] ?? 1))).toBe(true)
      const points = curve.points()
      expect(points[0]!.max).toBe(1)
      for (const { max, missRatio } of points) expect(missRatio).toBe(curve.missRatio(max))
      expect(curve.missRatio(points.at(-1)!.max)).toBe(curve.missRatio(1e9))
    },
  )

  test('takes bounded room', () => {
    const curve = new MissRatioCurve<number>({ maxSamples: 100, random: seeded(1) })
    for (let i = 0; i < 300_000; i++) curve.record(i)
    expect(curve.requests).toBe(300_000)
    expect(curve.rate).toBeLessThan(0.001)
    expect(curve.missRatio(1e6)).toBeGreaterThan(0.9)
  })

  test('knows sizes above 128 to within 1/64 up to the largest', () => {
    for (const loop of [129, 1000, 65_537]) {
      const requests = Array.from({ length: 3 * loop }, (_, i) => i % loop)
      const curve = missRatioCurve(requests, { maxSamples: 100_000, random: seeded(1) })
      expect(curve.missRatio(Math.floor(loop * (1 - 1 / 64)) - 1)).toBe(1)
      expect(curve.missRatio(Math.ceil(loop * (1 + 1 / 64)) + 1)).toBeCloseTo(1 / 3, 10)
    }
  })

  test('is 1 before the first request, and refuses what is no size', () => {
    const curve = new MissRatioCurve()
    expect([curve.missRatio(10), curve.points()]).toEqual([1, [{ max: 1, missRatio: 1 }]])
    expect(() => curve.missRatio(Number.NaN)).toThrow(CacheError)
    for (const maxSamples of [0, 1.5, 2 ** 22 + 1, '8' as never]) {
      expect(() => new MissRatioCurve({ maxSamples })).toThrow(/maxSamples: got .* 4,194,304/)
    }
  })
})

describe('reuse distances', () => {
  const uses = fc.array(fc.record({ key: fc.nat(6), forgets: fc.nat(9).map((n) => n === 0) }), {
    maxLength: 200,
    size: 'max',
  })
  property.prop([uses])('are what a list of keys by last use tells', (given) => {
    const distances = new ReuseDistance<number | undefined>(7)
    let list: (number | undefined)[] = []
    const [told, expected]: [number[], number[]] = [[], []]
    for (const { key: number, forgets } of given) {
      const key = number === 6 ? undefined : number
      if (forgets) {
        distances.forget(key)
        list = list.filter((one) => one !== key)
      } else {
        told.push(distances.use(key))
        expected.push(list.indexOf(key))
        list = [key, ...list.filter((one) => one !== key)]
      }
    }
    expect(told).toEqual(expected)
    expect(distances.size).toBe(list.length)
  })
})

function missRatioOf(requests: Iterable<unknown>, max: number): number {
  const cache = new LruCache<unknown, number>({ max: Math.max(1, max) })
  let misses = 0
  let total = 0
  for (const key of requests) {
    total++
    if (max >= 1 && cache.get(key) !== undefined) continue
    misses++
    cache.set(key, 1)
  }
  return total === 0 ? 1 : misses / total
}
