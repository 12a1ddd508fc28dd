import { describe, expect, test } from 'vitest'
import {
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '../src/index.ts'

describe('in a browser', () => {
  const policies = { FifoCache, LfuCache, LruCache, S3FifoCache, SieveCache, TinyLfuCache }

  test.each(Object.entries(policies))('%s keeps its bound and what it knows', (_, Policy) => {
    const cache = new Policy<string | number, number>({ max: 2000, ttlMs: 1e6, stats: true })
    for (let i = 0; i < 10_000; i++) {
      const key = i % 2 === 0 ? i % 3000 : `key ${i % 3000}`
      const value = cache.get(key)
      if (value === undefined) cache.set(key, i % 3000)
      else expect(value).toBe(i % 3000)
    }
    expect(cache.size).toBe(2000)
    const { hits, misses, departures } = cache.stats()
    expect(hits + misses).toBe(10_000)
    expect(misses - departures.evicted).toBe(2000)
  })
})
