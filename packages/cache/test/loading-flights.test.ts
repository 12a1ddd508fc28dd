// Several readers of one key: who waits for what, who leaves, who comes too late.

import { describe, expect, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import { fateOf, Rig, settle } from './loading-rig.ts'

describe('a flight', () => {
  test('is one for a thousand who ask at once', async () => {
    const { cache, loads } = new Rig()
    const reads = Array.from({ length: 1000 }, () => cache.get('a'))
    expect(loads).toHaveLength(1)
    await loads[0]!.bring('1')
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['1']))
    expect(cache.stats()).toMatchObject({ misses: 1000, joins: 999, loads: 1 })
  })

  test('goes on when one of those who wait leaves', async () => {
    const { cache, loads } = new Rig()
    const leaving = new AbortController()
    const left = cache.get('a', { signal: leaving.signal })
    const stays = cache.get('a', { signal: new AbortController().signal })
    leaving.abort(new Error('bye'))
    expect(await fateOf(left)).toEqual({ error: new Error('bye') })
    expect(loads[0]!.context.signal.aborted).toBe(false)
    await loads[0]!.bring('1')
    expect(await stays).toBe('1')
    leaving.abort()
  })

  test('is aborted when all have left, with the reason of the last', async () => {
    const { cache, loads, events } = new Rig()
    const controllers = [new AbortController(), new AbortController()]
    const reads = controllers.map(({ signal }) => cache.get('a', { signal }))
    const { signal } = loads[0]!.context
    for (const [i, controller] of controllers.entries()) controller.abort(i)
    expect(signal.reason).toBe(1)
    expect(await Promise.all(reads.map(fateOf))).toEqual([{ error: 0 }, { error: 1 }])
    await loads[0]!.bring('late')
    expect([cache.peek('a'), events]).toEqual([undefined, []])
  })

  test('that all have left is not joined by who comes in the same tick', async () => {
    const { cache, loads } = new Rig()
    const leaving = new AbortController()
    const left = fateOf(cache.get('a', { signal: leaving.signal }))
    leaving.abort('bye')
    const read = cache.get('a')
    expect(loads).toHaveLength(2)
    await loads[0]!.bring('of the first')
    await loads[1]!.bring('of the second')
    expect([await left, await read]).toEqual([{ error: 'bye' }, 'of the second'])
    expect(cache.peek('a')).toBe('of the second')
  })

  test('is not begun by who has left already', async () => {
    const { cache, loads } = new Rig()
    const signal = AbortSignal.abort('gone')
    cache.set('b', 'x')
    const fates = [cache.get('a', { signal }), cache.get('b', { signal })].map(fateOf)
    expect(await Promise.all([...fates, fateOf(cache.refresh('a', { signal }))])).toEqual(
      new Array(3).fill({ error: 'gone' }),
    )
    await expect(cache.getMany(['a'], { signal })).rejects.toBe('gone')
    expect(loads).toHaveLength(0)
  })

  test('takes no notice of who leaves after the answer', async () => {
    const { cache, loads } = new Rig()
    const controller = new AbortController()
    const read = cache.get('a', { signal: controller.signal })
    await loads[0]!.bring('1')
    controller.abort()
    expect(await read).toBe('1')
    expect(cache.peek('a')).toBe('1')
  })

  test('uses the load of the read that began it', async () => {
    const { cache, loads } = new Rig()
    const own = cache.get('a', { load: (key) => `${key} by my own` })
    expect(await cache.get('a')).toBe('a by my own')
    expect([await own, loads.length]).toEqual(['a by my own', 0])
  })

  test('needs a load', async () => {
    const cache = new LoadingCache<string, string>({ store: new Map() })
    await expect(cache.get('a')).rejects.toThrow(/get: "a" is not there and nothing loads it/)
    await expect(cache.getMany(['a'])).rejects.toThrow(CacheError)
  })
})

