// The drop-in's options, checked once and with defaults filled in. What lru-cache refuses is
// refused here, with a TypeError too.

import { show } from '../cache-error.ts'
import { MAX_ENTRIES } from '../cache-options.ts'
import { isPositive } from './entry-sizes.ts'
import { LRUCacheError } from './lru-cache-error.ts'
import type { GivenOptions } from './lru-options.ts'
import { type Perf, platformTimers, type Timers } from './lru-timers.ts'

/** What does not change once a cache is made. */
export interface Settings {
  readonly max: number
  readonly maxSize: number
  readonly maxEntrySize: number
  readonly ttl: number
  readonly ttlResolution: number
  readonly perf: Perf
  readonly timers: Timers
  readonly now: () => number
  readonly random: () => number
}

/** @throws {LRUCacheError} naming the option. */
export function readSettings<K, V, FC>(options: GivenOptions<K, V, FC>): Settings {
  if (typeof options !== 'object' || options === null) {
    const hint = 'give an object such as { max: 1000 }'
    throw new LRUCacheError('ERR_CACHE_OPTION', `options: got ${show(options)}; ${hint}`)
  }
  const { max = 0, maxSize = 0, ttl = 0, ttlResolution = 1, perf } = options
  const maxEntrySize = options.maxEntrySize || maxSize
  checkMax(max)
  checkCount('ERR_CACHE_MAX_WEIGHT', 'maxSize', maxSize)
  checkCount('ERR_CACHE_MAX_WEIGHT', 'maxEntrySize', maxEntrySize)
  checkCount('ERR_CACHE_TTL', 'ttl', ttl)
  if (max === 0 && maxSize === 0 && ttl === 0) {
    const message = 'a cache needs a bound: give max, maxSize or ttl'
    throw new LRUCacheError('ERR_CACHE_MAX', message)
  }
  if (options.sizeCalculation !== undefined && maxEntrySize === 0) {
    const message = 'sizeCalculation is given but neither maxSize nor maxEntrySize: add one'
    throw new LRUCacheError('ERR_CACHE_MAX_WEIGHT', message)
  }
  for (const name of ['sizeCalculation', 'fetchMethod', 'memoMethod'] as const) {
    if (options[name] !== undefined) checkFunction(name, options[name])
  }
  if (perf !== undefined) checkFunction('perf.now', perf.now)
  return {
    max,
    maxSize,
    maxEntrySize,
    ttl,
    ttlResolution: ttlResolution === 0 || isPositive(ttlResolution) ? ttlResolution : 1,
    perf: perf ?? { now: () => monotonic() },
    timers: options.timers ?? platformTimers,
    now: options.now ?? (() => Date.now()),
    random: options.random ?? (() => Math.random()),
  }
}

/** The default of `perf`; looked up at each call, so that fake timers reach it. */
const monotonic: () => number = () => performance.now()

function checkMax(max: unknown): void {
  if ((max === 0 || isPositive(max)) && max <= MAX_ENTRIES) return
  const allowed = `a whole number from 0 to ${MAX_ENTRIES}`
  throw new LRUCacheError('ERR_CACHE_MAX', `max: got ${show(max)}, allowed is ${allowed}`)
}

function checkCount(
  code: 'ERR_CACHE_MAX_WEIGHT' | 'ERR_CACHE_TTL',
  name: string,
  given: unknown,
): void {
  if (given === 0 || isPositive(given)) return
  const allowed = 'a whole number from 1, or 0 for none'
  throw new LRUCacheError(code, `${name}: got ${show(given)}, allowed is ${allowed}`)
}

function checkFunction(name: string, given: unknown): void {
  if (typeof given === 'function') return
  const message = `${name}: got ${show(given)}, allowed is a function; leave it out if unused`
  throw new LRUCacheError('ERR_CACHE_OPTION', message)
}
