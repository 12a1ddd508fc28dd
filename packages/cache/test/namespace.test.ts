import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LruCache } from '../src/index.ts'
import type { CacheLike } from '../src/loading/cache-like.ts'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import { namespaced } from '../src/loading/namespace.ts'

describe('namespaces', () => {
  test('let caches share one store and its bound, each for itself', async () => {
    const store = new LruCache<string, unknown>({ max: 3 })
    const load = (suffix: string) => async (key: string) => key + suffix
    const users = new LoadingCache({ load: load('u'), store: namespaced(store, 'users') })
    const posts = new LoadingCache({ load: load('p'), store: namespaced(store, 'posts') })
    expect(await Promise.all([users.get('1'), posts.get('1')])).toEqual(['1u', '1p'])
    expect([...store.keys()]).toEqual(['posts:1', 'users:1'])
    users.clear()
    expect([users.peek('1'), posts.peek('1')]).toEqual([undefined, '1p'])
    posts.delete('1')
    for (const key of ['1', '2', '3', '4']) await users.get(key)
    expect(store.size).toBe(3)
  })

  test('take strings only, and look without counting as a use where the store can', () => {
    const store = new LruCache<string, unknown>({ max: 2 })
    const room = namespaced<number>(store, 'a')
    room.set('x', 1)
    room.set('y', 2)
    expect([room.peek?.('x'), room.peek?.('z'), room.get('y')]).toEqual([1, undefined, 2])
    room.set('z', 3)
    expect(room.get('x')).toBe(undefined)
    expect(namespaced<number>(new Map([['a:x', 1]]), 'a').peek?.('x')).toBe(1)
    expect(() => room.get(7 as never)).toThrow('key: got 7, a namespace takes strings only')
    expect(() => namespaced(store, 7 as never)).toThrow(CacheError)
  })

  test('never meet, whatever names and keys', () => checkApart(namespaced))

  test('are caught where they meet: names put before keys as they are', () => {
    const joined: typeof namespaced = (store, name) =>
      namespacedBy(store, (key) => `${name}:${key}`)
    const nameless: typeof namespaced = (store) => namespacedBy(store, (key) => key)
    for (const twin of [joined, nameless]) expect(() => checkApart(twin)).toThrow()
  })
})

/** What is set under one name is found under it and under no other. */
function checkApart(make: typeof namespaced): void {
  const text = fc.string({ unit: fc.constantFrom(':', '%', 'a'), maxLength: 3 })
  const apart = fc.property(text, text, text, text, (name, key, otherName, otherKey) => {
    const store = new Map<string, unknown>()
    make(store, name).set(key, 1)
    const found = make(store, otherName).get(otherKey)
    return (found === 1) === (name === otherName && key === otherKey)
  })
  fc.assert(apart, { seed: 1, numRuns: 5000 })
}

function namespacedBy<E>(
  store: CacheLike<string, unknown>,
  own: (key: string) => string,
): CacheLike<string, E> {
  return {
    get: (key) => store.get(own(key)) as E | undefined,
    set: (key, entry) => store.set(own(key), entry),
    delete: (key) => store.delete(own(key)),
  }
}
