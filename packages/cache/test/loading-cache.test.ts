// What one reader sees: values, nothing, failures; and the ways of a store.

import { LRUCache } from 'lru-cache'
import { describe, expect, test, vi } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LruCache, TinyLfuCache } from '../src/index.ts'
import type { Entry } from '../src/loading/entry.ts'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import type { LoadingCacheOptions } from '../src/loading/loading-options.ts'
import { fateOf, Rig, settle } from './loading-rig.ts'

describe('a value', () => {
  test('is loaded once and lives from when its load began', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 100 })
    const first = cache.get('a')
    time.pass(30)
    await loads[0]!.bring('1')
    expect(await first).toBe('1')
    time.pass(69)
    expect(await cache.get('a')).toBe('1')
    expect(loads).toHaveLength(1)
    time.pass(1)
    expect(cache.peek('a')).toBeUndefined()
    const second = cache.get('a')
    await loads[1]!.bring('2')
    expect(await second).toBe('2')
  })

  test('that took longer to load than it may live is answered and not again', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 100 })
    const first = cache.get('a')
    time.pass(100)
    await loads[0]!.bring('1')
    expect(await first).toBe('1')
    expect(cache.peek('a')).toBeUndefined()
  })

  test('lives for ever while the clock stands still', async () => {
    const { cache, loads } = new Rig({ ttlMs: 1 })
    const first = cache.get('a')
    await loads[0]!.bring('1')
    expect(await first).toBe('1')
    for (let i = 0; i < 5; i++) expect(await cache.get('a')).toBe('1')
    expect(loads).toHaveLength(1)
  })

  test('can be what a load answers at once, and of any kind but undefined and null', async () => {
    for (const value of [0, '', false, Number.NaN, {}]) {
      let calls = 0
      const load = () => {
        calls++
        return value
      }
      const cache = new LoadingCache<string, unknown>({ load, store: new Map() })
      expect(await cache.get('a')).toBe(value)
      expect(await cache.get('a')).toBe(value)
      expect(calls).toBe(1)
    }
  })

  test('may have any key that a Map may', async () => {
    const cache = new LoadingCache<unknown, unknown>({ load: (key) => [key], store: new Map() })
    const keys = ['__proto__', 'constructor', '', '\ud800', 0, Number.NaN, {}, null, undefined]
    for (const key of keys) expect(await cache.get(key)).toEqual([key])
    for (const key of keys) expect(cache.peek(key)).toEqual([key])
  })

  test('is kept as its load says', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 100 })
    void cache.get('a')
    loads[0]!.context.keep({ ttlMs: 50, staleMs: 10 })
    loads[0]!.context.keep({ ageMs: 20, tags: ['t'] })
    await loads[0]!.bring('1')
    expect(cache.entry('a')).toMatchObject({ freshUntilMs: 30, staleUntilMs: 40, tags: ['t'] })
    time.pass(35)
    expect(cache.peek('a')).toBe('1')
    time.pass(5)
    expect(cache.peek('a')).toBeUndefined()
    expect(() => loads[0]!.context.keep({ ttlMs: 0 })).toThrow(CacheError)
    expect(() => loads[0]!.context.keep({ tags: 't' as never })).toThrow(/tags: got "t"/)
  })

  test('that is set is answered without a load', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 100 })
    cache.set('a', 'x').set('b', 'y', { ttlMs: 10 })
    expect(await cache.get('a')).toBe('x')
    time.pass(10)
    expect([cache.peek('a'), cache.peek('b')]).toEqual(['x', undefined])
    expect(cache.delete('a')).toBe(true)
    expect(cache.delete('a')).toBe(false)
    expect(loads).toHaveLength(0)
  })

  test('that expired by hand is stale from then on', async () => {
    const { cache, loads } = new Rig({ ttlMs: 100, staleMs: 10 })
    expect(cache.expire('a')).toBe(false)
    cache.set('a', 'x')
    expect(cache.expire('a')).toBe(true)
    expect(cache.expire('a')).toBe(false)
    expect(await cache.get('a')).toBe('x')
    await loads[0]!.bring('y')
    expect(cache.peek('a')).toBe('y')
  })

  test('is replaced by refresh, also while it is fresh', async () => {
    const { cache, loads } = new Rig()
    cache.set('a', 'x')
    const refreshed = cache.refresh('a')
    expect(cache.refresh('a')).not.toBe(undefined)
    expect(await cache.get('a')).toBe('x')
    expect(loads).toHaveLength(1)
    expect(loads[0]!.context.stale).toBe('x')
    await loads[0]!.bring('y')
    expect(await refreshed).toBe('y')
    expect(cache.peek('a')).toBe('y')
  })
})

