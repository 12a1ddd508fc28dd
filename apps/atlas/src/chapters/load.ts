import { CITY_COUNT, CREDIT } from '../city.ts'
import { readCities } from '../city-file.ts'
import { milliseconds, people, whole } from '../figure.ts'
import type { Progress } from '../teller.ts'
import { type Chapter, promise } from '../world.ts'

/** Chapter 1: the cities of the world are read from the package, in slices, with progress. */
export const load: Chapter = {
  title: 'Load: the cities of the world',
  async tell(world) {
    const { teller } = world
    const started = world.monotonic()
    let progress: Progress | undefined
    world.cities = await readCities(({ bytes, totalBytes, cities }) => {
      progress ??= teller.progress('reading', totalBytes)
      progress.update(bytes, `${whole(cities)} cities`)
    })
    progress?.stop()
    const elapsed = world.monotonic() - started

    const { cities } = world
    const inhabitants = cities.reduce((sum, city) => sum + city.population, 0)
    const countries = new Set(cities.map((city) => city.country)).size
    teller.line(
      `  ${whole(cities.length)} cities of ${countries} countries, ` +
        `${people(inhabitants)} people, in ${milliseconds(elapsed)}`,
    )
    teller.aside(`  ${CREDIT}`)
    promise(
      world,
      `all ${whole(CITY_COUNT)} cities are there`,
      cities.length === CITY_COUNT,
      `found ${whole(cities.length)}`,
    )
    const keys = new Set(cities.map((city) => city.key)).size
    promise(
      world,
      'no two cities share a key',
      keys === cities.length,
      `${whole(keys)} keys for ${whole(cities.length)} cities`,
    )
    world.summary.push(['cities loaded', whole(cities.length)])
  },
}
