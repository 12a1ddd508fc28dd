import { describe, expect, test } from 'vitest'
import { CacheError, LruCache } from '../src/index.ts'
import { audit } from './audit.ts'

describe('LruCache', () => {
  test('lets go what was used longest ago', () => {
    const cache = new LruCache<string, number>({ max: 2 })
    cache.set('a', 1).set('b', 2)
    cache.get('a')
    cache.set('c', 3)
    expect([...cache.keys()]).toEqual(['c', 'a'])
    expect(cache.get('b')).toBeUndefined()
  })

  test('grows a column at a time and keeps every entry on the way', () => {
    const cache = new LruCache<string | number, number>({ max: 20_000 })
    for (let i = 0; i < 25_000; i++) {
      cache.set(i % 2 === 0 ? i : `key ${i}`, i)
      if (i % 997 === 0 || (i > 490 && i < 600)) audit(cache)
    }
    expect(cache.size).toBe(20_000)
    for (let i = 5000; i < 25_000; i++) {
      expect(cache.peek(i % 2 === 0 ? i : `key ${i}`)).toBe(i)
    }
  })

  test('removes and finds keys while its index is growing', () => {
    const cache = new LruCache<number, number>({ max: 4096 })
    for (let i = 0; i < 520; i++) cache.set(i, i)
    for (let i = 0; i < 520; i += 3) {
      expect(cache.delete(i)).toBe(true)
      audit(cache)
    }
    for (let i = 0; i < 520; i++) expect(cache.has(i)).toBe(i % 3 !== 0)
  })
})

describe('time limits', () => {
  const at = (cacheOptions: { ttlMs?: number; max?: number } = {}) => {
    const clock = { ms: 0 }
    const left: unknown[] = []
    const cache = new LruCache<string, number>({
      max: 3,
      monotonic: () => clock.ms,
      onEvict: (key, _, reason) => left.push([key, reason]),
      ...cacheOptions,
    })
    return { cache, clock, left }
  }

  test('hold from a clock at 0 and are never cut short', () => {
    const { cache, clock, left } = at({ ttlMs: 10 })
    cache.set('a', 1)
    clock.ms = 10
    expect(cache.get('a')).toBe(1)
    clock.ms = 11
    expect(cache.has('a')).toBe(false)
    expect(cache.size).toBe(1)
    expect(cache.get('a')).toBeUndefined()
    expect(cache.size).toBe(0)
    expect(left).toEqual([['a', 'expired']])
  })

  test('let expired entries leave before any live one', () => {
    const { cache, clock, left } = at()
    cache.set('long', 1)
    cache.set('short', 2, { ttlMs: 5 }).set('other', 3)
    clock.ms = 6
    cache.set('new', 4)
    expect(left).toEqual([['short', 'expired']])
    expect([...cache.keys()]).toEqual(['new', 'other', 'long'])
  })

  test('start anew with every set, and end with Infinity', () => {
    const { cache, clock } = at({ ttlMs: 10 })
    cache.set('a', 1).set('b', 1)
    clock.ms = 8
    cache.set('a', 2)
    cache.set('b', 2, { ttlMs: Number.POSITIVE_INFINITY })
    clock.ms = 18
    expect([...cache.keys()]).toEqual(['b', 'a'])
    clock.ms = 1e12
    expect([...cache.keys()]).toEqual(['b'])
    expect(cache.purge()).toBe(1)
    audit(cache)
  })

  test('say expired of what delete or set finds too late', () => {
    const { cache, clock, left } = at({ ttlMs: 10 })
    cache.set('a', 1)
    clock.ms = 20
    expect(cache.delete('a')).toBe(false)
    cache.set('b', 1)
    clock.ms = 40
    cache.set('b', 2)
    expect(left).toEqual([
      ['a', 'expired'],
      ['b', 'expired'],
    ])
  })

  test.each([1, 63, 64, 65, 4095, 4096, 262_144, 20_000_000, 1e9, 1e11, 1e13])(
    'of %d ms end on time at every level of the wheel',
    (ttlMs) => {
      for (const start of [0, 1, 63, 64, 4095, 4097, 123_456_789]) {
        const { cache, clock } = at({ max: 2 })
        clock.ms = start
        cache.set('live', 0)
        cache.set('a', 1, { ttlMs })
        for (const part of [0.3, 0.9, 0.999, 1]) {
          clock.ms = start + Math.floor(ttlMs * part)
          cache.set('live', 1)
          expect(cache.size).toBe(2)
        }
        clock.ms = start + ttlMs + 1
        cache.set('live', 2)
        expect([...cache.keys()]).toEqual(['live'])
        expect(cache.size).toBe(1)
        audit(cache)
      }
    },
  )

  test('refuse what is no time', () => {
    const { cache } = at()
    for (const ttlMs of [0, -1, Number.NaN, '5' as unknown as number]) {
      expect(() => cache.set('a', 1, { ttlMs })).toThrow(CacheError)
    }
    expect(cache.size).toBe(0)
  })
})

describe('weights', () => {
  test('keep out what is heavier than the whole cache, and nothing else leaves', () => {
    const left: unknown[] = []
    const cache = new LruCache<string, string>({
      maxWeight: 10,
      weigh: (value) => value.length,
      onEvict: (key, value, reason) => left.push([key, value, reason]),
    })
    cache.set('a', '12345').set('b', '12345')
    cache.set('c', '12345678901')
    expect([...cache.keys()]).toEqual(['b', 'a'])
    cache.set('a', '12345678901')
    expect([...cache.keys()]).toEqual(['b'])
    expect(left).toEqual([
      ['c', '12345678901', 'rejected'],
      ['a', '12345', 'replaced'],
      ['a', '12345678901', 'rejected'],
    ])
    expect(cache.weight).toBe(5)
    audit(cache)
  })

  test.each([Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53])(
    'refuse %d and change nothing',
    (weight) => {
      const cache = new LruCache<string, number>({ maxWeight: 10, weigh: (value) => value })
      cache.set('a', 3)
      expect(() => cache.set('a', weight)).toThrow('allowed is a whole number from 0')
      expect(() => cache.set('a', 1, { weight })).toThrow(CacheError)
      expect([...cache]).toEqual([['a', 3]])
      audit(cache)
    },
  )
})