describe('nothing', () => {
  test.each([undefined, null])('(%s) is answered as it is, and not remembered', async (nothing) => {
    const { cache, loads, store } = new Rig<string | undefined | null>({ staleMs: 100 })
    const read = cache.get('a')
    await loads[0]!.bring(nothing)
    expect(await read).toBe(nothing)
    void cache.get('a')
    expect(loads).toHaveLength(2)
    expect(store.size).toBe(0)
  })

  test('is remembered for negativeTtlMs, and never served stale', async () => {
    const rig = new Rig<string | null>({ negativeTtlMs: 50, staleMs: 100, staleIfErrorMs: 100 })
    const { cache, loads, time } = rig
    void cache.get('a')
    time.pass(70)
    await loads[0]!.bring(null)
    time.pass(49)
    expect(await cache.get('a')).toBe(null)
    expect(cache.stats().negativeHits).toBe(1)
    time.pass(1)
    void cache.get('a')
    expect(loads).toHaveLength(2)
  })

  test('takes the place of an old value', async () => {
    const { cache, loads, store, time } = new Rig<string | undefined>({ ttlMs: 10, staleMs: 90 })
    cache.set('a', 'old')
    time.pass(10)
    expect(await cache.get('a')).toBe('old')
    await loads[0]!.bring(undefined)
    expect(store.has('a')).toBe(false)
  })

  test('may be set: that deletes, or is remembered', () => {
    const forgets = new Rig<string | undefined>().cache.set('a', '1').set('a', undefined)
    expect(forgets.entry('a')).toBe(undefined)
    const remembers = new Rig<string | null>().cache.set('a', null, { ttlMs: 5 })
    expect(remembers.entry('a')).toMatchObject({ value: null, freshUntilMs: 5 })
  })
})

describe('a failure', () => {
  test('rejects who waits and is not remembered', async () => {
    const { cache, loads } = new Rig()
    const [one, other] = [cache.get('a'), cache.get('a')]
    const error = new Error('down')
    await loads[0]!.fail(error)
    expect(await fateOf(one)).toEqual({ error })
    expect(await fateOf(other)).toEqual({ error })
    void cache.get('a')
    expect(loads).toHaveLength(2)
  })

  test('thrown at once is as one that is rejected with', async () => {
    const error = new Error('down')
    const load = () => {
      throw error
    }
    const cache = new LoadingCache<string, string>({ load, store: new Map() })
    await expect(cache.get('a')).rejects.toBe(error)
    await expect(cache.get('a')).rejects.toBe(error)
    expect(cache.stats().failures).toBe(2)
  })

  test('is remembered for negativeTtlMs, beside what is known', async () => {
    const error = new Error('down')
    const { cache, loads, time } = new Rig({
      ttlMs: 10,
      staleIfErrorMs: 40,
      negativeTtlMs: (failure) => (failure === error ? 30 : 0),
    })
    cache.set('a', 'old')
    time.pass(10)
    const hidden = cache.get('a')
    await loads[0]!.fail(error)
    expect(await hidden).toBe('old')
    time.pass(29)
    expect(await cache.get('a')).toBe('old')
    expect(loads).toHaveLength(1)
    time.pass(1)
    void cache.get('a').catch(() => {})
    expect(loads).toHaveLength(2)
    time.pass(10)
    await loads[1]!.fail(error)
    await expect(cache.get('a')).rejects.toBe(error)
    expect(loads).toHaveLength(2)
    expect(cache.stats()).toMatchObject({ errorsHidden: 1, failures: 2, negativeHits: 1 })
  })

  test('of negativeTtlMs itself is told, and the answer comes all the same', async () => {
    const negativeTtlMs = () => -1
    const { cache, loads, events } = new Rig<string | null>({ negativeTtlMs })
    const read = cache.get('a')
    await loads[0]!.bring(null)
    expect(await read).toBe(null)
    expect(events.map(({ type }) => type)).toEqual(['store-failed', 'loaded'])
  })
})

