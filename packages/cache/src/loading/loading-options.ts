// Options of a LoadingCache.

import type { Timers } from '../timers.ts'
import type { CacheLike } from './cache-like.ts'
import type { Load, LoadMany } from './load.ts'
import type { LoadingEvent } from './loading-events.ts'

/** Options of a LoadingCache; `store`, and at least one of `load` and `loadMany`. */
export interface LoadingCacheOptions<K, V> {
  /**
   * Where entries, each an `Entry` of a value, are kept: a cache, a `Map`. It belongs to this
   * loading cache alone; to share one between several see `namespaced`.
   */
  readonly store: CacheLike<NoInfer<K>, unknown>
  /** Loads one key. Default: `loadMany` with one. */
  readonly load?: Load<K, V> | undefined
  /** Loads all that a `getMany` does not find, in one call. Default: `load` for each. */
  readonly loadMany?: LoadMany<K, V> | undefined
  /**
   * How long a value is fresh, in milliseconds since its load began, so that what is read was
   * current at some time within `ttlMs`; more than 0. Default `Infinity`.
   */
  readonly ttlMs?: number | undefined
  /**
   * For how long after `ttlMs` a value is still answered at once, while it is loaded again in the
   * background; from 0, default 0.
   */
  readonly staleMs?: number | undefined
  /**
   * For how long after `ttlMs` a value is still answered if loading it again has failed; from 0,
   * default 0.
   */
  readonly staleIfErrorMs?: number | undefined
  /**
   * How long it is remembered that nothing was there (`undefined` or `null`), or that a load
   * failed, from when that was known; meanwhile the key is not loaded again. From 0; default 0:
   * not at all. A function tells the two apart: it is given the error, undefined if there was none.
   */
  readonly negativeTtlMs?: number | ((error: unknown, key: K) => number) | undefined
  /** How long a load may take before it fails and is aborted; more than 0. Default: no limit. */
  readonly loadTimeoutMs?: number | undefined
  /**
   * Whether a value that is about to expire is loaded again a little before, at a time that is
   * drawn for each read, the earlier the longer its load took (XFetch); a number above 0 makes it
   * earlier (above 1) or later. Default false.
   */
  readonly earlyRefresh?: boolean | number | undefined
  /** What ends the parts of a key for `invalidatePrefix`. Default ':'. */
  readonly separator?: string | undefined
  /** Of how many tags and prefixes the last invalidation is known by name; default 65,536. */
  readonly maxTags?: number | undefined
  /** Hears what happens outside of answers. What it throws becomes an unhandled rejection. */
  readonly onEvent?: ((event: LoadingEvent<K>) => void) | undefined
  /** Elapsed milliseconds, never going back. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined
  /** A number in [0, 1), for `earlyRefresh`. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Timers for `loadTimeoutMs`. Default: the platform's. */
  readonly timers?: Timers | undefined
}

/** Options of one read. */
export interface LoadingGetOptions<K, V> {
  /** Ends the waiting of this caller, not of others; a load is aborted when all have left. */
  readonly signal?: AbortSignal | undefined
  /** Loads the key if it is this read that starts to load it, instead of the cache's `load`. */
  readonly load?: Load<K, V> | undefined
}
