// One call of `load` or `loadMany`: the flights that it is to bring down, its signal, its time
// limit, and the flights that it waits for itself, by which a cycle is found.
//
// Invariant: when its last flight settles, a job is over: its timer is gone, its signal aborted
// if the call has not answered, and what the call still says is ignored.

import type { Timers } from '../timers.ts'
import type { Flight } from './flight.ts'
import { LazyAbort } from './lazy-abort.ts'
import { LoadCycleError } from './load-cycle-error.ts'

/** What a job is begun with. */
export interface LoadJobPlan<K, V> {
  /** How many invalidations had been made when it began. */
  readonly version: number
  readonly bornAtMs: number
  /** Whether it began without anybody who waits. */
  readonly isBackground: boolean
  /** Where it is noted that the job goes on though its key has changed; it leaves when over. */
  readonly detached: Set<LoadJob<K, V>>
  readonly timers: Timers
}

const NO_WAITS: ReadonlySet<never> = new Set<never>()

// One for each miss: what few of them need comes into being when it is needed.
/** A call under way. */
export class LoadJob<K, V> {
  readonly version: number
  readonly bornAtMs: number
  readonly isBackground: boolean
  /** Whether the call says no more. */
  hasAnswered = false
  flights: readonly Flight<K, V>[] = []
  readonly #plan: LoadJobPlan<K, V>
  #abort: LazyAbort | undefined
  #waits: Set<Flight<K, V>> | undefined
  #timer: unknown
  #settled = 0

  constructor(plan: LoadJobPlan<K, V>) {
    this.version = plan.version
    this.bornAtMs = plan.bornAtMs
    this.isBackground = plan.isBackground
    this.#plan = plan
  }

  get signal(): AbortSignal {
    this.#abort ??= new LazyAbort()
    return this.#abort.signal
  }

  /** Whether nobody waits for what the call says. */
  get isOver(): boolean {
    return this.#settled === this.flights.length
  }

  /** Calls back after so long, unless the job is over by then. */
  limit(timeoutMs: number, onTimeout: () => void): void {
    this.#timer = this.#plan.timers.setTimeout(onTimeout, timeoutMs)
  }

  /** Notes that one of the flights has settled, and why if not by a value. */
  settled(reason?: unknown): void {
    this.#settled++
    if (!this.isOver) return
    const { timers, detached } = this.#plan
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer)
    detached.delete(this)
    if (this.hasAnswered) return
    this.#abort ??= new LazyAbort()
    this.#abort.abort(reason ?? new DOMException('nobody waits for this load', 'AbortError'))
  }

  /**
   * Notes that this call waits for a flight, until the answer that it waits for has settled.
   *
   * @throws {LoadCycleError} if that flight waits for this call.
   */
  waitFor(flight: Flight<K, V>, answer: Promise<V>): void {
    const path = pathTo(this, flight, new Set())
    this.#waits ??= new Set()
    const waits = this.#waits
    const end = () => waits.delete(flight)
    answer.then(end, end)
    if (path !== undefined) throw new LoadCycleError([path.at(-1), ...path])
    waits.add(flight)
  }

  get waits(): ReadonlySet<Flight<K, V>> {
    return this.#waits ?? NO_WAITS
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
