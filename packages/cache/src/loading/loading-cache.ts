// A cache that fills itself: it reads what the cache underneath holds, loads what it does not, and
// answers with an old value where that is allowed and better than to wait.
//
//   get ── fresh ──> answered            (perhaps loaded again early, by chance)
//       ── stale ──> answered, loaded again in the background
//       ── else ───> waits for the flight of its key, which it begins if there is none
//
// Invariants: at most one flight a key that readers join; a value is answered at t only if it was
// current at some time since t − (ttlMs + the larger of staleMs and staleIfErrorMs); what was
// loaded before a change of its key is not kept after it.

import { CacheError, show } from '../cache-error.ts'
import { ENDLESS, isDueEarly } from './early-refresh.ts'
import type { Entry } from './entry.ts'
import type { Flight } from './flight.ts'
import { Flights, type Wanted } from './flights.ts'
import type { KeepOptions } from './load.ts'
import type { LoadJob } from './load-job.ts'
import { LoadingCounts } from './loading-counts.ts'
import type { LoadingStats } from './loading-events.ts'
import type { LoadingCacheOptions, LoadingGetOptions } from './loading-options.ts'
import { checkKeep, type LoadingSettings, readLoadingOptions } from './loading-settings.ts'
import { Shelf } from './shelf.ts'

/**
 * A cache that loads what it does not hold, once for all who ask.
 *
 * `undefined` and `null` from a load mean that nothing is there: they are answered, and kept only
 * as `negativeTtlMs` says.
 *
 * @example
 * const users = new LoadingCache<string, User>({
 *   load: (id, { signal }) => db.user(id, { signal }),
 *   store: new LruCache({ max: 10_000 }),
 *   ttlMs: 60_000,
 *   staleMs: 300_000,
 * })
 * await users.get('u1')
 */
export class LoadingCache<K, V> {
  readonly #settings: LoadingSettings<K, V>
  readonly #monotonic: () => number
  readonly #shelf: Shelf<K, V>
  readonly #flights: Flights<K, V>
  readonly #counts: LoadingCounts = new LoadingCounts()

