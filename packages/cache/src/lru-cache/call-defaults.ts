// The options of a cache as its public fields, as lru-cache has them, and what one call makes of
// them and its own.

import type { Putting } from './entries.ts'
import { sizeOf } from './entry-sizes.ts'
import { Iteration } from './iteration.ts'
import { LRUCacheError } from './lru-cache-error.ts'
import type {
  Disposer,
  Fetcher,
  FetcherFetchOptions,
  FetchOptions,
  GivenOptions,
  Inserter,
  Memoizer,
  SetOptions,
  SizeCalculator,
} from './lru-options.ts'
import type { Perf, Timers } from './lru-timers.ts'
import { readSettings, type Settings } from './settings.ts'

/** Options by their names; those that are not read-only may be changed at any time. */
export abstract class CallDefaults<K, V, FC> extends Iteration<K, V> {
  ttl: number
  ttlResolution: number
  ttlAutopurge: boolean
  updateAgeOnGet: boolean
  updateAgeOnHas: boolean
  allowStale: boolean
  noDisposeOnSet: boolean
  noUpdateTTL: boolean
  maxEntrySize: number
  sizeCalculation: SizeCalculator<K, V> | undefined
  noDeleteOnFetchRejection: boolean
  noDeleteOnStaleGet: boolean
  allowStaleOnFetchAbort: boolean
  allowStaleOnFetchRejection: boolean
  ignoreFetchAbort: boolean
  /** Without effect: a fetch under way weighs nothing. */
  backgroundFetchSize: number
  /** Most entries; 0 if none was given. */
  readonly max: number
  /** Most that all entries may weigh together; 0 if nothing bounds it. */
  readonly maxSize: number
  readonly dispose: Disposer<K, V> | undefined
  readonly disposeAfter: Disposer<K, V> | undefined
  readonly onInsert: Inserter<K, V> | undefined
  readonly onError: ((error: unknown, key: K) => void) | undefined
  readonly fetchMethod: Fetcher<K, V, FC> | undefined
  readonly memoMethod: Memoizer<K, V, FC> | undefined
  readonly perf: Perf
  readonly timers: Timers
  readonly now: () => number
  readonly random: () => number

  /** @throws {LRUCacheError} a `TypeError` that names the option. */
  constructor(given: GivenOptions<K, V, FC>) {
    super()
    const settings: Settings = readSettings(given)
    this.ttl = settings.ttl
    this.ttlResolution = settings.ttlResolution
    this.ttlAutopurge = !!given.ttlAutopurge
    this.updateAgeOnGet = !!given.updateAgeOnGet
    this.updateAgeOnHas = !!given.updateAgeOnHas
    this.allowStale = !!given.allowStale
    this.noDisposeOnSet = !!given.noDisposeOnSet
    this.noUpdateTTL = !!given.noUpdateTTL
    this.maxEntrySize = settings.maxEntrySize
    this.sizeCalculation = given.sizeCalculation
    this.noDeleteOnFetchRejection = !!given.noDeleteOnFetchRejection
    this.noDeleteOnStaleGet = !!given.noDeleteOnStaleGet
    this.allowStaleOnFetchAbort = !!given.allowStaleOnFetchAbort
    this.allowStaleOnFetchRejection = !!given.allowStaleOnFetchRejection
    this.ignoreFetchAbort = !!given.ignoreFetchAbort
    this.backgroundFetchSize = given.backgroundFetchSize ?? 1
    this.max = settings.max
    this.maxSize = settings.maxSize
    this.dispose = functionOrNone(given.dispose)
    this.disposeAfter = functionOrNone(given.disposeAfter)
    this.onInsert = functionOrNone(given.onInsert)
    this.onError = functionOrNone(given.onError)
    this.fetchMethod = given.fetchMethod
    this.memoMethod = given.memoMethod
    this.perf = settings.perf
    this.timers = settings.timers
    this.now = settings.now
    this.random = settings.random
  }
}

/** Listeners that are no functions are none, as in lru-cache. */
function functionOrNone<F>(given: F | undefined): F | undefined {
  return typeof given === 'function' ? given : undefined
}

/** The size of an entry to be set; 0 if nothing is weighed. @throws {LRUCacheError} */
export function sizeForSet<K, V, FC>(
  cache: CallDefaults<K, V, FC>,
  key: K,
  value: V,
  given: SetOptions<K, V> | undefined,
): number {
  const calculate = given?.sizeCalculation ?? cache.sizeCalculation
  if (cache.maxEntrySize > 0) return sizeOf(key, value, given?.size, calculate)
  if (given?.size || calculate !== undefined) {
    const message = 'size is given but neither maxSize nor maxEntrySize: give one to the cache'
    throw new LRUCacheError('ERR_CACHE_MAX_WEIGHT', message)
  }
  return 0
}

/** What a `set` asks of the entries. */
export function puttingFor<K, V, FC>(
  cache: CallDefaults<K, V, FC>,
  size: number,
  given: SetOptions<K, V> | undefined,
): Putting {
  return {
    size,
    ttl: given?.ttl ?? cache.ttl,
    start: given?.start,
    noDisposeOnSet: given?.noDisposeOnSet ?? cache.noDisposeOnSet,
    noUpdateTTL: given?.noUpdateTTL ?? cache.noUpdateTTL,
    autopurge: cache.ttlAutopurge,
  }
}

/** Options of a fetch, for its method to read and change. */
export function optionsForFetch<K, V, FC>(
  cache: CallDefaults<K, V, FC>,
  given: FetchOptions<K, V, unknown>,
): FetcherFetchOptions<K, V> {
  const options: FetcherFetchOptions<K, V> = {
    allowStale: given.allowStale ?? cache.allowStale,
    updateAgeOnGet: given.updateAgeOnGet ?? cache.updateAgeOnGet,
    noDeleteOnStaleGet: given.noDeleteOnStaleGet ?? cache.noDeleteOnStaleGet,
    ttl: given.ttl ?? cache.ttl,
    noDisposeOnSet: given.noDisposeOnSet ?? cache.noDisposeOnSet,
    noUpdateTTL: given.noUpdateTTL ?? cache.noUpdateTTL,
    noDeleteOnFetchRejection: given.noDeleteOnFetchRejection ?? cache.noDeleteOnFetchRejection,
    allowStaleOnFetchRejection:
      given.allowStaleOnFetchRejection ?? cache.allowStaleOnFetchRejection,
    allowStaleOnFetchAbort: given.allowStaleOnFetchAbort ?? cache.allowStaleOnFetchAbort,
    ignoreFetchAbort: given.ignoreFetchAbort ?? cache.ignoreFetchAbort,
  }
  const calculate = given.sizeCalculation ?? cache.sizeCalculation
  if (calculate !== undefined) options.sizeCalculation = calculate
  if (given.size !== undefined) options.size = given.size
  return options
}
