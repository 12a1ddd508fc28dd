// Keys under way, at most one flight a key that later readers may join, and what becomes of them
// when they land: a value is kept only by the flight that is still the one of its key.
//
// Invariant: whoever changes a key (set, delete, clear, an invalidation of its prefix) takes its
// flight off the table before the change is done, so that no load that began before it is joined
// or kept after it. An invalidation by tag is noticed when the flight lands, since only then its
// tags are known; who joined meanwhile reads again, as does who joined a load that had run for
// longer than a value may live.

import { CacheError, show } from '../cache-error.ts'
import type { Entry } from './entry.ts'
import { Flight } from './flight.ts'
import { JobContext, type ReadFor } from './job-context.ts'
import type { Load, LoadedMany } from './load.ts'
import { LoadJob } from './load-job.ts'
import type { LoadingCounts } from './loading-counts.ts'
import type { LoadingSettings } from './loading-settings.ts'
import type { Shelf } from './shelf.ts'

const NO_TAGS: readonly string[] = []

/** A key to load, and what is known of it. */
export interface Wanted<K, V> {
  readonly key: K
  readonly stale: Entry<V> | undefined
}

/** Flights by key. */
export class Flights<K, V> {
  readonly #settings: LoadingSettings<K, V>
  readonly #shelf: Shelf<K, V>
  readonly #counts: LoadingCounts
  readonly #readFor: ReadFor<K, V>
  readonly #table: Map<K, Flight<K, V>> = new Map()
  readonly #detached: Set<LoadJob<K, V>> = new Set()
  #isClosed = false