  /** @throws {CacheError} `ERR_CACHE_OPTION`, `ERR_CACHE_TTL` */
  constructor(options: LoadingCacheOptions<K, V>) {
    this.#settings = readLoadingOptions(options)
    this.#monotonic = this.#settings.monotonic
    this.#shelf = new Shelf(this.#settings)
    this.#flights = new Flights(this.#settings, this.#shelf, this.#counts, (key, job) =>
      this.#readFor(key, job),
    )
  }

  /**
   * The value of a key: from the cache, or loaded.
   *
   * @throws what the load threw, if no old value may be answered instead; {@link CacheError}
   * `ERR_CACHE_LOAD_TIMEOUT`, `ERR_CACHE_CLOSED`; the reason of the signal.
   */
  get(key: K, options?: LoadingGetOptions<K, V>): Promise<V> {
    const entry = this.#shelf.find(key)
    if (entry !== undefined && options === undefined) {
      const { calmUntilMs, answer } = entry
      // The clock costs more than all else here, so it is not read where no time counts.
      const isCalm = calmUntilMs === ENDLESS || this.#monotonic() < calmUntilMs
      if (isCalm && answer !== undefined) {
        this.#counts.hits++
        return answer
      }
    }
    return this.#read(key, entry, options, undefined)
  }

  /**
   * The value that `get` would answer without waiting, or undefined; loads nothing.
   *
   * @param key as in {@link get}
   */
  peek(key: K): V | undefined {
    const entry = this.#shelf.peek(key)
    if (entry === undefined) return undefined
    const standing = standingOf(entry, this.#monotonic())
    return standing === 'expired' || standing === 'failed' ? undefined : entry.value
  }

  /** What is kept of a key, expired or not; undefined if nothing, or if it was invalidated. */
  entry(key: K): Entry<V> | undefined {
    return this.#shelf.peek(key)
  }

  /**
   * The values of many keys, each once, in the order of the keys; a key for which nothing is there
   * (`undefined`) is left out. All that must be loaded are in one call of `loadMany`; keys that
   * are being loaded are waited for, and not loaded twice.
   *
   * @throws as `get` does, as soon as the load of one key fails; what the others bring is kept.
   */
  async getMany(
    keys: Iterable<K>,
    options?: Pick<LoadingGetOptions<K, V>, 'signal'>,
  ): Promise<Map<K, V>> {
    options?.signal?.throwIfAborted()
    const answers = new Map<K, V | undefined>()
    const { joined, wanted, due, failed } = this.#sort(keys, answers)
    if (failed !== undefined) throw failed.error
    if (due.length > 0) this.#flights.beginMany(due, true)
    if (wanted.length > 0) joined.push(...this.#flights.beginMany(wanted, false))
    await Promise.all(
      joined.map(async (flight) => {
        answers.set(flight.key, await this.#wait(flight, options))
      }),
    )
    for (const [key, value] of answers) if (value === undefined) answers.delete(key)
    return answers as Map<K, V>
  }

  /**
   * Loads a key again, also if it is fresh, or waits for the load that is under way; meanwhile
   * other reads are answered as before.
   *
   * @throws as `get` does.
   */
  refresh(key: K, options?: LoadingGetOptions<K, V>): Promise<V> {
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(signal.reason)
    return this.#await(key, this.#shelf.find(key), options, undefined)
  }

  /**
   * Gives a key a value; who waits for its load is answered with it. `undefined` and `null` are
   * kept as `negativeTtlMs` says.
   *
   * @throws what the store does; {@link CacheError} `ERR_CACHE_TTL`, `ERR_CACHE_OPTION`
   */
  set(key: K, value: V, options?: KeepOptions): this {
    if (options !== undefined) checkKeep(options)
    const flight = this.#flights.detach(key)
    const origin = {
      version: this.#shelf.version,
      bornAtMs: this.#monotonic(),
      loadMs: 0,
      answer: Promise.resolve(value),
    }
    this.#shelf.keep(key, value, origin, options)
    if (flight !== undefined) {
      flight.isFinal = true
      flight.resolve(value)
    }
    return this
  }

  /** Forgets a key; whether the store says that it was there. @throws what the store does */
  delete(key: K): boolean {
    this.#flights.detach(key)
    return this.#shelf.drop(key)
  }

  /**
   * Makes the value of a key stale from now on, so that the next read loads it again; until then
   * it may be answered as `staleMs` and `staleIfErrorMs` say. Whether there was a fresh value.
   *
   * @throws what the store does
   */
  expire(key: K): boolean {
    this.#flights.detach(key)
    const entry = this.#shelf.peek(key)
    const now = this.#monotonic()
    if (entry === undefined || now >= entry.freshUntilMs) return false
    this.#shelf.expire(key, entry, now)
    return true
  }

  /** Forgets all keys. O(1) beside what the store's own `clear` takes. */
  clear(): void {
    this.#shelf.clear()
  }

  /** Forgets all values with this tag, those included that are being loaded. O(1). */
  invalidateTag(tag: string): void {
    this.#shelf.invalidateTag(tag)
  }

  /**
   * Forgets all keys that begin with a prefix, which ends with the separator. O(1).
   *
   * @throws {CacheError} `ERR_CACHE_OPTION` if the prefix does not end with the separator.
   */
  invalidatePrefix(prefix: string): void {
    const { separator } = this.#settings
    if (typeof prefix !== 'string' || !prefix.endsWith(separator)) {
      const allowed = `a string that ends with the separator ${show(separator)}`
      const message = `prefix: got ${show(prefix)}, allowed is ${allowed}`
      throw new CacheError('ERR_CACHE_OPTION', message)
    }
    this.#shelf.invalidatePrefix(prefix)
  }

  /** Counters since the cache was made. */
  stats(): LoadingStats {
    return { ...this.#counts }
  }

  /** Ends all loads: who waits is refused, as is whoever would have to wait later. */
  close(): void {
    this.#flights.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #read(
    key: K,
    entry: Entry<V> | undefined,
    options: LoadingGetOptions<K, V> | undefined,
    job: LoadJob<K, V> | undefined,
  ): Promise<V> {
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (entry === undefined) {
      this.#counts.misses++
      return this.#await(key, entry, options, job)
    }
    const now = this.#monotonic()
    const standing = this.#admit(entry, now)
    if (standing === 'expired') return this.#await(key, entry, options, job)
    if (standing === 'failed') return Promise.reject(entry.failure?.error)
    if (this.#isDue(key, entry, standing, now)) {
      this.#flights.begin({ key, stale: entry }, true, options?.load)
    }
    return Promise.resolve(entry.value as V)
  }

  /** Answers keys with what is known, and tells what is to be waited for, loaded and refreshed. */
  #sort(keys: Iterable<K>, answers: Map<K, V | undefined>): Sorted<K, V> {
    const sorted: Sorted<K, V> = { joined: [], wanted: [], due: [], failed: undefined }
    const now = this.#monotonic()
    for (const key of keys) {
      if (answers.has(key)) continue
      const entry = this.#shelf.find(key)
      const standing = this.#admit(entry, now)
      answers.set(key, standing === 'expired' ? undefined : entry?.value)
      if (standing === 'failed') sorted.failed ??= { error: entry?.failure?.error }
      else if (standing !== 'expired') {
        if (this.#isDue(key, entry!, standing, now)) sorted.due.push({ key, stale: entry })
      } else {
        const flight = this.#flights.find(key)
        if (flight === undefined) sorted.wanted.push({ key, stale: entry })
        else {
          this.#counts.joins++
          sorted.joined.push(flight)
        }
      }
    }
    return sorted
  }

  /** How a read of an entry is answered; counts it. */
  #admit(entry: Entry<V> | undefined, nowMs: number): Standing {
    const standing = entry === undefined ? 'expired' : standingOf(entry, nowMs)
    const counts = this.#counts
    if (standing === 'expired') counts.misses++
    else if (standing === 'failed') counts.negativeHits++
    else if (standing !== 'fresh') counts.staleHits++
    else if (isNothing(entry?.value)) counts.negativeHits++
    else counts.hits++
    return standing
  }

  /** Whether a key that is answered from the cache is to be loaded in the background. */
  #isDue(key: K, entry: Entry<V>, standing: Standing, nowMs: number): boolean {
    const { beta, random } = this.#settings
    if (standing === 'fresh') {
      if (nowMs < entry.calmUntilMs || beta === 0 || isResting(entry, nowMs)) return false
      if (!isDueEarly(entry, nowMs, beta, random)) return false
    } else if (standing !== 'stale') return false
    return !this.#flights.isClosed && this.#flights.find(key) === undefined
  }

  /** Waits for the flight of a key, which it begins if there is none. */
  #await(
    key: K,
    stale: Entry<V> | undefined,
    options: LoadingGetOptions<K, V> | undefined,
    job: LoadJob<K, V> | undefined,
  ): Promise<V> {
    try {
      let flight = this.#flights.find(key)
      if (flight !== undefined) this.#counts.joins++
      flight ??= this.#flights.begin({ key, stale }, false, options?.load)
      const answer = this.#wait(flight, options, job)
      job?.waitFor(flight, answer)
      return answer
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #wait(
    flight: Flight<K, V>,
    options: LoadingGetOptions<K, V> | undefined,
    job?: LoadJob<K, V>,
  ): Promise<V> {
    const { key } = flight
    return this.#flights.wait(flight, options?.signal, () =>
      this.#read(key, this.#shelf.find(key), options, job),
    )
  }

  #readFor(key: K, job: LoadJob<K, V>): Promise<V> {
    return this.#read(key, this.#shelf.find(key), { signal: job.signal }, job)
  }
}

/** What becomes of the keys of a `getMany`. */
interface Sorted<K, V> {
  readonly joined: Flight<K, V>[]
  readonly wanted: Wanted<K, V>[]
  readonly due: Wanted<K, V>[]
  failed: { readonly error: unknown } | undefined
}

type Standing = 'fresh' | 'stale' | 'resting' | 'failed' | 'expired'

/** How a read is answered: 'resting' is stale with no new load, since one has failed just now. */
function standingOf(entry: Entry<unknown>, nowMs: number): Standing {
  if (nowMs < entry.freshUntilMs) return 'fresh'
  if (isResting(entry, nowMs)) return nowMs < entry.errorUntilMs ? 'resting' : 'failed'
  return nowMs < entry.staleUntilMs ? 'stale' : 'expired'
}

/** Whether a failure is remembered, so that there is no new load for a while. */
function isResting({ failure }: Entry<unknown>, nowMs: number): boolean {
  return failure !== undefined && nowMs < failure.untilMs
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null
}
