// The ids of the cities as the page asks for them: each decoded when it is asked for, by the codec
// alone, which knows nothing of who gave it.

import { base32, SnowflakeCodec } from '@ashlar/id'
import type { City } from './city.ts'
import type { Registry } from './registry.ts'
import type { IdentityCard, Registrations, TenureFigures } from './snapshot.ts'

const BIN_MS = 4

/** What the page shows of a {@link Registry}. */
export class Identities {
  readonly #cities: readonly City[]
  readonly #registry: Registry
  readonly #codec: SnowflakeCodec

  constructor(cities: readonly City[], registry: Registry) {
    this.#cities = cities
    this.#registry = registry
    this.#codec = new SnowflakeCodec(registry.layout)
  }

  /** Which tenure gave each city its id: a byte a city. */
  get givers(): Uint8Array {
    return this.#registry.givers
  }

  /** The id of the city at a place of the list, taken apart; undefined if there is none. */
  card(index: number): IdentityCard | undefined {
    const city = this.#cities[index]
    const id = this.#registry.ids[index]
    if (city === undefined || id === undefined) return undefined
    const { timestamp, workerId, sequence } = this.#codec.decode(id)
    const { timeBits, workerBits, sequenceBits } = this.#registry.layout
    const giver = this.#registry.givers[index]!
    return {
      index,
      name: city.name,
      country: city.country,
      population: city.population,
      decimal: String(id),
      base32: base32.encode(id),
      bits: id.toString(2).padStart(64, '0'),
      widths: [64 - timeBits - workerBits - sequenceBits, timeBits, workerBits, sequenceBits],
      timestamp,
      workerId,
      sequence,
      pod: this.#registry.tenures[giver]!.pod,
      giver,
      heldMs: timestamp - this.#registry.readings[index]!,
    }
  }

  /** Who gave ids when. */
  registrations(): Registrations {
    const { ids, givers, tenures, startMs } = this.#registry
    const counts = tenures.map((): number[] => [])
    let endMs = 0
    for (const [i, id] of ids.entries()) {
      const atMs = this.#codec.decode(id).timestamp - startMs
      // A clock that was behind at the start gave times before it.
      const bin = Math.max(0, Math.floor(atMs / BIN_MS))
      const own = counts[givers[i]!]!
      own[bin] = (own[bin] ?? 0) + 1
      endMs = Math.max(endMs, atMs)
    }
    const figures = tenures.map(({ pod, workerId, fromTick, untilTick, events }, i) => {
      const fromMs = Math.max(0, this.#msOf(fromTick))
      const untilMs = Math.min(endMs, this.#msOf(untilTick))
      const filled = Array.from(counts[i]!, (count) => count ?? 0)
      return { pod, workerId, fromMs, untilMs, counts: filled, events } satisfies TenureFigures
    })
    return { ids: ids.length, binMs: BIN_MS, endMs, tenures: figures }
  }

  #msOf(tick: number): number {
    const { layout, startMs } = this.#registry
    return tick * layout.unitMs + layout.epoch - startMs
  }
}