describe('the store', () => {
  const stores: [string, LoadingCacheOptions<string, string>['store']][] = [
    ['a Map', new Map()],
    ['an LruCache', new LruCache<string, Entry<string>>({ max: 2 })],
    ['a TinyLfuCache with a weight', new TinyLfuCache({ maxWeight: 9, weigh: () => 1 })],
    ['an lru-cache', new LRUCache<string, Entry<string>>({ max: 2 })],
  ]
  test.each(stores)('may be %s', async (_, store) => {
    const cache = new LoadingCache<string, string>({ load: (key) => `${key}!`, store })
    for (const key of ['a', 'a', 'b', 'c', 'b', 'a']) expect(await cache.get(key)).toBe(`${key}!`)
    cache.set('a', 'x')
    expect(await cache.get('a')).toBe('x')
    cache.delete('a')
    expect(await cache.get('a')).toBe('a!')
    expect(cache.stats().hits).toBeGreaterThan(0)
    cache.clear()
    expect(cache.peek('a')).toBe(undefined)
  })

  test('may evict a key while it is loaded, and refuse what comes', async () => {
    const store = new LruCache<string, Entry<string>>({ maxWeight: 1, weigh: () => 2 })
    const { cache, loads } = new Rig({ store })
    const read = cache.get('a')
    await loads[0]!.bring('1')
    expect(await read).toBe('1')
    expect(store.size).toBe(0)
    const small = new LruCache<string, Entry<string>>({ max: 1 })
    const rig = new Rig({ store: small })
    const reads = ['a', 'b', 'c'].map((key) => rig.cache.get(key))
    small.set('a', rig.cache.set('x', '').entry('x')!)
    for (const load of rig.loads) await load.bring(load.key)
    expect(await Promise.all(reads)).toEqual(['a', 'b', 'c'])
  })

  test('may throw: a load is answered, and its failure told', async () => {
    const broken = () => {
      throw new Error('disk full')
    }
    const store = { get: broken, set: broken, delete: broken }
    const { cache, loads, events } = new Rig({ store })
    const [one, other] = [cache.get('a'), cache.get('a')]
    await loads[0]!.bring('1')
    expect([await one, await other]).toEqual(['1', '1'])
    expect(loads).toHaveLength(1)
    const told = events.map((event) =>
      event.type === 'store-failed' ? event.operation : event.type,
    )
    expect(told).toEqual(['get', 'get', 'set', 'loaded'])
    expect(() => cache.set('a', '2')).toThrow('disk full')
    expect(() => cache.delete('a')).toThrow('disk full')
    expect(cache.peek('a')).toBe(undefined)
  })

  test('may throw when a waiting key is set: its load goes on, and is not kept', async () => {
    const { cache, loads, store } = new Rig()
    const read = cache.get('a')
    vi.spyOn(store, 'set').mockImplementationOnce(() => {
      throw new Error('disk full')
    })
    expect(() => cache.set('a', '2')).toThrow('disk full')
    await loads[0]!.bring('1')
    expect(await read).toBe('1')
    expect(store.size).toBe(0)
  })

  test('may use the cache in turn when an entry leaves', async () => {
    const reads: Promise<string>[] = []
    const store: LruCache<string, Entry<string>> = new LruCache({
      max: 1,
      onEvict: (key) => void (key.length < 4 && reads.push(cache.get(`${key}+`))),
    })
    const load = (key: string) => key
    const cache: LoadingCache<string, string> = new LoadingCache({ load, store })
    expect(await cache.get('a')).toBe('a')
    expect(await cache.get('b')).toBe('b')
    await settle()
    expect(await Promise.all(reads)).toEqual(['a+', 'b+', 'a++', 'b++', 'a+++', 'b+++'])
  })
})
