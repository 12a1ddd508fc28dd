// One call of `load` or `loadMany`: the flights that it is to bring down, its signal, its time
// limit, and the flights that it waits for itself, by which a cycle is found.
//
// Invariant: when its last flight settles, a job is over: its timer is gone, its signal aborted
// if the call has not answered, and what the call still says is ignored.

import type { Timers } from '../timers.ts'
import type { Flight } from './flight.ts'
import { LazyAbort } from './lazy-abort.ts'
import { LoadCycleError } from './load-cycle-error.ts'

/** A call under way. */
export class LoadJob<K, V> {
  readonly flights: Flight<K, V>[] = []
  readonly #abort: LazyAbort = new LazyAbort()
  readonly #timers: Timers
  readonly #waits: Set<Flight<K, V>> = new Set()
  readonly #onOver: () => void
  #timer: unknown
  #hasAnswered = false
  #settled = 0

  constructor(timers: Timers, onOver: (job: LoadJob<K, V>) => void) {
    this.#timers = timers
    this.#onOver = () => onOver(this)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Whether nobody waits for what the call says. */
  get isOver(): boolean {
    return this.#settled === this.flights.length
  }

  /** Calls; exactly one of the two is told what became of it, unless nobody waits any more. */
  run<T>(
    call: () => T | PromiseLike<T>,
    onValue: (value: T) => void,
    onError: (error: unknown) => void,
  ): void {
    this.#begin(call).then(
      (value) => {
        this.#hasAnswered = true
        if (!this.isOver) onValue(value)
      },
      (error) => {
        this.#hasAnswered = true
        if (!this.isOver) onError(error)
      },
    )
  }

  /** Calls back after so long, unless the job is over by then. */
  limit(timeoutMs: number, onTimeout: () => void): void {
    this.#timer = this.#timers.setTimeout(onTimeout, timeoutMs)
  }

  /** Notes that one of the flights has settled, and why if not by a value. */
  settled(reason?: unknown): void {
    this.#settled++
    if (!this.isOver) return
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer)
    this.#onOver()
    if (this.#hasAnswered) return
    this.#abort.abort(reason ?? new DOMException('nobody waits for this load', 'AbortError'))
  }

  /**
   * Notes that this call waits for a flight, until the answer that it waits for has settled.
   *
   * @throws {LoadCycleError} if that flight waits for this call.
   */
  waitFor(flight: Flight<K, V>, answer: Promise<V>): void {
    const path = pathTo(this, flight, new Set())
    const end = () => this.#waits.delete(flight)
    answer.then(end, end)
    if (path !== undefined) throw new LoadCycleError([path.at(-1), ...path])
    this.#waits.add(flight)
  }

  get waits(): ReadonlySet<Flight<K, V>> {
    return this.#waits
  }

  #begin<T>(call: () => T | PromiseLike<T>): Promise<T> {
    try {
      return Promise.resolve(call())
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** The keys from a flight to one of `job` along who waits for whom, if there is such a way. */
function pathTo<K, V>(
  job: LoadJob<K, V>,
  from: Flight<K, V>,
  seen: Set<LoadJob<K, V>>,
): K[] | undefined {
  if (from.job === job) return [from.key]
  if (seen.has(from.job)) return undefined
  seen.add(from.job)
  for (const next of from.job.waits) {
    const path = pathTo(job, next, seen)
    if (path !== undefined) return [from.key, ...path]
  }
  return undefined
}
