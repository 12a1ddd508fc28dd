// The ring behind the page: the cities stay, nodes join and leave, and every figure is asked of
// the real ring after each change.

import { diffRings } from '@ashlar/ring'
import { arcsOf } from './arcs.ts'
import { type Celebrity, celebritiesOf, residenceOf } from './celebrity.ts'
import { type Census, countMoves, maxOverMean, takeCensus } from './census.ts'
import { type City, CREDIT } from './city.ts'
import type { ChangeFigures, Snapshot } from './snapshot.ts'
import { nextStone, STONES, type Stone } from './stone.ts'
import type { CityRing } from './world.ts'

/** Thrown where a change of membership cannot be made. */
export class MembershipError extends Error {
  override readonly name = 'MembershipError'
  readonly code: 'ERR_ATLAS_UNKNOWN_NODE' | 'ERR_ATLAS_NODE_EXISTS' | 'ERR_ATLAS_NODE_LIMIT'

  constructor(code: MembershipError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The state that the page shows and changes. */
export class LiveAtlas {
  readonly #cities: readonly City[]
  readonly #ring: CityRing
  readonly #celebrities: readonly Celebrity[]
  #census: Census
  #change: ChangeFigures | null = null

  constructor(cities: readonly City[], ring: CityRing) {
    this.#cities = cities
    this.#ring = ring
    this.#celebrities = celebritiesOf(cities, 10)
    this.#census = takeCensus(cities, ring)
  }

  /**
   * A stone joins: the named one, or the next of the list.
   * @throws {MembershipError} if it is a node already, is no stone, or none is left.
   */
  add(id?: string): void {
    const stone = id === undefined ? this.#next() : STONES.find((one) => one.id === id)
    if (stone === undefined) {
      throw new MembershipError('ERR_ATLAS_UNKNOWN_NODE', `there is no stone called ${quote(id)}`)
    }
    if (this.#ring.has(stone.id)) {
      throw new MembershipError('ERR_ATLAS_NODE_EXISTS', `${stone.id} is a node already`)
    }
    this.#apply('joined', stone, () => this.#ring.add(stone))
  }

  /**
   * A node leaves.
   * @throws {MembershipError} if there is no such node, or it is the last one.
   */
  remove(id: string): void {
    const stone = this.#ring.nodes().find((node) => node.id === id)
    if (stone === undefined) {
      throw new MembershipError('ERR_ATLAS_UNKNOWN_NODE', `there is no node called ${quote(id)}`)
    }
    if (this.#ring.size === 1) {
      throw new MembershipError('ERR_ATLAS_NODE_LIMIT', `${id} is the last node and must stay`)
    }
    this.#apply('left', stone, () => this.#ring.remove(id))
  }

  /** Everything the page shows that can change. */
  snapshot(): Snapshot {
    const nodes = this.#ring.nodes().toSorted((a, b) => a.number - b.number)
    const ownership = this.#ring.ownership()
    return {
      cityCount: this.#cities.length,
      credit: CREDIT,
      maxOverMean: maxOverMean(this.#census, nodes),
      fingerprint: this.#ring.fingerprint(),
      nodes: nodes.map(({ id, zone, number }) => ({
        id,
        zone,
        number,
        cities: this.#census.cities[number]!,
        population: this.#census.population[number]!,
        ownership: ownership.get(id) ?? 0,
      })),
      nextNode: nextStone((id) => this.#ring.has(id))?.id ?? null,
      change: this.#change,
      celebrities: this.#celebrities.map(({ city, index }) => {
        const { replicas, heir } = residenceOf(city.key, this.#ring)
        return {
          index,
          name: city.name,
          country: city.country,
          population: city.population,
          replicas: replicas.map((stone) => stone.id),
          heir: heir?.id ?? null,
        }
      }),
      arcs: arcsOf(this.#ring),
      owners: Buffer.from(this.#census.owners).toString('base64'),
    }
  }

  /**
   * Where the cities are, column after column: the hash of each (32 bits), its longitude and
   * latitude (16 bits, 32767 for 180 and 90 degrees), its people (32 bits). 12 bytes a city, in
   * the byte order of this machine: page and server are on the same one.
   */
  places(): Buffer {
    const hashes = Uint32Array.from(this.#cities, (city) => this.#ring.keyHash(city.key))
    const people = Uint32Array.from(this.#cities, (city) => city.population)
    const east = Int16Array.from(this.#cities, (city) => (city.longitude / 180) * 32_767)
    const north = Int16Array.from(this.#cities, (city) => (city.latitude / 90) * 32_767)
    const columns = [hashes, people, east, north]
    return Buffer.concat(columns.map(({ buffer }) => Buffer.from(buffer)))
  }

  #next(): Stone {
    const stone = nextStone((id) => this.#ring.has(id))
    if (stone !== undefined) return stone
    throw new MembershipError(
      'ERR_ATLAS_NODE_LIMIT',
      `all ${STONES.length} stones are nodes already: remove one first`,
    )
  }

  #apply(kind: ChangeFigures['kind'], stone: Stone, change: () => void): void {
    const ringBefore = this.#ring.clone()
    const before = this.#census
    change()
    this.#census = takeCensus(this.#cities, this.#ring)
    const { optimal } = diffRings(ringBefore, this.#ring)
    this.#change = {
      kind,
      node: stone.id,
      ...countMoves(before, this.#census, stone),
      optimum: optimal * this.#cities.length,
    }
  }
}

function quote(id: string | undefined): string {
  return JSON.stringify(id)
}
