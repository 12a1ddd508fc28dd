// A function with a cache before it.

import { CacheError, show } from '../cache-error.ts'
import { LoadingCache } from './loading-cache.ts'
import type { LoadingCacheOptions } from './loading-options.ts'

/** What tells calls apart without a `key` of the user's own. */
export type PrimitiveKey = string | number | bigint | boolean | null | undefined

/** Options of {@link cached}: those of a LoadingCache, and the key of a call. */
export interface CachedOptions<A extends readonly unknown[], V, K>
  extends Omit<LoadingCacheOptions<K, V>, 'load' | 'loadMany'> {
  /**
   * The key of a call. By default a single argument is its own key and several are written one
   * after the other; they must be primitive, no symbols, and missing ones are `undefined`.
   */
  readonly key?: ((...args: A) => K) | undefined
}

/** A function with a cache before it. */
export interface Cached<A extends readonly unknown[], V, K> {
  (...args: A): Promise<V>
  /** The cache, to set, delete, invalidate, count. */
  readonly cache: LoadingCache<K, V>
  /** The key of a call in `cache`. */
  keyOf(...args: A): K
}

/**
 * Puts a LoadingCache before a function: calls with equal arguments are answered from it, and at
 * most one of them calls the function at a time.
 *
 * @param fn what is called for arguments that are not kept
 * @throws {CacheError} as `new LoadingCache` does; a call rejects with `ERR_CACHE_KEY` if its
 * arguments make no key.
 * @example
 * const userOf = cached((id: string) => db.user(id), { store: new LruCache({ max: 1000 }) })
 * await userOf('u1')
 * userOf.cache.delete(userOf.keyOf('u1'))
 */
export function cached<A extends readonly unknown[], V, K = PrimitiveKey>(
  fn: (...args: A) => V | PromiseLike<V>,
  options: CachedOptions<A, NoInfer<V>, K>,
): Cached<A, V, K> {
  const { key, ...rest } = options
  if (typeof fn !== 'function') {
    throw new CacheError('ERR_CACHE_OPTION', `fn: got ${show(fn)}, allowed is a function`)
  }
  const cache = new LoadingCache<K, V>(rest)
  const keyOf = (...args: A): K => {
    if (key !== undefined) return key(...args)
    // K is PrimitiveKey where no `key` is given.
    return keyOfPrimitives(args) as K
  }
  const call = async (...args: A): Promise<V> =>
    cache.get(keyOf(...args), { load: () => fn(...args) })
  return Object.assign(call, { cache, keyOf })
}

/** The key of arguments: no two that differ have the same. */
function keyOfPrimitives(args: readonly unknown[]): PrimitiveKey {
  let count = args.length
  while (count > 0 && args[count - 1] === undefined) count--
  const [first] = args
  // A string that looks like a list of arguments is written as one.
  if (count === 1 && !(typeof first === 'string' && first.startsWith('['))) return primitive(first)
  return `[${args.slice(0, count).map(written).join(',')}]`
}

function written(arg: unknown): string {
  const value = primitive(arg)
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

function primitive(arg: unknown): PrimitiveKey {
  if (arg === null || !['object', 'function', 'symbol'].includes(typeof arg)) {
    return arg as PrimitiveKey
  }
  const given = typeof arg === 'symbol' ? 'a symbol' : show(arg)
  const hint = 'strings, numbers, bigints, booleans, null and undefined; for others give key'
  throw new CacheError('ERR_CACHE_KEY', `arguments: got ${given}, allowed are ${hint}`)
}
