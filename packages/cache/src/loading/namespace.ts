// Rooms in one store: caches that share its bound, each under keys of its own. The name stands
// before the key, written so that it has no colon itself, and a colon ends it: no name and key
// together make the store's key of another name.

import { CacheError, show } from '../cache-error.ts'
import type { CacheLike } from './cache-like.ts'

/**
 * A part of a store for itself: what it holds is under `name`, and nothing else is seen. Several
 * loading caches share one store, and its bound, by one namespace each.
 *
 * Keys are strings. It has no `clear`, since the store cannot tell what is whose; a LoadingCache
 * clears by a generation and needs none.
 *
 * @throws {CacheError} `ERR_CACHE_OPTION` if the name is no string; `ERR_CACHE_KEY`, from its
 * methods, if a key is none.
 * @example
 * const store = new LruCache<string, unknown>({ max: 100_000 })
 * const users = new LoadingCache({ load: loadUser, store: namespaced(store, 'users') })
 * const posts = new LoadingCache({ load: loadPost, store: namespaced(store, 'posts') })
 */
export function namespaced<E>(
  store: CacheLike<string, unknown>,
  name: string,
): CacheLike<string, E> {
  if (typeof name !== 'string') {
    throw new CacheError('ERR_CACHE_OPTION', `name: got ${show(name)}, allowed is a string`)
  }
  const prefix = `${name.replaceAll('%', '%25').replaceAll(':', '%3A')}:`
  const own = (key: string) => {
    if (typeof key === 'string') return prefix + key
    throw new CacheError('ERR_CACHE_KEY', `key: got ${show(key)}, a namespace takes strings only`)
  }
  return {
    get: (key) => store.get(own(key)) as E | undefined,
    set: (key, entry) => void store.set(own(key), entry),
    delete: (key) => store.delete(own(key)),
    peek: (key) =>
      (store.peek === undefined ? store.get(own(key)) : store.peek(own(key))) as E | undefined,
  }
}
