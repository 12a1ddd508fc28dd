// A race of eviction policies over one sequence of requests, each with a cache of its own, beside
// the cache that knows the future. Laps are equal parts of the sequence; hits are counted by lap,
// so that a curve shows when a policy does well. Another capacity runs the race again, to the same
// lap.

import {
  AdaptiveCache,
  type Cache,
  type CacheOptions,
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '@ashlar/cache'
import { foresee } from '../../atlas/src/clairvoyant.ts'
import { diceOf } from '../../atlas/src/dice.ts'
import { drawRequests } from './drawn-requests.ts'
import { curveOf, SPAN } from './hit-curves.ts'
import type { Requests } from './recorded-requests.ts'
import { readChoice, readFields, readInteger, writeFields } from './state-text.ts'

/** Where the requests come from: recorded on the web, or drawn from the seed. */
const SOURCES = ['web', 'drawn'] as const

/** One of {@link SOURCES}. */
export type SourceName = (typeof SOURCES)[number]

/** Equal parts of the race. */
export const LAPS = 120

/** The capacities that the slider has: powers of √2, in whole entries. */
export const CAPACITIES: readonly number[] = Array.from({ length: 17 }, (_, step) =>
  Math.round(16 * 2 ** (step / 2)),
)

/** A policy that can race. */
export interface Policy {
  readonly id: string
  readonly name: string
  readonly make: (options: CacheOptions<number, true>) => Cache<number, true>
}

/** All policies; a policy's place in the list is its colour. */
export const POLICIES: readonly Policy[] = [
  { id: 'lru', name: 'LRU', make: (options) => new LruCache(options) },
  { id: 'sieve', name: 'SIEVE', make: (options) => new SieveCache(options) },
  { id: 's3', name: 'S3-FIFO', make: (options) => new S3FifoCache(options) },
  { id: 'tiny', name: 'W-TinyLFU', make: (options) => new TinyLfuCache(options) },
  { id: 'adaptive', name: 'adaptive', make: (options) => new AdaptiveCache(options) },
  { id: 'lfu', name: 'LFU', make: (options) => new LfuCache(options) },
  { id: 'fifo', name: 'FIFO', make: (options) => new FifoCache(options) },
]

/** What is raced. */
export interface RaceSettings {
  readonly seed: number
  readonly source: SourceName
  readonly capacity: number
  /** Ids of the policies that race, in the order of {@link POLICIES}. */
  readonly racers: readonly string[]
}

/** A policy in the race. */
export interface Lane {
  readonly policy: Policy
  readonly cache: Cache<number, true>
  /** Hits of each lap run. */
  readonly laps: number[]
  hits: number
}

/** How far the race has come when nobody has touched it. */
const OPENING_LAP = 64

const BEGINNERS: readonly string[] = ['lru', 'sieve', 's3', 'tiny', 'adaptive']

/** The playground of the caches. */
export class CacheModel {
  settings: RaceSettings
  lanes: readonly Lane[] = []
  /** Laps that have been run. */
  lap = 0
  readonly #recorded: Requests
  #requests: Requests
  /** Hits of the clairvoyant cache in each lap of the whole race. */
  #optimum: readonly number[] = []

  constructor(settings: RaceSettings, recorded: Requests) {
    this.settings = settings
    this.#recorded = recorded
    this.#requests = recorded
    this.#begin()
  }

  /** Reads what {@link toText} wrote, for these recorded requests. */
  static fromText(text: string, recorded: Requests): CacheModel {
    const fields = readFields(text)
    const asked = (fields.get('racers') ?? '').split(',')
    const racers = POLICIES.map(({ id }) => id).filter((id) => asked.includes(id))
    const settings = {
      seed: readInteger(fields, 'seed', 0, 999_999, 7),
      source: readChoice(fields, 'source', SOURCES),
      capacity: readChoice(fields, 'room', [256, ...CAPACITIES]),
      racers: racers.length > 0 ? racers : BEGINNERS,
    }
    const model = new CacheModel(settings, recorded)
    model.runTo(readInteger(fields, 'lap', 0, LAPS, fields.has('lap') ? 0 : OPENING_LAP))
    return model
  }

  toText(): string {
    const { seed, source, capacity, racers } = this.settings
    return writeFields({ seed, source, room: capacity, racers: racers.join(','), lap: this.lap })
  }

  /** Requests of the whole race, and of what has been run. */
  get length(): number {
    return this.#requests.sequence.length
  }

  get served(): number {
    return this.#startOf(this.lap)
  }

  /** Different keys in the whole race. */
  get keys(): number {
    return this.#requests.keys
  }

  get isOver(): boolean {
    return this.lap >= LAPS
  }

  /** Hits of the cache that knows the future, by lap, as far as the race has been run. */
  get optimum(): readonly number[] {
    return this.#optimum.slice(0, this.lap)
  }

  /** The least and the greatest hit ratio of the clairvoyant cache over seven laps, once warm. */
  get foreseen(): { readonly least: number; readonly most: number } {
    const ratios = curveOf(this.#optimum, (lap) => this.sizeOf(lap)).slice(SPAN)
    const all = ratios.map(({ ratio }) => ratio)
    return { least: Math.min(...all), most: Math.max(...all) }
  }

  /** Requests in a lap. */
  sizeOf(lap: number): number {
    return this.#startOf(lap + 1) - this.#startOf(lap)
  }

  /** Runs one lap; after the last the race begins again. */
  step(): void {
    if (this.isOver) {
      this.#begin()
      return
    }
    const part = this.#requests.sequence.subarray(this.served, this.#startOf(this.lap + 1))
    for (const lane of this.lanes) {
      const hits = serve(lane.cache, part)
      lane.laps.push(hits)
      lane.hits += hits
    }
    this.lap++
  }

  /** Runs up to a lap. */
  runTo(lap: number): void {
    if (lap < this.lap) this.#begin()
    while (this.lap < Math.min(lap, LAPS)) this.step()
  }

  /** Races again with other settings, as far as it had come. */
  set(settings: Partial<RaceSettings>): void {
    const { lap } = this
    this.settings = { ...this.settings, ...settings }
    this.#begin()
    this.runTo(lap)
  }

  /** Takes a policy into the race or out of it; one stays. */
  toggle(id: string): void {
    const { racers } = this.settings
    const isIn = racers.includes(id)
    const next = POLICIES.map((policy) => policy.id).filter((other) =>
      other === id ? !isIn : racers.includes(other),
    )
    if (next.length > 0) this.set({ racers: next })
  }

  restart(): void {
    this.#begin()
  }

  #begin(): void {
    const { seed, source, capacity, racers } = this.settings
    this.#requests = source === 'web' ? this.#recorded : drawRequests(seed)
    this.lap = 0
    this.lanes = POLICIES.filter(({ id }) => racers.includes(id)).map((policy) => {
      const cache = policy.make({ max: capacity, random: diceOf(seed), monotonic: () => 0 })
      return { policy, cache, laps: [], hits: 0 }
    })
    const { sequence, keys } = this.#requests
    const { isHit } = foresee(sequence, keys, capacity)
    this.#optimum = Array.from({ length: LAPS }, (_, lap) => {
      const part = isHit.subarray(this.#startOf(lap), this.#startOf(lap + 1))
      return part.reduce((hits, one) => hits + one, 0)
    })
  }

  #startOf(lap: number): number {
    return Math.floor((lap * this.length) / LAPS)
  }
}

function serve(cache: Cache<number, true>, requests: Int32Array): number {
  let hits = 0
  for (const key of requests) {
    if (cache.get(key) !== undefined) hits++
    else cache.set(key, true)
  }
  return hits
}
