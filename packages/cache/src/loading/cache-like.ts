// What a LoadingCache needs of the cache underneath: three methods that every cache on npm has.

/**
 * Where entries are kept: a cache of this package, a `Map`, an lru-cache, or anything like it.
 *
 * It may forget what it likes when it likes, refuse what it likes, and throw: a value that was
 * loaded is still answered. What it gives back are the very objects that it was given, no copies:
 * an entry holds a promise, and times of this process.
 */
export interface CacheLike<K, E> {
  get(key: K): E | undefined
  set(key: K, entry: E): unknown
  delete(key: K): unknown
  /** Looks without counting as a use; without it `get` looks. */
  peek?(key: K): E | undefined
  /** Takes everything out. */
  clear?(): void
}
