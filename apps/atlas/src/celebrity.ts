import type { City } from './city.ts'
import { type Stone, ZONES, type Zone } from './stone.ts'
import type { CityRing } from './world.ts'

/** A city that everybody asks for: a celebrity key, as caches and routers call it. */
export interface Celebrity {
  readonly city: City
  /** Its place in the list of cities. */
  readonly index: number
}

/** Where a celebrity lives. */
export interface Residence {
  readonly owner: Stone | undefined
  /** One node a zone where zones allow it, the owner first. */
  readonly replicas: readonly Stone[]
  /** Who owns it once its owner has left, by the preference list. */
  readonly heir: Stone | undefined
}

/** The `count` most populous cities, the largest first; ties go to the smaller id. */
export function celebritiesOf(cities: readonly City[], count: number): Celebrity[] {
  const largest: Celebrity[] = []
  for (const [index, city] of cities.entries()) {
    if (largest.length === count && !isLarger(city, largest[count - 1]!.city)) continue
    const at = largest.findIndex((other) => isLarger(city, other.city))
    largest.splice(at < 0 ? largest.length : at, 0, { city, index })
    if (largest.length > count) largest.pop()
  }
  return largest
}

/** Asks the ring for the owner, the replicas in all zones, and the heir of a key. */
export function residenceOf(key: string, ring: CityRing): Residence {
  return {
    owner: ring.get(key),
    replicas: ring.getN(key, ZONES.length, { zones: 'spread' }),
    heir: ring.getN(key, 2)[1],
  }
}

/** The nodes by zone: how a residence is printed and drawn. */
export function inZone(replicas: readonly Stone[], zone: Zone): Stone | undefined {
  return replicas.find((stone) => stone.zone === zone)
}

function isLarger(a: City, b: City): boolean {
  return a.population > b.population || (a.population === b.population && a.id < b.id)
}
