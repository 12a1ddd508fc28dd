// Many keys at once.

import { describe, expect, test } from 'vitest'
import type { LoadedMany, LoadManyContext } from '../src/loading/load.ts'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import type { LoadingCacheOptions } from '../src/loading/loading-options.ts'
import { fateOf, ManualTime, Rig, settle } from './loading-rig.ts'

interface Batch {
  readonly keys: readonly string[]
  readonly context: LoadManyContext<string, string>
  bring(loaded: unknown): Promise<void>
  fail(error: unknown): Promise<void>
}

function rigged(options: Partial<LoadingCacheOptions<string, string>> = {}) {
  const time = new ManualTime()
  const batches: Batch[] = []
  const cache = new LoadingCache<string, string>({
    loadMany: (keys, context) =>
      new Promise<LoadedMany<string, string>>((resolve, reject) => {
        const bring = (loaded: unknown) => {
          resolve(loaded as LoadedMany<string, string>)
          return settle()
        }
        const fail = (error: unknown) => {
          reject(error)
          return settle()
        }
        batches.push({ keys, context, bring, fail })
      }),
    store: new Map(),
    monotonic: time.monotonic,
    timers: time.timers,
    ...options,
  })
  return { cache, batches, time }
}

const upper = (keys: readonly string[]) => new Map(keys.map((key) => [key, key.toUpperCase()]))

