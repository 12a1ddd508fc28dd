// The adapter under the real Keyv.

import Keyv from 'keyv'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LruCache } from '../src/index.ts'
import { KeyvStore } from '../src/keyv.ts'

describe('a KeyvStore', () => {
  test('is taken by Keyv as it is, and does all that Keyv does', async () => {
    const cache = new LruCache<string, unknown>({ max: 100 })
    const errors: unknown[] = []
    const store = new KeyvStore(cache)
    const keyv = new Keyv({ store, namespace: 'n' })
    keyv.on('error', (error) => errors.push(error))
    expect(keyv.store).toBe(store)
    expect(await keyv.set('a', { x: [1] })).toBe(true)
    expect(await keyv.get('a')).toEqual({ x: [1] })
    expect(await keyv.has('a')).toBe(true)
    await keyv.setMany([
      { key: 'b', value: 2 },
      { key: 'c', value: null, ttl: 50_000 },
    ])
    expect(await keyv.getMany(['a', 'b', 'z'])).toEqual([{ x: [1] }, 2, undefined])
    expect(await keyv.hasMany(['b', 'z'])).toEqual([true, false])
    const seen: unknown[] = []
    for await (const entry of keyv.iterator()) seen.push(entry)
    expect(seen).toHaveLength(3)
    expect(seen).toContainEqual(['b', 2])
    expect(await keyv.delete('a')).toBe(true)
    expect(await keyv.delete('a')).toBe(false)
    expect(await keyv.deleteMany(['b', 'z'])).toEqual([true, false])
    expect([...cache.keys()]).toEqual(['n::c'])
    await keyv.disconnect()
    expect(errors).toEqual([])
  })

  test('gives time limits to the cache, which lets the expired go first', async () => {
    let ms = 0
    const cache = new LruCache<string, unknown>({ max: 2, monotonic: () => ms })
    const keyv = new Keyv({ store: new KeyvStore(cache) })
    await keyv.set('live', 1)
    await keyv.set('short', 2, 60_000)
    ms = 59_990
    expect(await keyv.get('short')).toBe(2)
    ms = 60_100
    await keyv.set('new', 3)
    expect([...cache.keys()].toSorted()).toEqual(['live', 'new'])
    expect(await keyv.get('short')).toBe(undefined)
  })

  test('keeps namespaces apart in one cache; clear empties one of them', async () => {
    const cache = new LruCache<string, unknown>({ max: 100 })
    const [a, b] = ['a', 'b'].map((namespace) => {
      return new Keyv({ store: new KeyvStore(cache), namespace })
    }) as [Keyv, Keyv]
    await a.set('k', 1)
    await b.set('k', 2)
    await a.clear()
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, 2])
    const whole = new Keyv({ store: new KeyvStore(cache) })
    await whole.clear()
    expect(cache.size).toBe(0)
  })

  test('deletes what is set with a time that is past; takes no default for no limit', async () => {
    let ms = 0
    const monotonic = () => ms
    const cache = new LruCache<string, unknown>({ max: 9, ttlMs: 10, monotonic })
    const store = new KeyvStore(cache, { now: () => 1000, namespace: 'x' })
    await store.set('a', 1)
    await store.set('b', 2, 1005)
    expect(await store.setMany([{ key: 'c', value: 3, expires: 1000 }])).toEqual([true])
    expect(await store.getMany(['a', 'b', 'c'])).toEqual([1, 2, undefined])
    ms = 20
    expect(await store.getMany(['a', 'b'])).toEqual([1, undefined])
    await store.set('a', 1, 999)
    expect(cache.size).toBe(0)
  })

  test('stands under any cache and nothing else', () => {
    expect(() => new KeyvStore({} as never)).toThrow(CacheError)
    expect(() => new KeyvStore(undefined as never)).toThrow(
      /^cache: got undefined, allowed is a cache of this package, such as new LruCache/,
    )
  })
})
