// A loading cache in its simplest form, right unless it is given a flaw: what the laws must catch.

import type { LoadingSubject, SubjectOptions } from './loading-laws.ts'

/** What can be wrong with it. */
export type Flaw =
  | 'keeps what a change has overtaken'
  | 'lets later readers join a load that a change has overtaken'
  | 'finds what has a tag by a scan of what it holds'
  | 'loads for every reader'
  | 'aborts the load when the first leaves'
  | 'mixes up keys'
  | 'counts from when a value came'
  | 'remembers failures'
  | 'never ends to be stale'
  | 'joins however late'

interface Kept {
  readonly value: number
  readonly bornMs: number
  readonly tags: readonly string[]
}

interface Flight {
  readonly answer: Promise<number>
  readonly controller: AbortController
  readonly beganMs: number
  waiting: number
  isOvertaken: boolean
}

/** The cache, with a flaw if one is given. */
export class SmallCache implements LoadingSubject {
  readonly #kept = new Map<string, Kept>()
  readonly #flights = new Map<string, Flight>()
  readonly #options: SubjectOptions
  readonly #flaw: Flaw | undefined

  constructor(options: SubjectOptions, flaw?: Flaw) {
    this.#options = options
    this.#flaw = flaw
  }

  async get(given: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    const key = this.#flaw === 'mixes up keys' ? 'key' : given
    const { ttlMs, staleMs, monotonic } = this.#options
    const kept = this.#kept.get(key)
    const age = kept === undefined ? Infinity : monotonic() - kept.bornMs
    if (kept !== undefined && age < ttlMs) return kept.value
    if (kept !== undefined && (age < ttlMs + staleMs || this.#flaw === 'never ends to be stale')) {
      if (!this.#flights.has(key)) this.#begin(key, given).answer.catch(() => {})
      return kept.value
    }
    const known = this.#flaw === 'loads for every reader' ? undefined : this.#flights.get(key)
    const flight = known ?? this.#begin(key, given)
    if (monotonic() - flight.beganMs >= ttlMs + staleMs) {
      if (this.#flaw !== 'joins however late') return flight.answer.then(() => this.get(given))
    }
    flight.waiting++
    if (signal === undefined) return flight.answer
    return new Promise((resolve, reject) => {
      flight.answer.then(resolve, reject)
      signal.addEventListener('abort', () => {
        reject(signal.reason)
        if (--flight.waiting > 0 && this.#flaw !== 'aborts the load when the first leaves') return
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
        flight.controller.abort(signal.reason)
      })
    })
  }

  set(key: string, value: number, { tags = [] }: { readonly tags?: readonly string[] } = {}): void {
    this.#overtake(key)
    this.#kept.set(key, { value, bornMs: this.#options.monotonic(), tags })
  }

  delete(key: string): void {
    this.#overtake(key)
    this.#kept.delete(key)
  }

  invalidateTag(tag: string): void {
    for (const [key, { tags }] of this.#kept) if (tags.includes(tag)) this.#kept.delete(key)
    if (this.#flaw === 'finds what has a tag by a scan of what it holds') return
    for (const key of this.#flights.keys()) this.#overtake(key)
  }

  #overtake(key: string): void {
    const flight = this.#flights.get(key)
    if (flight === undefined) return
    flight.isOvertaken = true
    if (this.#flaw !== 'lets later readers join a load that a change has overtaken') {
      this.#flights.delete(key)
    }
  }

  #begin(key: string, given: string): Flight {
    const { load, monotonic } = this.#options
    const controller = new AbortController()
    const { signal } = controller
    let tags: readonly string[] = []
    const beganMs = monotonic()
    const isLate = this.#flaw === 'counts from when a value came'
    const keep = (said: { readonly tags: readonly string[] }) => {
      tags = said.tags
    }
    const call = load(given, { signal, keep }).then(
      (value) => {
        const keeps = !flight.isOvertaken || this.#flaw === 'keeps what a change has overtaken'
        if (keeps && !signal.aborted) {
          this.#kept.set(key, { value, bornMs: isLate ? monotonic() : beganMs, tags })
        }
        this.#end(key, flight)
        return value
      },
      (error: unknown) => {
        if (this.#flaw !== 'remembers failures') this.#end(key, flight)
        throw error
      },
    )
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    const answer = Promise.race([call, aborted])
    answer.catch(() => {})
    const flight: Flight = { answer, controller, beganMs, waiting: 0, isOvertaken: false }
    this.#flights.set(key, flight)
    return flight
  }

  #end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
