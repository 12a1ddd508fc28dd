import { beforeAll, describe, expect, test } from 'vitest'
import { ALLOWED_DEVIATIONS, deviations } from '../src/census.ts'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { gatherCrowd } from '../src/crowd.ts'

let cities: City[]

beforeAll(async () => {
  cities = await readCities(() => {})
})

describe('the crowd', () => {
  test('is the same for the same seed, and another for another', () => {
    const requests = (seed: number) => gatherCrowd(cities, 2_000, seed).requests
    expect(requests(1)).toEqual(requests(1))
    expect(requests(1)).not.toEqual(requests(2))
  })

  test('asks for a city as often as people live there', () => {
    const { requests, acts } = gatherCrowd(cities, 100_000, 1)
    const everyday = requests.subarray(0, acts[0]!.until)
    const people = cities.reduce((sum, { population }) => sum + population + 1, 0)
    for (const country of ['CN', 'FR', 'KE']) {
      const own = cities.filter((city) => city.country === country)
      const share = own.reduce((sum, { population }) => sum + population + 1, 0) / people
      const asked = everyday.filter((index) => cities[index]!.country === country).length
      expect(deviations(asked, everyday.length, share)).toBeLessThan(ALLOWED_DEVIATIONS)
    }
  })

  test('has acts that follow each other, and counts the cities in one of them', () => {
    const { requests, acts } = gatherCrowd(cities, 10_000, 1)
    expect(acts.map(({ name }) => name)).toEqual(['everyday', 'festival', 'census', 'after'])
    expect(acts.map(({ until }) => until)).toEqual([3_000, 6_000, 8_000, 10_000])
    expect(acts.map(({ from }) => from)).toEqual([0, 3_000, 6_000, 8_000])
    const counted = [...requests.subarray(6_000, 8_000)].filter((_, i) => i % 2 === 1)
    expect(counted).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  })
})
