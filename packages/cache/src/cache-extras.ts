// What a cache does only if its options ask for it: time limits, weights, telling who left,
// counting. A cache without any of them has no such object and pays one comparison.

import type { CacheStats, EntryOptions, EvictReason } from './cache.ts'
import { checkTtl, checkWeight, type ReadOptions } from './cache-options.ts'
import { Departures } from './departures.ts'
import { grown, type SlotStore } from './slot-store.ts'
import { TimerWheel } from './timer-wheel.ts'

const ENDLESS = Number.POSITIVE_INFINITY
const REASONS = ['evicted', 'expired', 'replaced', 'deleted', 'cleared', 'rejected'] as const

/** The parts of a cache that its options switch on. */
export class CacheExtras<K, V> {
  /** Undefined until an entry has a time limit. */
  wheel: TimerWheel | undefined
  /** The weight of each slot; undefined if nothing is weighed. */
  weights: Float64Array | undefined
  /** The sum of `weights`. */
  weight = 0
  maxWeight: number
  readonly departures: Departures<K, V> | undefined
  hits = 0
  misses = 0
  readonly #store: SlotStore<K, V>
  readonly #options: ReadOptions<K, V>
  readonly #counts: Record<EvictReason, number> = {
    evicted: 0,
    expired: 0,
    replaced: 0,
    deleted: 0,
    cleared: 0,
    rejected: 0,
  }

  constructor(store: SlotStore<K, V>, options: ReadOptions<K, V>) {
    this.#store = store
    this.#options = options
    this.maxWeight = options.maxWeight
    if (options.weigh !== undefined) {
      store.addColumn((slots) => {
        this.weights = grown(this.weights ?? new Float64Array(0), slots)
      })
    }
    const { onEvict, onError } = options
    this.departures = onEvict && new Departures(onEvict, onError)
    if (options.ttlMs !== undefined) this.#startWheel()
  }

  /** The time limit of an entry about to be set. @throws {CacheError} `ERR_CACHE_TTL` */
  ttlOf(options: EntryOptions | undefined): number {
    const ttlMs = options?.ttlMs
    if (ttlMs === undefined) return this.#options.ttlMs ?? ENDLESS
    checkTtl(ttlMs)
    return ttlMs
  }

  /** The weight of an entry about to be set. @throws {CacheError} `ERR_CACHE_WEIGHT` */
  weightOf(key: K, value: V, options: EntryOptions | undefined): number {
    const { weigh } = this.#options
    const given = options?.weight
    if (given !== undefined) checkWeight(given)
    if (weigh === undefined) return 0
    const weight = given ?? weigh(value, key)
    checkWeight(weight)
    return weight
  }

  /** Notes the weight and the time limit of a slot. */
  note(slot: number, weight: number, ttlMs: number): void {
    if (this.weights !== undefined) {
      this.weight += weight - this.weights[slot]!
      this.weights[slot] = weight
    }
    if (this.wheel !== undefined) this.wheel.schedule(slot, ttlMs)
    else if (ttlMs !== ENDLESS) this.#startWheel().schedule(slot, ttlMs)
  }

  /** Notes that a slot is about to be freed. */
  forget(slot: number, reason: EvictReason): void {
    if (this.weights !== undefined) {
      this.weight -= this.weights[slot]!
      this.weights[slot] = 0
    }
    this.wheel?.cancel(slot)
    const { keys, values } = this.#store
    this.depart(keys[slot] as K, values[slot] as V, reason)
  }

  /** Notes that a value is no longer, or was never, in the cache. */
  depart(key: K, value: V, reason: EvictReason): void {
    this.#counts[reason]++
    this.departures?.push(key, value, reason)
  }

  /** Forgets all weights and time limits. */
  clear(): void {
    this.weights?.fill(0)
    this.weight = 0
    this.wheel?.clear()
  }

  stats(): CacheStats {
    const { hits, misses } = this
    const departures = Object.fromEntries(REASONS.map((reason) => [reason, this.#counts[reason]]))
    return {
      hits,
      misses,
      hitRatio: hits === 0 ? 0 : hits / (hits + misses),
      departures: departures as Record<EvictReason, number>,
    }
  }

  #startWheel(): TimerWheel {
    this.wheel = new TimerWheel(this.#store, this.#options.monotonic)
    return this.wheel
  }
}