describe('a change of a key that is being loaded', () => {
  test('by set: who waits is answered with it, and the load is aborted and not kept', async () => {
    const { cache, loads } = new Rig()
    const read = cache.get('a')
    const { signal } = loads[0]!.context
    cache.set('a', 'new')
    expect([await read, signal.aborted]).toEqual(['new', true])
    await loads[0]!.bring('old')
    expect(await cache.get('a')).toBe('new')
  })

  test('by set, of a batch: the load goes on for the others', async () => {
    const { cache } = batched()
    const reads = cache.getMany(['a', 'b'])
    cache.set('a', 'new')
    expect(Object.fromEntries(await reads)).toEqual({ a: 'new', b: 'b!' })
    expect(cache.peek('a')).toBe('new')
  })

  test('by delete: who waits is answered, who comes later loads again', async () => {
    const { cache, loads, store, events } = new Rig()
    const before = cache.get('a')
    cache.delete('a')
    const after = cache.get('a')
    await loads[0]!.bring('old')
    expect([await fateOf(before), await fateOf(after)]).toEqual(['old', 'waiting'])
    expect(store.size).toBe(0)
    await loads[1]!.bring('new')
    expect(await after).toBe('new')
    expect(events.map(({ type }) => type)).toEqual(['overtaken', 'loaded', 'loaded'])
  })

  test('by delete, in the background: the load is aborted, since nobody waits', async () => {
    const { cache, loads, time, store } = new Rig({ ttlMs: 10, staleMs: 10 })
    cache.set('a', 'old')
    time.pass(10)
    await cache.get('a')
    const { signal } = loads[0]!.context
    cache.delete('a')
    expect(signal.aborted).toBe(true)
    await loads[0]!.bring('late')
    expect(store.size).toBe(0)
  })

  test('by delete or clear, and a failure: nothing hides it or is remembered', async () => {
    for (const change of ['delete', 'clear'] as const) {
      const { cache, loads, time } = new Rig({ ttlMs: 10, staleIfErrorMs: 90, negativeTtlMs: 9 })
      cache.set('a', 'old')
      time.pass(10)
      const read = cache.get('a')
      cache[change]('a')
      await loads[0]!.fail('down')
      expect(await fateOf(read)).toEqual({ error: 'down' })
      expect(cache.entry('a')).toBe(undefined)
    }
  })

  test('by expire: who comes later does not take what was loaded before', async () => {
    const { cache, loads } = new Rig()
    const before = cache.get('a')
    cache.expire('a')
    const after = cache.get('a')
    await loads[0]!.bring('old')
    await loads[1]!.bring('new')
    expect([await before, await after, cache.peek('a')]).toEqual(['old', 'new', 'new'])
  })
})

describe('the time limit of a load', () => {
  test('fails and aborts what does not settle, and ignores it later', async () => {
    const { cache, loads, time } = new Rig({ loadTimeoutMs: 50 })
    const read = cache.get('a')
    const { signal } = loads[0]!.context
    time.pass(50)
    await expect(read).rejects.toMatchObject({
      code: 'ERR_CACHE_LOAD_TIMEOUT',
      message: 'load: "a" took longer than loadTimeoutMs, 50 ms',
    })
    expect(signal.reason).toBeInstanceOf(CacheError)
    const again = cache.get('a')
    await loads[0]!.bring('late')
    expect(await fateOf(again)).toBe('waiting')
    expect(cache.peek('a')).toBe(undefined)
    await loads[1]!.fail('late too')
  })

  test('serves an old value if it may, and tells the load why it was aborted', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 1, staleIfErrorMs: 99, loadTimeoutMs: 50 })
    cache.set('a', 'old')
    time.pass(1)
    const read = cache.get('a')
    const { signal } = loads[0]!.context
    time.pass(50)
    expect(await read).toBe('old')
    expect(signal.reason).toMatchObject({ code: 'ERR_CACHE_LOAD_TIMEOUT' })
  })

  test('leaves no timer behind, however a load ends', async () => {
    const { cache, loads, time } = new Rig({ loadTimeoutMs: 50 })
    const controller = new AbortController()
    void cache.get('a')
    void fateOf(cache.get('b'))
    void fateOf(cache.get('c', { signal: controller.signal }))
    void fateOf(cache.get('d'))
    expect(time.pending).toBe(4)
    await loads[0]!.bring('1')
    await loads[1]!.fail('down')
    controller.abort()
    cache.set('d', '4')
    expect(time.pending).toBe(0)
  })
})

