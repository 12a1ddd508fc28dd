// What goes wrong in lru-cache 11.5.3, and goes well here: each case twice.

import { LRUCache } from 'lru-cache'
import { describe, expect, test } from 'vitest'
import { LruCache } from '../src/index.ts'

describe('a set in the listener of a full cache', () => {
  test('recurses without end in lru-cache', () => {
    let next = 0
    const cache: LRUCache<number, number> = new LRUCache({
      max: 1,
      dispose: () => void cache.set(next++, 0),
    })
    cache.set(next++, 0)
    expect(() => cache.set(next++, 0)).toThrow(RangeError)
  })

  test('comes to an end here', () => {
    let next = 0
    const cache: LruCache<number, number> = new LruCache({
      max: 1,
      onEvict: () => void cache.set(next++, 0),
    })
    cache.set(next++, 0)
    cache.set(next++, 0)
    expect(cache.size).toBe(1)
    expect(next).toBeLessThan(1100)
  })
})

describe('a listener that throws', () => {
  test('takes lru-cache with it', () => {
    const cache = new LRUCache<string, number>({
      max: 1,
      dispose: () => {
        throw new Error('listener')
      },
    })
    cache.set('a', 1)
    expect(() => cache.set('b', 2)).toThrow('listener')
    expect(() => cache.set('c', 3)).toThrow('listener')
  })

  test('harms nothing here', () => {
    const errors: unknown[] = []
    const cache = new LruCache<string, number>({
      max: 1,
      onEvict: () => {
        throw new Error('listener')
      },
      onError: (error, key) => errors.push([String(error), key]),
    })
    cache.set('a', 1).set('b', 2).set('c', 3)
    expect([...cache]).toEqual([['c', 3]])
    expect(errors).toEqual([
      ['Error: listener', 'a'],
      ['Error: listener', 'b'],
    ])
  })
})

describe('when room is needed and an entry has expired', () => {
  test('lru-cache lets a live one go', () => {
    let time = 1
    const perf = { now: () => time }
    const cache = new LRUCache<string, number>({ max: 2, ttlResolution: 0, perf })
    cache.set('live', 1)
    cache.set('expired', 2, { ttl: 5 })
    time = 10
    cache.set('new', 3)
    expect(cache.has('live')).toBe(false)
  })

  test('the expired one goes here', () => {
    let time = 1
    const cache = new LruCache<string, number>({ max: 2, monotonic: () => time })
    cache.set('live', 1)
    cache.set('expired', 2, { ttlMs: 5 })
    time = 10
    cache.set('new', 3)
    expect([...cache.keys()]).toEqual(['new', 'live'])
  })
})

describe('an entry made when the clock reads 0', () => {
  test('never expires in lru-cache', () => {
    let time = 0
    const perf = { now: () => time }
    const cache = new LRUCache<string, number>({ max: 2, ttl: 5, ttlResolution: 0, perf })
    cache.set('a', 1)
    time = 1e9
    expect(cache.get('a')).toBe(1)
  })

  test('expires here', () => {
    let time = 0
    const cache = new LruCache<string, number>({ max: 2, ttlMs: 5, monotonic: () => time })
    cache.set('a', 1)
    time = 6
    expect(cache.get('a')).toBeUndefined()
  })
})

describe('an entry of weight 0', () => {
  test('makes lru-cache throw', () => {
    const cache = new LRUCache<string, number>({ maxSize: 5, sizeCalculation: () => 0 })
    expect(() => cache.set('a', 1)).toThrow(TypeError)
  })

  test('is an entry here', () => {
    const cache = new LruCache<string, number>({ maxWeight: 5, weigh: () => 0 })
    expect(cache.set('a', 1).get('a')).toBe(1)
    expect(cache.weight).toBe(0)
  })
})
