// Options of a TieredCache.

import type { CacheCluster, FarOptions } from '../cluster/cache-cluster.ts'
import type { CacheLike } from '../loading/cache-like.ts'
import type { Entry } from '../loading/entry.ts'
import type { Load } from '../loading/load.ts'
import type { LoadingEvent } from '../loading/loading-events.ts'
import type { Bus } from './bus.ts'
import type { Codec } from './codec.ts'
import type { Store } from './store.ts'
import type { WriteBehindOptions } from './write-behind.ts'

/** Options of a {@link TieredCache}; `store` or `cluster`. */
export interface TieredCacheOptions<V> extends FarOptions {
  /** The near cache: a cache of this package, a `Map`, an lru-cache. */
  readonly near: CacheLike<string, Entry<V>>
  /** The far cache. */
  readonly store?: Store | undefined
  /** Brings the announcements of `store`; without it near copies end by `nearTtlMs` alone. */
  readonly bus?: Bus | undefined
  /** Several stores instead of one; it stays its owner's to close. */
  readonly cluster?: CacheCluster | undefined
  /** Loads a key from the origin; its `keep` sets tags and times of one value. */
  readonly load: Load<string, V>
  /** Writes a key to the origin. Without it `set` says what the origin holds already. */
  readonly write?: ((key: string, value: V) => Promise<unknown>) | undefined
  /** Has `set` return before the origin is written; needs `write`. Default: write-through. */
  readonly writeBehind?: WriteBehindOptions | undefined
  /**
   * How long a value is fresh, in milliseconds since its load began; more than 0. It bounds what a
   * process that dies between its write and its `delete` can leave behind.
   */
  readonly ttlMs: number
  /**
   * How long a near copy is served without asking the far cache, in milliseconds; more than 0:
   * how old a read can be while the bus is down. Default 30,000.
   */
  readonly nearTtlMs?: number | undefined
  /** For how long after that it is served while it is fetched again; default 0. Adds to both. */
  readonly staleMs?: number | undefined
  /** For how long after that it is served if nothing can be loaded; default 0. Adds to both. */
  readonly staleIfErrorMs?: number | undefined
  /** How long it is remembered here that a key has no value, or that its load failed; default 0. */
  readonly negativeTtlMs?: number | ((error: unknown, key: string) => number) | undefined
  /** How long a read may take in all before it fails; default: no limit. */
  readonly loadTimeoutMs?: number | undefined
  /** How long one process may take to load or write a key; more than 0. Default 10,000. */
  readonly leaseMs?: number | undefined
  /**
   * For how long a read waits for another process that loads the key, before it loads it too, in
   * milliseconds; from 0. Default 1,000.
   */
  readonly leaseWaitMs?: number | undefined
  /** How often stores are asked whether an announcement was missed; default 1,000. */
  readonly checkMs?: number | undefined
  /** What ends the parts of a key for `invalidatePrefix`, which needs it. Default none. */
  readonly separator?: string | undefined
  /** How values become text. Default JSON. */
  readonly codec?: Codec<V> | undefined
  /** Hears what happens outside of answers. */
  readonly onEvent?: ((event: LoadingEvent<string>) => void) | undefined
  /** A number in [0, 1), for names and pauses. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** How `set` keeps a value, instead of what the cache's options say. */
export interface TieredSetOptions {
  /** How long it is fresh; more than 0. */
  readonly ttlMs?: number | undefined
  /** What it is tagged with. */
  readonly tags?: readonly string[] | undefined
}
