// What every cache of this package can do, whatever its policy, and the words that they share.

/** Why an entry left, as `onEvict` and the statistics tell it. */
export type EvictReason =
  /** The policy chose it to make room, or did not admit it. */
  | 'evicted'
  /** Its time was up. */
  | 'expired'
  /** `set` gave its key another value. */
  | 'replaced'
  /** `delete` took it out. */
  | 'deleted'
  /** `clear` or `load` emptied the cache. */
  | 'cleared'
  /** It weighed more than the whole cache and never came in. */
  | 'rejected'

/** What `set` may be told about one entry. */
export interface EntryOptions {
  /**
   * How long the entry stays, in milliseconds of `monotonic`, instead of the cache's `ttlMs`.
   * More than 0; `Infinity` for as long as the policy likes.
   */
  readonly ttlMs?: number | undefined
  /** What the entry weighs, instead of asking `weigh`: a whole number from 0. */
  readonly weight?: number | undefined
}

/** Counters since the cache was made. */
export interface CacheStats {
  readonly hits: number
  readonly misses: number
  /** `hits / (hits + misses)`, 0 before the first `get`. */
  readonly hitRatio: number
  /** How many entries left, by reason. */
  readonly departures: Readonly<Record<EvictReason, number>>
}

/** The content of a cache as plain data, see {@link Cache.dump}. */
export interface CacheDump<K, V> {
  readonly format: 'ashlar-cache'
  readonly version: 1
  readonly policy: string
  /** From the entry that would leave next to the one that would stay longest. */
  readonly entries: readonly DumpedEntry<K, V>[]
}

/** One entry of a {@link CacheDump}. */
export interface DumpedEntry<K, V> {
  readonly key: K
  readonly value: V
  /** Milliseconds that it had left. */
  readonly ttlMs?: number
  readonly weight?: number
  /** What the policy knew of it; another policy does without. */
  readonly rank?: number
}

/** A bounded map that decides by its policy which entries to keep. */
export interface Cache<K, V> {
  /** The value of a key, or undefined; counts as a use of the entry. */
  get(key: K): V | undefined
  /** The value of a key, or undefined, without counting as a use. */
  peek(key: K): V | undefined
  /** Whether the key has a value that has not expired; does not count as a use. */
  has(key: K): boolean
  /** Gives a key a value, and lets others go where there is no room. */
  set(key: K, value: V, options?: EntryOptions): this
  /** Takes a key out; whether it was there. */
  delete(key: K): boolean
  /** Takes everything out. */
  clear(): void
  /** Sets new limits; where the new ones are smaller, the policy chooses who leaves. */
  resize(limits: { readonly max?: number; readonly maxWeight?: number }): void
  /** Takes out all that has expired; how many. */
  purge(): number
  /** Entries in the cache, those included that have expired unnoticed. */
  readonly size: number
  /** What they weigh together; the same as `size` without `maxWeight`. */
  readonly weight: number
  /** Keys from the entry that would stay longest to the one that would leave next. */
  keys(): IterableIterator<K>
  /** Values in the order of `keys`. */
  values(): IterableIterator<V>
  /** Entries in the order of `keys`; what leaves meanwhile is left out. */
  entries(): IterableIterator<[K, V]>
  [Symbol.iterator](): IterableIterator<[K, V]>
  /** The content as plain data. */
  dump(): CacheDump<K, V>
  /** Replaces the content by that of a dump, its own or another policy's. */
  load(dump: CacheDump<K, V>): void
  /** Counters; needs the option `stats`. */
  stats(): CacheStats
}