  constructor(
    settings: LoadingSettings<K, V>,
    shelf: Shelf<K, V>,
    counts: LoadingCounts,
    readFor: ReadFor<K, V>,
  ) {
    this.#settings = settings
    this.#shelf = shelf
    this.#counts = counts
    this.#readFor = readFor
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The flight of a key that a reader of now may join. */
  find(key: K): Flight<K, V> | undefined {
    const flight = this.#table.get(key)
    if (flight === undefined) return undefined
    if (this.#shelf.isCurrent(key, flight.job.version, NO_TAGS)) return flight
    this.detach(key)
    return undefined
  }

  /** Begins to load a key; there must be no flight of it. @throws {CacheError} if closed */
  begin(wanted: Wanted<K, V>, isBackground: boolean, load?: Load<K, V>): Flight<K, V> {
    const one = load ?? this.#settings.load
    if (one === undefined) return this.beginMany([wanted], isBackground)[0]!
    const job = this.#open([wanted], isBackground)
    const flight = job.flights[0]!
    const { key, stale } = wanted
    const context = new JobContext(job, stale?.value, this.#readFor)
    let loading: V | PromiseLike<V>
    try {
      loading = one(key, context)
    } catch (error) {
      loading = Promise.reject(error)
    }
    Promise.resolve(loading).then(
      (value) => {
        job.hasAnswered = true
        this.#land(flight, value)
      },
      (error) => this.#failAll(job, error),
    )
    return flight
  }

  /**
   * Flights of keys: those that are under way, and new ones for the others, by one call if there
   * is `loadMany`.
   *
   * @throws {CacheError} if closed, or if nothing loads
   */
  beginMany(wanted: readonly Wanted<K, V>[], isBackground: boolean): readonly Flight<K, V>[] {
    const { loadMany, load } = this.#settings
    if (loadMany === undefined) {
      if (load === undefined) throw noLoad(wanted[0]?.key)
      return wanted.map((one) => this.find(one.key) ?? this.begin(one, isBackground, load))
    }
    // A load that was begun a moment ago may have read, and so begun, one of these.
    const known = wanted.map(({ key }) => this.find(key)).filter((flight) => flight !== undefined)
    const missing = known.length === 0 ? wanted : wanted.filter(({ key }) => !this.find(key))
    if (missing.length === 0) return known
    const job = this.#open(missing, isBackground)
    const { flights } = job
    const keys = flights.map((flight) => flight.key)
    const call = async () => await loadMany(keys, new JobContext(job, undefined, this.#readFor))
    call().then(
      (loaded) => this.#landMany(job, loaded),
      (error) => this.#failAll(job, error),
    )
    return [...known, ...flights]
  }

  /** Waits for a flight; `again` is called if what it brings is too old for a reader of now. */
  wait(flight: Flight<K, V>, signal: AbortSignal | undefined, again: () => Promise<V>): Promise<V> {
    // Whoever waits first has begun it, so it is as young as can be: no need to look at the clock.
    const isNew = flight.isDeserted && !flight.job.isBackground
    const answer =
      signal === undefined
        ? flight.wait()
        : flight.waitUntil(signal, (reason) => this.#desert(flight, reason))
    const { ttlMs, staleMs, monotonic } = this.#settings
    const { key, job } = flight
    const { version, bornAtMs } = job
    // As old as a value may be, and the load has not even ended.
    const isTooOld = !isNew && monotonic() - bornAtMs >= ttlMs + staleMs
    if (version === this.#shelf.version && !isTooOld) return answer
    return answer.then((value) => {
      if (flight.isFinal) return value
      return !isTooOld && this.#shelf.isCurrent(key, version, flight.tags) ? value : again()
    })
  }

  /** Takes the flight of a key off the table: what it brings is for those who wait already. */
  detach(key: K): Flight<K, V> | undefined {
    const flight = this.#table.get(key)
    if (flight === undefined) return undefined
    this.#table.delete(key)
    this.#detached.add(flight.job)
    if (flight.isDeserted) {
      this.#overtaken(key)
      flight.reject(new DOMException('the key has changed since', 'AbortError'))
    }
    return flight
  }

  /** Fails all flights, and lets none begin. */
  close(): void {
    this.#isClosed = true
    const jobs = new Set(this.#detached)
    for (const { job } of this.#table.values()) jobs.add(job)
    this.#table.clear()
    for (const { flights } of jobs) for (const flight of flights) flight.reject(closed())
  }

  #open(wanted: readonly Wanted<K, V>[], isBackground: boolean): LoadJob<K, V> {
    if (this.#isClosed) throw closed()
    const { timers, loadTimeoutMs, monotonic } = this.#settings
    const { version } = this.#shelf
    const detached = this.#detached
    const bornAtMs = monotonic()
    const job = new LoadJob<K, V>({ version, bornAtMs, isBackground, detached, timers })
    job.flights = wanted.map(({ key, stale }) => new Flight(key, stale, job))
    for (const flight of job.flights) this.#table.set(flight.key, flight)
    this.#counts.loads++
    if (isBackground) this.#counts.refreshes += wanted.length
    if (loadTimeoutMs !== undefined) {
      job.limit(loadTimeoutMs, () => {
        for (const flight of job.flights) this.#fail(flight, tooLate(flight.key, loadTimeoutMs))
      })
    }
    return job
  }

  #failAll(job: LoadJob<K, V>, error: unknown): void {
    job.hasAnswered = true
    for (const flight of job.flights) this.#fail(flight, error)
  }

  #landMany(job: LoadJob<K, V>, loaded: LoadedMany<K, V>): void {
    const { flights } = job
    const isList = Array.isArray(loaded) && loaded.length === flights.length
    if (!isList && !(loaded instanceof Map)) {
      this.#failAll(job, badAnswer(loaded, flights.length))
      return
    }
    job.hasAnswered = true
    for (const [i, flight] of flights.entries()) {
      this.#land(flight, (loaded instanceof Map ? loaded.get(flight.key) : loaded[i]) as V)
    }
  }

  /** Takes what a load has brought. */
  #land(flight: Flight<K, V>, value: V): void {
    if (flight.isSettled) return
    const { key, job } = flight
    const { version, bornAtMs, isBackground } = job
    const durationMs = this.#settings.monotonic() - bornAtMs
    flight.tags = flight.kept?.tags ?? NO_TAGS
    if (this.#leave(flight) && this.#shelf.isCurrent(key, version, flight.tags)) {
      const origin = { version, bornAtMs, loadMs: durationMs, answer: flight.answer }
      this.#try(key, () => this.#shelf.keep(key, value, origin, flight.kept))
    } else {
      this.#overtaken(key)
    }
    flight.resolve(value)
    this.#shelf.tell({ type: 'loaded', key, durationMs, isBackground })
  }

  /** Takes a load's failure: an old value is answered as long as it may be. */
  #fail(flight: Flight<K, V>, error: unknown): void {
    if (flight.isSettled) return
    const { key, job } = flight
    const { version, isBackground } = job
    const isCurrent = this.#leave(flight) && this.#shelf.isCurrent(key, version, NO_TAGS)
    const known = isCurrent ? this.#knownOf(flight) : undefined
    if (isCurrent) this.#try(key, () => this.#shelf.keepFailure(key, error, version, known))
    const isStaleServed = known !== undefined && this.#settings.monotonic() < known.errorUntilMs
    this.#counts.failures++
    if (isStaleServed) {
      this.#counts.errorsHidden++
      flight.isFinal = true
      flight.resolve(known.value as V, error)
    } else {
      flight.reject(error)
    }
    this.#shelf.tell({ type: 'failed', key, error, isBackground, isStaleServed })
  }

  /** Changes the store; where that fails, whoever waits gets the answer all the same. */
  #try(key: K, change: () => void): void {
    try {
      change()
    } catch (error) {
      this.#shelf.tell({ type: 'store-failed', key, operation: 'set', error })
    }
  }

  /** What is known of a key whose load fails, if it still counts. */
  #knownOf({ key, stale }: Flight<K, V>): Entry<V> | undefined {
    if (stale === undefined) return undefined
    return this.#shelf.isCurrent(key, stale.version, stale.tags) ? stale : undefined
  }

  /** Takes a flight off the table; whether it was still the one of its key. */
  #leave(flight: Flight<K, V>): boolean {
    if (this.#table.get(flight.key) !== flight) return false
    this.#table.delete(flight.key)
    return true
  }

  #desert(flight: Flight<K, V>, reason: unknown): void {
    this.#leave(flight)
    flight.reject(reason)
  }

  #overtaken(key: K): void {
    this.#counts.overtaken++
    this.#shelf.tell({ type: 'overtaken', key })
  }
}

function closed(): CacheError {
  return new CacheError('ERR_CACHE_CLOSED', 'get: this cache was closed and loads nothing any more')
}

function tooLate(key: unknown, timeoutMs: number): CacheError {
  const message = `load: ${show(key)} took longer than loadTimeoutMs, ${timeoutMs} ms`
  return new CacheError('ERR_CACHE_LOAD_TIMEOUT', message)
}

function noLoad(key: unknown): CacheError {
  const message = `get: ${show(key)} is not there and nothing loads it; give load or loadMany`
  return new CacheError('ERR_CACHE_OPTION', message)
}

function badAnswer(given: unknown, keys: number): CacheError {
  const allowed = `a Map, or an array of ${keys} values in the order of the keys`
  return new CacheError(
    'ERR_CACHE_LOAD_MANY',
    `loadMany: got ${show(given)}, allowed is ${allowed}`,
  )
}
