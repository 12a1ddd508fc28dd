// Options of a LoadingCache, checked once, with their defaults.

import { CacheError, show } from '../cache-error.ts'
import { checkTtl } from '../cache-options.ts'
import { platformMonotonic } from '../platform-monotonic.ts'
import { platformTimers, type Timers } from '../timers.ts'
import type { CacheLike } from './cache-like.ts'
import type { Entry } from './entry.ts'
import type { KeepOptions, Load, LoadMany } from './load.ts'
import type { LoadingEvent } from './loading-events.ts'
import type { LoadingCacheOptions } from './loading-options.ts'

/** The longest delay that the platform's timers know. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Options with their defaults. */
export interface LoadingSettings<K, V> {
  readonly store: CacheLike<K, Entry<V>>
  readonly load: Load<K, V> | undefined
  readonly loadMany: LoadMany<K, V> | undefined
  readonly ttlMs: number
  readonly staleMs: number
  readonly staleIfErrorMs: number
  readonly negativeTtlMs: (error: unknown, key: K) => number
  readonly loadTimeoutMs: number | undefined
  /** The β of XFetch; 0 for none. */
  readonly beta: number
  readonly separator: string
  readonly maxTags: number
  readonly onEvent: ((event: LoadingEvent<K>) => void) | undefined
  readonly monotonic: () => number
  readonly random: () => number
  readonly timers: Timers
}

/** Checks options and fills in what was left out. */
export function readLoadingOptions<K, V>(
  options: LoadingCacheOptions<K, V>,
): LoadingSettings<K, V> {
  if (typeof options !== 'object' || options === null) {
    refuse('options', options, 'an object such as { load, store: new LruCache({ max: 1000 }) }')
  }
  const { store, load, loadMany, negativeTtlMs = 0, loadTimeoutMs, earlyRefresh = false } = options
  const { separator = ':', maxTags = 65_536 } = options
  for (const method of ['get', 'set', 'delete'] as const) {
    if (typeof store?.[method] !== 'function') {
      refuse('store', store, 'a cache or a Map, with get, set and delete')
    }
  }
  for (const name of ['load', 'loadMany', 'onEvent', 'monotonic', 'random'] as const) {
    const given = options[name]
    if (given !== undefined && typeof given !== 'function') refuse(name, given, 'a function')
  }
  if (typeof negativeTtlMs !== 'function') checkSpan('negativeTtlMs', negativeTtlMs)
  if (loadTimeoutMs !== undefined && !(loadTimeoutMs > 0 && loadTimeoutMs <= MAX_DELAY_MS)) {
    refuse('loadTimeoutMs', loadTimeoutMs, `milliseconds above 0, up to ${MAX_DELAY_MS}`)
  }
  if (typeof earlyRefresh !== 'boolean' && !(earlyRefresh > 0 && earlyRefresh < Infinity)) {
    refuse('earlyRefresh', earlyRefresh, 'a boolean or a finite number above 0')
  }
  if (typeof separator !== 'string' || separator === '') {
    refuse('separator', separator, 'a string of at least one character')
  }
  if (!Number.isSafeInteger(maxTags) || maxTags < 1) {
    refuse('maxTags', maxTags, 'a whole number from 1')
  }
  checkKeep(options)
  return {
    // It holds what this cache has put there.
    store: store as CacheLike<K, Entry<V>>,
    load,
    loadMany,
    ttlMs: options.ttlMs ?? Infinity,
    staleMs: options.staleMs ?? 0,
    staleIfErrorMs: options.staleIfErrorMs ?? 0,
    negativeTtlMs: readNegativeTtl(negativeTtlMs),
    loadTimeoutMs,
    beta: Number(earlyRefresh),
    separator,
    maxTags,
    onEvent: options.onEvent,
    monotonic: options.monotonic ?? platformMonotonic(),
    random: options.random ?? Math.random,
    timers: options.timers ?? platformTimers,
  }
}

function readNegativeTtl<K>(
  given: number | ((error: unknown, key: K) => number),
): (error: unknown, key: K) => number {
  if (typeof given !== 'function') return () => given
  return (error, key) => {
    const ms = given(error, key)
    checkSpan('negativeTtlMs', ms)
    return ms
  }
}

/** @throws {CacheError} `ERR_CACHE_TTL`, `ERR_CACHE_OPTION` */
export function checkKeep({ ttlMs, staleMs, staleIfErrorMs, tags, ageMs }: KeepOptions): void {
  if (ttlMs !== undefined) checkTtl(ttlMs)
  if (staleMs !== undefined) checkSpan('staleMs', staleMs)
  if (staleIfErrorMs !== undefined) checkSpan('staleIfErrorMs', staleIfErrorMs)
  if (ageMs !== undefined) checkSpan('ageMs', ageMs)
  if (tags !== undefined && !(Array.isArray(tags) && tags.every((t) => typeof t === 'string'))) {
    refuse('tags', tags, 'an array of strings')
  }
}

function checkSpan(name: string, given: unknown): void {
  if (!(typeof given === 'number' && given >= 0)) refuse(name, given, 'milliseconds from 0')
}

function refuse(name: string, given: unknown, allowed: string): never {
  throw new CacheError('ERR_CACHE_OPTION', `${name}: got ${show(given)}, allowed is ${allowed}`)
}
