// Corners of the drop-in that operations at random seldom reach.

import { describe, expect, test, vi } from 'vitest'
import { LRUCache } from '../src/lru-cache/lru-cache.ts'

const clock = { ms: 1 }
const timing = { ttlResolution: 0, perf: { now: () => clock.ms } }

describe('the drop-in', () => {
  test('does not make room for a stale entry by letting that entry go', () => {
    clock.ms = 1
    const cache = new LRUCache<string, number>({ maxSize: 4, noUpdateTTL: true, ...timing })
    cache.set('a', 1, { ttl: 5, size: 2 }).set('b', 2, { size: 2 })
    clock.ms = 10
    cache.set('a', 3, { size: 3 })
    expect(cache.dump().map(([key]) => key)).toEqual(['a'])
    expect(cache.calculatedSize).toBe(3)
  })

  test('finds the stale entry behind one that was made young again', () => {
    clock.ms = 1
    const cache = new LRUCache<string, number>({ max: 2, ttl: 5, ...timing })
    cache.set('young', 1).set('stale', 2)
    clock.ms = 4
    cache.has('young', { updateAgeOnHas: true })
    clock.ms = 8
    cache.set('new', 3)
    expect([...cache.keys()]).toEqual(['new', 'young'])
  })

  test('keeps out what is larger than the whole, whatever maxEntrySize says', () => {
    const cache = new LRUCache<string, number>({ maxSize: 4, maxEntrySize: 9 })
    cache.set('a', 1, { size: 4 }).set('b', 2, { size: 5 })
    expect([...cache.keys()]).toEqual(['a'])
  })

  test('keeps a stale value while it is fetched anew, also if it is asked for', () => {
    clock.ms = 1
    const fetchMethod = () => new Promise<number>(() => {})
    const cache = new LRUCache<string, number>({ max: 2, ttl: 5, fetchMethod, ...timing })
    cache.set('a', 1)
    clock.ms = 10
    void cache.fetch('a')
    expect([cache.get('a'), cache.get('a', { allowStale: true })]).toEqual([undefined, 1])
    expect(cache.size).toBe(1)
  })

  test('fetches again after an abort that left the old value', async () => {
    let calls = 0
    const fetchMethod = () => {
      calls++
      return new Promise<number>(() => {})
    }
    const cache = new LRUCache<string, number>({
      max: 2,
      noDeleteOnFetchRejection: true,
      fetchMethod,
    })
    cache.set('a', 1)
    const controller = new AbortController()
    const fetched = cache.fetch('a', { forceRefresh: true, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(fetched).rejects.toThrow('enough')
    void cache.fetch('a', { forceRefresh: true })
    expect(calls).toBe(2)
  })

  test('purges what was made young again once it is stale', () => {
    vi.useFakeTimers({ now: 1000, toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    try {
      const perf = { now: () => Date.now() }
      const options = { max: 2, ttl: 5, ttlAutopurge: true, updateAgeOnGet: true, perf }
      const cache = new LRUCache<string, number>({ ...options, ttlResolution: 0 })
      cache.set('a', 1)
      vi.advanceTimersByTime(3)
      cache.get('a')
      vi.advanceTimersByTime(4)
      expect(cache.size).toBe(1)
      vi.advanceTimersByTime(2)
      expect(cache.size).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
