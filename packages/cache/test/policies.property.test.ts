// Each policy beside its slow model, and what holds between caches of different sizes.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '../src/index.ts'
import { insidesOf } from '../src/policy-cache.ts'
import { seeded } from './cache-laws.ts'
import { checkModel, type MakePair } from './model-law.ts'
import { FifoModel, LfuModel, S3FifoModel, SieveModel, TinyLfuModel } from './policy-models.ts'

const pairs: Readonly<Record<string, MakePair>> = {
  FifoCache: (max) => [new FifoCache({ max }), new FifoModel(max)],
  LfuCache: (max) => [new LfuCache({ max }), new LfuModel(max)],
  SieveCache: (max) => [new SieveCache({ max }), new SieveModel(max)],
  S3FifoCache: (max) => [new S3FifoCache({ max, random: seeded() }), new S3FifoModel(max)],
  TinyLfuCache: (max) => {
    const random = seeded()
    const cache = new TinyLfuCache<number, number>({ max, random: seeded() })
    random() // the cache's first is the seed of its hash
    const { store } = insidesOf(cache)
    return [cache, new TinyLfuModel(max, (key) => store.hashOf(key), random)]
  },
}

describe.each(Object.entries(pairs))('%s', (_, make) => {
  test('does what its model does', () => checkModel(make))
})

describe('LRU inclusion', () => {
  const max = fc.integer({ min: 1, max: 8 })
  const keys = fc.array(fc.nat(12), { maxLength: 200, size: 'max' })

  test.prop([max, fc.nat(6), keys])(
    'a larger cache holds all of a smaller',
    (most, more, asked) => {
      const small = new LruCache<number, number>({ max: most })
      const large = new LruCache<number, number>({ max: most + more })
      expect(isIncluded(small, large, asked)).toBe(true)
    },
  )

  test('does not hold for FIFO: Belady’s anomaly', () => {
    const asked = [3, 2, 1, 0, 3, 2, 4, 3, 2, 1, 0, 4]
    const small = new FifoCache<number, number>({ max: 3 })
    expect(isIncluded(small, new FifoCache({ max: 4 }), asked)).toBe(false)
  })

  type Either = LruCache<number, number> | FifoCache<number, number>
  function isIncluded(small: Either, large: Either, asked: readonly number[]): boolean {
    return asked.every((key) => {
      for (const cache of [small, large]) if (cache.get(key) === undefined) cache.set(key, 1)
      const held = new Set(large.keys())
      return [...small.keys()].every((one) => held.has(one))
    })
  }
})