describe('getMany', () => {
  test('loads what is not there in one call, each key once, and keeps the order', async () => {
    const { cache, batches } = rigged()
    cache.set('b', 'set')
    const read = cache.getMany(['c', 'b', 'a', 'c', 'a'])
    expect(batches.map(({ keys }) => keys)).toEqual([['c', 'a']])
    await batches[0]!.bring(
      new Map([
        ['a', 'A'],
        ['c', 'C'],
        ['z', 'Z'],
      ]),
    )
    expect([...(await read)]).toEqual([
      ['c', 'C'],
      ['b', 'set'],
      ['a', 'A'],
    ])
    expect([cache.peek('c'), cache.peek('z')]).toEqual(['C', undefined])
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 2, loads: 1 })
  })

  test('leaves out what is not there', async () => {
    const { cache, batches } = rigged()
    const read = cache.getMany(['a', 'b'])
    const joined = cache.get('b')
    await batches[0]!.bring(new Map([['a', 'A']]))
    expect(await read).toEqual(new Map([['a', 'A']]))
    expect(await joined).toBe(undefined)
  })

  test('waits for keys that are being loaded, and loads only the others', async () => {
    const { cache, batches } = rigged()
    const single = cache.get('a')
    const some = cache.getMany(['a', 'b'])
    const others = cache.getMany(['b', 'c', 'a'])
    expect(batches.map(({ keys }) => keys)).toEqual([['a'], ['b'], ['c']])
    for (const { keys, bring } of batches) await bring(upper(keys))
    expect([await single, ...(await some).values(), ...(await others).values()]).toEqual([
      ...['A', 'A', 'B'],
      ...['B', 'C', 'A'],
    ])
    expect(cache.stats().joins).toBe(3)
  })

  test('takes an array in the order of the keys, and nothing for no keys', async () => {
    const { cache, batches } = rigged()
    const read = cache.getMany(new Set(['a', 'b']))
    await batches[0]!.bring(['x', 'y'])
    expect(Object.fromEntries(await read)).toEqual({ a: 'x', b: 'y' })
    expect(await cache.getMany([])).toEqual(new Map())
    expect(batches).toHaveLength(1)
  })

  test.each([[['x']], [undefined], [{ a: 'x', b: 'y' }], ['xy']])(
    'refuses %j from loadMany, by name',
    async (loaded) => {
      const { cache, batches } = rigged()
      const read = cache.getMany(['a', 'b'])
      const fate = fateOf(read)
      await batches[0]!.bring(loaded)
      expect(await fate).toMatchObject({ error: { code: 'ERR_CACHE_LOAD_MANY' } })
      expect(cache.peek('a')).toBe(undefined)
    },
  )

  test('answers with old values at once, and loads all of them again in one call', async () => {
    const { cache, batches, time } = rigged({ ttlMs: 10, staleMs: 10 })
    for (const key of ['a', 'b']) cache.set(key, 'old')
    time.pass(10)
    cache.set('c', 'new')
    expect([...(await cache.getMany(['a', 'b', 'c'])).values()]).toEqual(['old', 'old', 'new'])
    expect(batches.map(({ keys }) => keys)).toEqual([['a', 'b']])
    await batches[0]!.bring(upper(['a', 'b']))
    expect(cache.peek('b')).toBe('B')
  })

  test('rejects as soon as one key fails, unless an old value may be answered', async () => {
    const { cache, batches, time } = rigged({ ttlMs: 10, staleIfErrorMs: 10 })
    cache.set('a', 'old')
    time.pass(10)
    const mixed = fateOf(cache.getMany(['a', 'b']))
    const onlyOld = cache.getMany(['a'])
    await batches[0]!.fail('down')
    expect(await mixed).toEqual({ error: 'down' })
    expect(await onlyOld).toEqual(new Map([['a', 'old']]))
  })

  test('rejects with a failure that is remembered, and loads nothing', async () => {
    const { cache, batches } = rigged({ negativeTtlMs: 10 })
    const read = fateOf(cache.get('a'))
    await batches[0]!.fail('down')
    await read
    await expect(cache.getMany(['b', 'a'])).rejects.toBe('down')
    expect(batches).toHaveLength(1)
  })

  test('is aborted when nobody waits for any of its keys', async () => {
    const { cache, batches } = rigged()
    const [one, other] = [new AbortController(), new AbortController()]
    const many = fateOf(cache.getMany(['a', 'b'], { signal: one.signal }))
    const single = fateOf(cache.get('b', { signal: other.signal }))
    const { signal } = batches[0]!.context
    one.abort('first')
    expect(signal.aborted).toBe(false)
    void cache.get('a')
    expect(batches.map(({ keys }) => keys)).toEqual([['a', 'b'], ['a']])
    other.abort('second')
    expect([signal.reason, await many, await single]).toEqual([
      'second',
      { error: 'first' },
      { error: 'second' },
    ])
  })

  test('fails every key at its time limit', async () => {
    const { cache, batches, time } = rigged({ loadTimeoutMs: 5 })
    const fates = [fateOf(cache.getMany(['a', 'b'])), fateOf(cache.get('b'))]
    time.pass(5)
    for (const fate of await Promise.all(fates)) {
      expect(fate).toMatchObject({ error: { code: 'ERR_CACHE_LOAD_TIMEOUT' } })
    }
    await batches[0]!.bring(upper(['a', 'b']))
    expect(cache.peek('a')).toBe(undefined)
  })

  test('lets a batch say how all, or one, of its keys are to be kept', async () => {
    const { cache, batches } = rigged()
    void cache.getMany(['a', 'b'])
    const { keep } = batches[0]!.context
    keep({ ttlMs: 10 })
    keep({ ttlMs: 20, tags: ['t'] }, 'b')
    await batches[0]!.bring(upper(['a', 'b']))
    expect(cache.entry('a')).toMatchObject({ freshUntilMs: 10, tags: [] })
    expect(cache.entry('b')).toMatchObject({ freshUntilMs: 20, tags: ['t'] })
  })

  test('finds a cycle through a batch', async () => {
    const cache = new LoadingCache<string, string>({
      load: (_, { get }) => get('b'),
      loadMany: async (keys, { get }) => {
        await settle()
        return [await get('x'), ...keys.slice(1)]
      },
      store: new Map(),
    })
    await expect(cache.getMany(['a', 'b'])).rejects.toMatchObject({ cycle: ['b', 'x', 'b'] })
  })

  test('without loadMany loads each key by load, all at once', async () => {
    const { cache, loads } = new Rig()
    const read = cache.getMany(['a', 'b', 'a'])
    expect(loads.map(({ key }) => key)).toEqual(['a', 'b'])
    for (const load of loads) await load.bring(`${load.key}!`)
    expect(Object.fromEntries(await read)).toEqual({ a: 'a!', b: 'b!' })
  })

  test('loads no key twice where a load reads another of the keys at once', async () => {
    const asked: string[] = []
    const single: LoadingCache<string, string> = new LoadingCache<string, string>({
      load: (key) => {
        asked.push(key)
        return key === 'a' ? single.get('b') : 'x'
      },
      store: new Map(),
    })
    expect([...(await single.getMany(['a', 'b'])).values()]).toEqual(['x', 'x'])
    expect(asked).toEqual(['a', 'b'])
  })

  test('loads no key twice where a load in the background reads one of them at once', async () => {
    const asked: (readonly string[])[] = []
    const time = new ManualTime()
    const many: LoadingCache<string, string> = new LoadingCache<string, string>({
      loadMany: (keys) => {
        asked.push(keys)
        if (keys.includes('old')) void many.get('a')
        return upper(keys)
      },
      store: new Map(),
      ttlMs: 10,
      staleMs: 10,
      monotonic: time.monotonic,
    })
    many.set('old', 'x')
    time.pass(10)
    const read = await many.getMany(['old', 'a', 'b'])
    expect(Object.fromEntries(read)).toEqual({ old: 'x', a: 'A', b: 'B' })
    expect(asked).toEqual([['old'], ['a'], ['b']])
  })
})
