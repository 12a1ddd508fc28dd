// Fetches under way, at most one a key. They are no entries: they take no room, are not evicted,
// purged or listed, and the old value of a key stays where it is until the new one comes.
//
//   under way ── value ──────────> set, if nobody has set or deleted the key since
//             ── error ──────────> the key is deleted, unless flags say otherwise
//             ── aborted ────────> answered at once; over, or goes on in the background if
//                                  flags say so
//
// Invariant: whoever sets or deletes a key ends its flight, so that what a flight brings never
// replaces what is newer.

import type { FetcherFetchOptions, FetchOptions, Nothing } from './lru-options.ts'

/** Gets a value: the cache's `fetchMethod`. */
export type Load<K, V> = (
  key: K,
  staleValue: V | undefined,
  given: { signal: AbortSignal; options: FetcherFetchOptions<K, V>; context: unknown },
  // A method may return nothing for what it does not find.
) => Promise<V | Nothing> | V | Nothing

/** What flights do to the cache. */
export interface Destination<K, V> {
  set(key: K, value: V, options: FetcherFetchOptions<K, V>): void
  /** Deletes a key whose fetch has failed. */
  drop(key: K): void
}

/** A fetch under way. */
export interface Flight<V> {
  readonly staleValue: V | undefined
  readonly controller: AbortController
  /** What all who wait get. */
  readonly answer: Promise<V | undefined>
}

/** Fetches under way by key. */
export class Flights<K, V> {
  readonly #load: Load<K, V>
  readonly #destination: Destination<K, V>
  readonly #flights: Map<K, Flight<V>> = new Map()

  constructor(load: Load<K, V>, destination: Destination<K, V>) {
    this.#load = load
    this.#destination = destination
  }

  find(key: K): Flight<V> | undefined {
    return this.#flights.get(key)
  }

  /** Ends the flight of a key, if there is one. */
  end(key: K, why: string): boolean {
    const flight = this.#flights.get(key)
    if (flight === undefined) return false
    this.#flights.delete(key)
    flight.controller.abort(new Error(why))
    return true
  }

  /** Ends all flights. */
  endAll(why: string): void {
    for (const key of [...this.#flights.keys()]) this.end(key, why)
  }

  /** Starts to fetch; there must be no flight of this key. */
  start(
    key: K,
    staleValue: V | undefined,
    options: FetcherFetchOptions<K, V>,
    given: Pick<FetchOptions<K, V, unknown>, 'context' | 'signal'>,
  ): Flight<V> {
    const controller = new AbortController()
    const journey = new Journey(this, this.#destination, { key, staleValue, controller, options })
    const { flight } = journey
    this.#flights.set(key, flight)
    // Who has the old value meanwhile does not wait, and perhaps nobody does.
    flight.answer.catch(() => {})
    const unlink = follow(controller, given.signal)
    const { signal } = controller
    signal.addEventListener('abort', () => journey.abort(), { once: true })
    void this.#call(key, staleValue, { signal, options, context: given.context })
      .then(
        (value) => journey.arrive(value as V | undefined),
        (error) => journey.fail(error),
      )
      .finally(unlink)
    if (given.signal?.aborted) controller.abort(given.signal.reason)
    return flight
  }

  /** Whether a flight is still the one of its key. */
  isCurrent(key: K, flight: Flight<V>): boolean {
    return this.#flights.get(key) === flight
  }

  /** Forgets a flight that is over. */
  forget(key: K, flight: Flight<V>): void {
    if (this.isCurrent(key, flight)) this.#flights.delete(key)
  }

  #call(...given: Parameters<Load<K, V>>): Promise<V | Nothing> {
    try {
      return Promise.resolve(this.#load(...given))
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

interface Departure<K, V> {
  readonly key: K
  readonly staleValue: V | undefined
  readonly controller: AbortController
  /** The method may change these until it has settled. */
  readonly options: FetcherFetchOptions<K, V>
}

/** What becomes of one flight. */
class Journey<K, V> {
  readonly flight: Flight<V>
  readonly #flights: Flights<K, V>
  readonly #destination: Destination<K, V>
  readonly #key: K
  readonly #options: FetcherFetchOptions<K, V>
  #resolve: (value: V | undefined) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #isAnswered = false

  constructor(
    flights: Flights<K, V>,
    destination: Destination<K, V>,
    { key, staleValue, controller, options }: Departure<K, V>,
  ) {
    this.#flights = flights
    this.#destination = destination
    this.#key = key
    this.#options = options
    const answer = new Promise<V | undefined>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.flight = { staleValue, controller, answer }
  }

  /** Answers who waits for a flight that was aborted, unless that is to be ignored. */
  abort(): void {
    const { ignoreFetchAbort, allowStaleOnFetchAbort } = this.#options
    if (ignoreFetchAbort && !allowStaleOnFetchAbort) return
    this.#isAnswered = true
    const isOver = !ignoreFetchAbort && this.flight.staleValue === undefined
    this.#refuse(this.flight.controller.signal.reason, isOver, !allowStaleOnFetchAbort)
  }

  /** Takes what the method has brought. */
  arrive(value: V | undefined): void {
    const { signal } = this.flight.controller
    if (this.#isAnswered) {
      if (value !== undefined && this.#options.allowStaleOnFetchAbort) this.#keep(value)
      this.#flights.forget(this.#key, this.flight)
      return
    }
    if (signal.aborted && value === undefined) {
      this.fail(signal.reason)
      return
    }
    try {
      if (value !== undefined) this.#keep(value)
      this.#resolve(value)
    } catch (error) {
      this.#reject(error)
    }
    this.#flights.forget(this.#key, this.flight)
  }

  /** Takes the method's failure. */
  fail(error: unknown): void {
    if (!this.#isAnswered) this.#refuse(error, this.flight.staleValue === undefined, true)
    this.#flights.forget(this.#key, this.flight)
  }

  #keep(value: V): void {
    if (!this.#flights.isCurrent(this.#key, this.flight)) return
    this.#flights.forget(this.#key, this.flight)
    this.#destination.set(this.#key, value, this.#options)
  }

  /**
   * Answers that there is no new value.
   *
   * @param isBare Whether there is nothing worth keeping either.
   * @param isFinal Whether nothing that still comes is to be kept.
   */
  #refuse(error: unknown, isBare: boolean, isFinal: boolean): void {
    const options = this.#options
    const isAborted = this.flight.controller.signal.aborted
    const allowStale =
      (isAborted && options.allowStaleOnFetchAbort) || options.allowStaleOnFetchRejection
    const drops = isBare || !(allowStale || options.noDeleteOnFetchRejection)
    if (this.#flights.isCurrent(this.#key, this.flight)) {
      if (drops || isFinal) this.#flights.forget(this.#key, this.flight)
      if (drops) this.#destination.drop(this.#key)
    }
    if (allowStale) this.#resolve(this.flight.staleValue)
    else this.#reject(error)
  }
}

/** Aborts when the signal does; returns what ends that. */
function follow(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {}
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}
