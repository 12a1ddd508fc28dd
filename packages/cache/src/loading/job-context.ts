// What a load is given. A class, since an object with a getter of its own costs as much as all the
// rest of a load's bookkeeping; its two functions work apart from it, too.

import type { KeepOptions, LoadContext } from './load.ts'
import type { LoadJob } from './load-job.ts'
import { checkKeep } from './loading-settings.ts'

/** Reads a key on behalf of a load. */
export type ReadFor<K, V> = (key: K, job: LoadJob<K, V>) => Promise<V>

/** The context of one call of `load` or `loadMany`. */
export class JobContext<K, V> implements LoadContext<K, V> {
  readonly stale: V | undefined
  readonly get: (key: K) => Promise<V>
  readonly keep: (options: KeepOptions, key?: K) => void
  readonly #job: LoadJob<K, V>

  constructor(job: LoadJob<K, V>, stale: V | undefined, readFor: ReadFor<K, V>) {
    this.stale = stale
    this.#job = job
    this.get = (key) => readFor(key, job)
    this.keep = (options, key) => keepFor(job, options, key)
  }

  get signal(): AbortSignal {
    return this.#job.signal
  }
}

function keepFor<K, V>(job: LoadJob<K, V>, options: KeepOptions, key: K | undefined): void {
  checkKeep(options)
  for (const flight of job.flights) {
    if (key !== undefined && flight.key !== key) continue
    const { kept } = flight
    flight.kept = kept === undefined ? { ...options } : { ...kept, ...options }
  }
}
