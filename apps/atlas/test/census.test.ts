import { HashRing } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { celebritiesOf } from '../src/celebrity.ts'
import { countMoves, deviations, maxOverMean, NOBODY, takeCensus } from '../src/census.ts'
import type { City } from '../src/city.ts'
import { movedOutsideRanges } from '../src/moved-ranges.ts'
import { nextStone, STONES, type Stone, ZONES } from '../src/stone.ts'

const cities: City[] = Array.from({ length: 500 }, (_, id) => ({
  key: String(id),
  id,
  name: `city ${id}`,
  country: 'XX',
  population: (id * 7919) % 1000,
  longitude: 0,
  latitude: 0,
}))

describe('the stones', () => {
  test('have different names, numbers in order, and as many in each zone', () => {
    expect(new Set(STONES.map(({ id }) => id)).size).toBe(STONES.length)
    expect(STONES.map(({ number }) => number)).toEqual(STONES.map((_, i) => i))
    for (const zone of ZONES) {
      expect(STONES.filter((stone) => stone.zone === zone)).toHaveLength(STONES.length / 3)
    }
  })

  test('join in order, those that left first', () => {
    expect(nextStone((id) => id !== 'slate')?.id).toBe('slate')
    expect(nextStone(() => true)).toBeUndefined()
  })
})

describe('a census', () => {
  test('counts every city and its people at the node that the ring names', () => {
    const ring = new HashRing<Stone>(STONES.slice(0, 6))
    const census = takeCensus(cities, ring)
    for (const stone of STONES) {
      const own = cities.filter(({ key }) => ring.get(key)?.id === stone.id)
      expect(census.cities[stone.number]).toBe(own.length)
      const people = own.reduce((sum, { population }) => sum + population, 0)
      expect(census.population[stone.number]).toBe(people)
    }
  })

  test('leaves the cities of an empty ring to nobody', () => {
    const { owners, cities: counts } = takeCensus(cities, new HashRing<Stone>())
    expect(owners.every((owner) => owner === NOBODY)).toBe(true)
    expect(counts.every((count) => count === 0)).toBe(true)
  })

  test('is even at 1, and 2 where one of two nodes has all', () => {
    const census = (counts: number[]) => ({
      owners: new Uint8Array(),
      cities: Float64Array.from(counts),
      population: new Float64Array(),
    })
    expect(maxOverMean(census([5, 5]), STONES.slice(0, 2))).toBe(1)
    expect(maxOverMean(census([9, 0]), STONES.slice(0, 2))).toBe(2)
  })

  test('tells moves to or from the changed node from collateral', () => {
    const before = { ...takeCensus([], new HashRing<Stone>()), owners: Uint8Array.of(0, 1, 2, 3) }
    const after = { ...before, owners: Uint8Array.of(0, 5, 1, 5) }
    expect(countMoves(before, after, STONES[5]!)).toEqual({ moved: 3, collateral: 1 })
    expect(countMoves(after, before, STONES[5]!)).toEqual({ moved: 3, collateral: 1 })
  })
})

describe('the distance from chance', () => {
  test('is in standard deviations of the binomial distribution', () => {
    expect(deviations(50, 100, 0.5)).toBe(0)
    expect(deviations(60, 100, 0.5)).toBe(2)
    expect(deviations(40, 100, 0.5)).toBe(2)
  })

  test('is none or boundless where chance leaves no room', () => {
    expect(deviations(0, 100, 0)).toBe(0)
    expect(deviations(1, 100, 0)).toBe(Number.POSITIVE_INFINITY)
    expect(deviations(100, 100, 1)).toBe(0)
  })
})

describe('the ranges of a diff', () => {
  const ranges = [
    { start: 0, end: 0 },
    { start: 10, end: 20 },
    { start: 21, end: 30 },
    { start: 2 ** 32 - 1, end: 2 ** 32 - 1 },
  ]
  const inside = [0, 10, 15, 20, 21, 30, 2 ** 32 - 1]
  const outside = [1, 9, 31, 2 ** 31, 2 ** 32 - 2]

  test('hold both their ends and nothing between them', () => {
    expect(movedOutsideRanges(inside, () => true, ranges)).toBe(0)
    expect(movedOutsideRanges(outside, () => false, ranges)).toBe(0)
  })

  test('show what moved outside of them, and what stayed inside', () => {
    expect(movedOutsideRanges(inside, (i) => i > 0, ranges)).toBe(1)
    expect(movedOutsideRanges(outside, (i) => i < 2, ranges)).toBe(2)
    expect(movedOutsideRanges([5], () => true, [])).toBe(1)
  })
})

describe('the celebrities', () => {
  test('are the largest cities, the smaller id first among equals', () => {
    const expected = cities
      .toSorted((a, b) => b.population - a.population || a.id - b.id)
      .slice(0, 10)
    const found = celebritiesOf(cities, 10)
    expect(found.map(({ city }) => city)).toEqual(expected)
    expect(found.every(({ city, index }) => cities[index] === city)).toBe(true)
    const equal = cities
      .slice(0, 20)
      .map((city) => ({ ...city, population: 1 }))
      .toReversed()
    expect(celebritiesOf(equal, 3).map(({ city }) => city.id)).toEqual([0, 1, 2])
  })

  test('are all cities where there are fewer', () => {
    expect(celebritiesOf(cities.slice(0, 3), 10)).toHaveLength(3)
  })
})