describe('close', () => {
  test('refuses who waits and whoever would have to, and answers what is there', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 10, staleMs: 90, loadTimeoutMs: 50 })
    cache.set('b', 'kept')
    const read = cache.get('a')
    const { signal } = loads[0]!.context
    cache.close()
    cache.close()
    await expect(read).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' })
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' })
    expect([signal.aborted, time.pending]).toEqual([true, 0])
    time.pass(10)
    expect(await cache.get('b')).toBe('kept')
    expect(await cache.getMany(['b'])).toEqual(new Map([['b', 'kept']]))
    await loads[0]!.bring('late')
    expect([cache.peek('a'), loads.length]).toEqual([undefined, 1])
  })

  test('ends loads of keys that have changed meanwhile, and is what `using` calls', async () => {
    const { cache, loads } = new Rig()
    const read = cache.get('a')
    cache.delete('a')
    cache[Symbol.dispose]()
    await expect(read).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' })
    expect(loads[0]!.context.signal.aborted).toBe(true)
  })
})

describe('a load that reads other keys', () => {
  type Needs = Record<string, readonly string[]>
  const reading = (needs: Needs, store = new Map<string, never>()) =>
    new LoadingCache<string, string>({
      load: async (key, { get }) => {
        const parts: string[] = []
        for (const other of needs[key] ?? []) parts.push(await get(other))
        return key + parts.join('')
      },
      store,
    })

  test('is answered from the same cache', async () => {
    const cache = reading({ a: ['b', 'c', 'b'], b: ['c'] })
    expect(await cache.get('a')).toBe('abccbc')
    expect(cache.stats()).toMatchObject({ loads: 3 })
  })

  test('is refused where it waits for itself, and the cycle is named', async () => {
    const cache = reading({ a: ['b'], b: ['c'], c: ['a'] })
    const error = {
      code: 'ERR_CACHE_LOAD_CYCLE',
      cycle: ['a', 'b', 'c', 'a'],
      message:
        'get: loads wait for each other, "a" → "b" → "c" → "a"; let one of them not read the next',
    }
    await expect(cache.get('a')).rejects.toMatchObject(error)
    await expect(reading({ a: ['a'] }).get('a')).rejects.toMatchObject({ cycle: ['a', 'a'] })
  })

  test('is refused also where others began the loads that wait for each other', async () => {
    const needs: Needs = { a: ['x', 'b'], b: ['x', 'c'], c: ['x', 'a'], x: [] }
    const cache = reading(needs)
    const fates = await Promise.all(['a', 'b', 'c'].map((key) => fateOf(cache.get(key))))
    for (const fate of fates)
      expect(fate).toMatchObject({ error: { code: 'ERR_CACHE_LOAD_CYCLE' } })
    needs.c = []
    expect(await cache.get('a')).toBe('axbxc')
  })

  test('may read a key that waits for it as long as there is an old value', async () => {
    const cache = reading({ a: ['b'], b: ['a'] })
    cache.set('b', 'old')
    expect(await cache.get('a')).toBe('aold')
  })

  test('stops to wait when its own readers have left', async () => {
    const rig = new Rig()
    const outer = new LoadingCache<string, string>({
      load: (key, { get, signal }) => (key === 'a' ? get('b') : rig.cache.get(key, { signal })),
      store: new Map(),
    })
    const controller = new AbortController()
    const read = fateOf(outer.get('a', { signal: controller.signal }))
    const { signal } = rig.last.context
    controller.abort('bye')
    expect(await read).toEqual({ error: 'bye' })
    await settle()
    expect(signal.aborted).toBe(true)
  })
})

function batched() {
  const asked: (readonly string[])[] = []
  const cache = new LoadingCache<string, string>({
    loadMany: async (keys) => {
      asked.push(keys)
      await settle()
      return new Map(keys.map((key) => [key, `${key}!`]))
    },
    store: new Map(),
  })
  return { cache, asked }
}
