import { describe, expect, test } from 'vitest'
import { CacheError, type CacheOptions, LruCache, SieveCache } from '../src/index.ts'

const code = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(CacheError)
    return error instanceof CacheError && error.code
  }
  return 'nothing thrown'
}

describe('options', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 25, '10', null])(
    'max may not be %s',
    (max) => {
      const options = { max } as CacheOptions<string, number>
      expect(code(() => new LruCache(options))).toBe('ERR_CACHE_MAX')
      const cache = new LruCache<string, number>({ max: 3 }).set('a', 1)
      expect(code(() => cache.resize({ max: max as number }))).toBe('ERR_CACHE_MAX')
      expect([...cache]).toEqual([['a', 1]])
    },
  )

  const weigh = (): number => 1

  test.each<[unknown, string]>([
    [{}, 'ERR_CACHE_MAX'],
    [null, 'ERR_CACHE_OPTION'],
    [{ maxWeight: 10 }, 'ERR_CACHE_OPTION'],
    [{ maxWeight: 0, weigh }, 'ERR_CACHE_MAX_WEIGHT'],
    [{ maxWeight: 0.5, weigh }, 'ERR_CACHE_MAX_WEIGHT'],
    [{ max: 1, weigh }, 'ERR_CACHE_MAX_WEIGHT'],
    [{ max: 1, ttlMs: 0 }, 'ERR_CACHE_TTL'],
    [{ max: 1, ttlMs: Number.NaN }, 'ERR_CACHE_TTL'],
    [{ max: 1, onEvict: 'x' }, 'ERR_CACHE_OPTION'],
    [{ max: 1, monotonic: 5 }, 'ERR_CACHE_OPTION'],
  ])('%o are refused with %s', (options, expected) => {
    const given = options as CacheOptions<string, number>
    expect(code(() => new SieveCache(given))).toBe(expected)
  })

  test('what was not asked for is refused by name', () => {
    const cache = new LruCache<string, number>({ max: 3 })
    expect(() => cache.stats()).toThrow('stats: true')
    expect(code(() => cache.resize({ maxWeight: 5 }))).toBe('ERR_CACHE_MAX_WEIGHT')
  })
})

describe('a broken dump', () => {
  const whole = { format: 'ashlar-cache', version: 1, policy: 'lru', entries: [] }

  test.each([
    [null, 'dump of a dump'],
    [{ ...whole, format: 'x' }, 'format of a dump'],
    [{ ...whole, version: 2 }, 'version of a dump'],
    [{ ...whole, policy: 1 }, 'policy of a dump'],
    [{ ...whole, entries: {} }, 'entries of a dump'],
    [{ ...whole, entries: [null] }, 'entries[0] of a dump'],
    [{ ...whole, entries: [{ key: 1 }] }, 'entries[0] of a dump'],
    [{ ...whole, entries: [{ key: 1, value: 1, ttlMs: -1 }] }, 'entries[0].ttlMs'],
    [{ ...whole, entries: [{ key: 1, value: 1, weight: 0.5 }] }, 'entries[0].weight'],
    [{ ...whole, entries: [{ key: 1, value: 1, rank: -1 }] }, 'entries[0].rank'],
  ])('%o is refused and nothing has changed', (dump, where) => {
    const cache = new LruCache<string, number>({ max: 3 }).set('a', 1)
    expect(() => cache.load(dump as never)).toThrow(where)
    expect([...cache]).toEqual([['a', 1]])
  })

  test('of a policy that knows more is read by one that knows less', () => {
    const sieve = new SieveCache<string, number>({ max: 3 }).set('a', 1).set('b', 2)
    sieve.get('a')
    const cache = new LruCache<string, number>({ max: 3 })
    cache.load(sieve.dump())
    expect([...cache]).toEqual([...sieve])
  })
})
