// The three offices behind the page: they edit and resolve when a button asks them to, and every
// event goes into the chronicle that the space-time diagram is drawn from.

import { celebritiesOf } from './celebrity.ts'
import { Chronicle } from './chronicle.ts'
import type { City } from './city.ts'
import { whole } from './figure.ts'
import { Office, type Post } from './office.ts'
import type { Desk, EventFigures } from './snapshot.ts'

/** Thrown where an office cannot do what it is asked for. */
export class OfficeError extends Error {
  override readonly name = 'OfficeError'
  readonly code: 'ERR_ATLAS_UNKNOWN_OFFICE' | 'ERR_ATLAS_UNKNOWN_CITY' | 'ERR_ATLAS_NO_CONFLICT'

  constructor(code: OfficeError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The offices, how wrong their clocks are, and by how much each corrects a population. */
const OFFICES = [
  { id: 'oslo', skewMs: 0, correction: 1_000 },
  { id: 'rome', skewMs: -20_000, correction: -2_000 },
  { id: 'lima', skewMs: 1_500, correction: 3_000 },
] as const

/** As many events as the widest page has room for, and some. */
const SHOWN = 48

/** The offices that the page shows and moves. */
export class LiveOffices {
  readonly #cities: readonly City[]
  readonly #offices: readonly Office[]
  readonly #chronicle = new Chronicle()
  readonly #texts: string[] = []

  /** @param now The right wall clock; those of the offices differ from it. */
  constructor(cities: readonly City[], now: () => number) {
    this.#cities = celebritiesOf(cities, 10).map(({ city }) => city)
    this.#offices = OFFICES.map(({ id, skewMs }) => new Office(id, () => now() + skewMs))
    const population = new Map(this.#cities.map((city) => [city.key, city.population]))
    const [oslo] = this.#offices
    const post = oslo!.edit(population.keys(), (key) => population.get(key)!)
    this.#announce(post, 'opens the files')
    this.#deliver(post, () => 'gets the files')
  }

  /**
   * The named offices edit a city, none of them knowing of the others' edits; then all hear of it.
   * @throws {OfficeError} for an office or a city that there is not.
   */
  edit(place: number, ids: readonly string[]): void {
    const city = this.#city(place)
    const offices = ids.map((id) => this.#office(id))
    const posts = offices.map((office) => {
      const { correction } = OFFICES.find(({ id }) => id === office.id)!
      const read = office.file(city.key).values()
      const population = Math.max(...read.map((value) => value.population)) + correction
      const post = office.edit([city.key], () => population)
      this.#announce(post, `sets ${city.name} to ${whole(population)}`)
      return post
    })
    for (const post of posts) this.#deliver(post, (office) => this.#count(office, city))
  }

  /**
   * An office resolves a conflict; then all hear of it.
   * @throws {OfficeError} for an office or a city that there is not, or if there is no conflict.
   */
  resolve(place: number, id: string): void {
    const city = this.#city(place)
    const office = this.#office(id)
    if (office.file(city.key).values().length < 2) {
      const message = `${city.name} has one value: edit it in two offices first`
      throw new OfficeError('ERR_ATLAS_NO_CONFLICT', message)
    }
    const post = office.resolve([city.key])
    const [value] = office.file(city.key).values()
    this.#announce(post, `settles ${city.name} on ${whole(value!.population)}`)
    this.#deliver(post, (other) => this.#count(other, city))
  }

  /** Everything the page shows of the offices. */
  desk(): Desk {
    return {
      cities: this.#cities.map(({ name, country }) => `${name}, ${country}`),
      offices: this.#offices.map((office, i) => ({
        id: office.id,
        skewMs: OFFICES[i]!.skewMs,
        files: this.#cities.map(({ key }) => office.file(key).values()),
      })),
      events: this.#events(),
    }
  }

  #events(): EventFigures[] {
    const shown = this.#chronicle.entries.slice(-SHOWN)
    return shown.map(({ number, office, kind, vector, hlc, sentBy = null }) => {
      const past = shown.filter((other) => other.vector.compare(vector) === 'before')
      return {
        ...{ number, office, kind, hlc, sentBy },
        text: this.#texts[number]!,
        vector: vector.toJSON(),
        past: past.map((other) => other.number),
      }
    })
  }

  #announce(post: Post, text: string): void {
    this.#chronicle.sent(post)
    this.#texts.push(text)
  }

  #deliver(post: Post, textOf: (office: Office) => string): void {
    for (const office of this.#offices) {
      if (office.id === post.from) continue
      this.#chronicle.deliver(post, office)
      this.#texts.push(textOf(office))
    }
  }

  #count(office: Office, city: City): string {
    const { length } = office.file(city.key).values()
    return length === 1 ? 'hears of it: one value' : `hears of it: ${length} values, side by side`
  }

  #city(place: number): City {
    const city = this.#cities[place]
    if (city !== undefined) return city
    throw new OfficeError('ERR_ATLAS_UNKNOWN_CITY', `there is no file on a city ${place}`)
  }

  #office(id: string): Office {
    const office = this.#offices.find((one) => one.id === id)
    if (office !== undefined) return office
    throw new OfficeError('ERR_ATLAS_UNKNOWN_OFFICE', `there is no office ${JSON.stringify(id)}`)
  }
}
