// Options of every cache, checked once at construction.

import type { EvictReason } from './cache.ts'
import { CacheError, show } from './cache-error.ts'

/** How many entries a cache may be asked to hold: what a fast array of the engine takes. */
export const MAX_ENTRIES: number = 2 ** 25 - 64

/** Options of every cache; at least one of `max` and `maxWeight`. */
export interface CacheOptions<K, V> {
  /** Most entries, 1 to 33,554,368. */
  readonly max?: number | undefined
  /** Most that all entries may weigh together, a whole number from 1; needs `weigh`. */
  readonly maxWeight?: number | undefined
  /** What an entry weighs (its bytes, say): a whole number from 0. */
  readonly weigh?: ((value: V, key: K) => number) | undefined
  /**
   * How long an entry stays after `set`, in milliseconds; more than 0. Whole milliseconds of
   * `monotonic` are what counts: an entry leaves up to 1 ms late and never early. Default: no end.
   */
  readonly ttlMs?: number | undefined
  /**
   * Hears of every entry that leaves, after the operation is complete, each once. It may use the
   * cache as it likes.
   */
  readonly onEvict?: ((key: K, value: V, reason: EvictReason) => void) | undefined
  /** Hears what `onEvict` throws; by default that becomes an unhandled rejection. */
  readonly onError?: ((error: unknown, key: K) => void) | undefined
  /** Whether to count, see `stats()`. Default false. */
  readonly stats?: boolean | undefined
  /** Elapsed milliseconds, never going back. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined
  /** A number in [0, 1): seeds the hash, and where a policy is random, the policy. */
  readonly random?: (() => number) | undefined
}

/** Options with their defaults. */
export interface ReadOptions<K, V> extends CacheOptions<K, V> {
  readonly max: number
  readonly maxWeight: number
  readonly monotonic: () => number
  readonly random: () => number
}

/** Checks options and fills in what was left out. */
export function readOptions<K, V>(options: CacheOptions<K, V>): ReadOptions<K, V> {
  if (typeof options !== 'object' || options === null) {
    const hint = 'give an object such as { max: 1000 }'
    throw new CacheError('ERR_CACHE_OPTION', `options: got ${show(options)}; ${hint}`)
  }
  const { max, maxWeight, weigh, ttlMs } = options
  if (max === undefined && maxWeight === undefined) {
    throw new CacheError('ERR_CACHE_MAX', 'a cache needs a bound: give max, maxWeight or both')
  }
  if (max !== undefined) checkMax(max)
  if (maxWeight !== undefined) {
    checkMaxWeight(maxWeight)
    checkFunction('weigh', weigh, 'it says what an entry weighs, since maxWeight is given')
  } else if (weigh !== undefined) {
    throw new CacheError('ERR_CACHE_MAX_WEIGHT', 'weigh is given but no maxWeight: add it')
  }
  if (ttlMs !== undefined) checkTtl(ttlMs)
  for (const name of ['onEvict', 'onError', 'monotonic', 'random'] as const) {
    if (options[name] !== undefined) checkFunction(name, options[name], 'leave it out if unused')
  }
  return {
    ...options,
    max: max ?? MAX_ENTRIES,
    maxWeight: maxWeight ?? Number.POSITIVE_INFINITY,
    monotonic: options.monotonic ?? (() => performance.now()),
    random: options.random ?? Math.random,
  }
}

/** @throws {CacheError} `ERR_CACHE_MAX` */
export function checkMax(max: unknown): void {
  if (typeof max === 'number' && Number.isInteger(max) && max >= 1 && max <= MAX_ENTRIES) return
  const allowed = `a whole number from 1 to ${MAX_ENTRIES}`
  throw new CacheError('ERR_CACHE_MAX', `max: got ${show(max)}, allowed is ${allowed}`)
}

/** @throws {CacheError} `ERR_CACHE_MAX_WEIGHT` */
export function checkMaxWeight(maxWeight: unknown): void {
  if (Number.isSafeInteger(maxWeight) && (maxWeight as number) >= 1) return
  const allowed = 'a whole number from 1 to 2^53 - 1'
  const message = `maxWeight: got ${show(maxWeight)}, allowed is ${allowed}`
  throw new CacheError('ERR_CACHE_MAX_WEIGHT', message)
}

/** @throws {CacheError} `ERR_CACHE_TTL` */
export function checkTtl(ttlMs: unknown): void {
  if (typeof ttlMs === 'number' && ttlMs > 0) return
  const allowed = 'a number above 0, Infinity for no end'
  throw new CacheError('ERR_CACHE_TTL', `ttlMs: got ${show(ttlMs)}, allowed is ${allowed}`)
}

/** @throws {CacheError} `ERR_CACHE_WEIGHT` */
export function checkWeight(weight: unknown): void {
  if (Number.isSafeInteger(weight) && (weight as number) >= 0) return
  const allowed = 'a whole number from 0 to 2^53 - 1; round fractions up'
  throw new CacheError('ERR_CACHE_WEIGHT', `weight: got ${show(weight)}, allowed is ${allowed}`)
}

function checkFunction(name: string, given: unknown, why: string): void {
  if (typeof given === 'function') return
  const message = `${name}: got ${show(given)}, allowed is a function; ${why}`
  throw new CacheError('ERR_CACHE_OPTION', message)
}
