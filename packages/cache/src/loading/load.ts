// What a user gives to fill a LoadingCache, and what it is given in turn.

/**
 * Loads one key. `undefined` and `null` mean that nothing is there, see `negativeTtlMs`.
 *
 * It may answer at once or by a promise, and throw or reject.
 */
export type Load<K, V> = (key: K, context: LoadContext<K, V>) => V | PromiseLike<V>

/**
 * Loads several keys at once; of a key that its answer leaves out, nothing is there. An array has
 * the values in the order of the keys.
 */
export type LoadMany<K, V> = (
  keys: readonly K[],
  context: LoadManyContext<K, V>,
) => LoadedMany<K, V> | PromiseLike<LoadedMany<K, V>>

/** What {@link LoadMany} answers. */
export type LoadedMany<K, V> = ReadonlyMap<K, V> | readonly V[]

/** What a load may use. */
export interface LoadManyContext<K, V> {
  /** Aborts when all who wait have left, when the load takes too long, and on `close`. */
  readonly signal: AbortSignal
  /**
   * Reads another key of the same cache, as long as this load is wanted. The cache's own `get` does
   * not know who reads: loads that wait for each other by it wait until `loadTimeoutMs`.
   *
   * @throws {LoadCycleError} if that key is, directly or not, waiting for this one.
   */
  get(key: K): Promise<V>
  /**
   * Says how the result is to be kept; a later call adds to an earlier one.
   *
   * @param key Of a batch, the key that is meant; default all.
   * @throws {CacheError} `ERR_CACHE_TTL`, `ERR_CACHE_OPTION`
   */
  keep(options: KeepOptions, key?: K): void
}

/** What the load of one key may use. */
export interface LoadContext<K, V> extends LoadManyContext<K, V> {
  /** The value that this load is to replace, as long as it is known: for conditional requests. */
  readonly stale: V | undefined
}

/** How one value is kept, instead of what the cache's options say. */
export interface KeepOptions {
  /** How long it is fresh; more than 0, `Infinity` for as long as the store likes. */
  readonly ttlMs?: number | undefined
  /** For how long after that it is answered while it is loaded again; from 0. */
  readonly staleMs?: number | undefined
  /** For how long after that it is answered if a load fails; from 0. */
  readonly staleIfErrorMs?: number | undefined
  /** What it is tagged with, see `invalidateTag`. */
  readonly tags?: readonly string[] | undefined
  /** How old it is already, counted against all of the above; from 0, default 0. */
  readonly ageMs?: number | undefined
}
