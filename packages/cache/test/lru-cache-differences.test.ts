// Where the drop-in differs from lru-cache on purpose: what lru-cache 11.5.3 does and what happens
// here, each case on both.

import { LRUCache as Theirs } from 'lru-cache'
import { describe, expect, test, vi } from 'vitest'
import { LRUCache as Ours } from '../src/lru-cache/lru-cache.ts'

describe('a set inside dispose of a full cache', () => {
  test('recurses without end in lru-cache', () => {
    let next = 0
    const cache: Theirs<number, number> = new Theirs({
      max: 1,
      dispose: () => void cache.set(next++, 0),
    })
    cache.set(next++, 0)
    expect(() => cache.set(next++, 0)).toThrow(RangeError)
  })

  test('comes to an end here, at most as large as allowed and in order', () => {
    let next = 0
    const told: number[] = []
    const cache: Ours<number, number> = new Ours({
      max: 1,
      dispose: (_, key) => {
        told.push(key)
        expect(cache.has(key)).toBe(false)
        cache.set(next++, 0)
        expect(cache.size).toBe(1)
      },
    })
    cache.set(next++, 0).set(next++, 0)
    expect(told.length).toBeLessThan(1100)
    expect(told).toEqual(told.map((_, i) => i))
  })
})

describe('a listener that throws', () => {
  const dispose = () => {
    throw new Error('listener')
  }

  test('takes lru-cache with it', () => {
    const cache = new Theirs<string, number>({ max: 1, dispose })
    cache.set('a', 1)
    expect(() => cache.set('b', 2)).toThrow('listener')
    expect(() => cache.set('c', 3)).toThrow('listener')
    expect([...cache.keys()]).toEqual(['a'])
  })

  test('harms nothing here', () => {
    const errors: unknown[] = []
    const onError = (error: unknown, key: string) => errors.push([String(error), key])
    const cache = new Ours<string, number>({ max: 1, dispose, onError })
    cache.set('a', 1).set('b', 2).set('c', 3)
    expect([...cache.keys()]).toEqual(['c'])
    expect(errors).toEqual([
      ['Error: listener', 'a'],
      ['Error: listener', 'b'],
    ])
  })
})

describe('when room is needed and an entry is stale', () => {
  const left: unknown[] = []
  const clock = { ms: 1 }
  const options = {
    max: 2,
    ttlResolution: 0,
    perf: { now: () => clock.ms },
    dispose: (_: number, key: string, reason: string) => void left.push([key, reason]),
  }
  const fill = (cache: Theirs<string, number> | Ours<string, number>) => {
    left.length = 0
    clock.ms = 1
    cache.set('live', 1)
    cache.set('stale', 2, { ttl: 5 })
    clock.ms = 10
    cache.set('new', 3)
  }

  test('lru-cache lets a live one go', () => {
    fill(new Theirs<string, number>(options))
    expect(left).toEqual([['live', 'evict']])
  })

  test('the stale one goes here', () => {
    fill(new Ours<string, number>(options))
    expect(left).toEqual([['stale', 'expire']])
  })

  test('one that was made young again does not go here', () => {
    clock.ms = 1
    const cache = new Ours<string, number>({ ...options, updateAgeOnGet: true })
    cache.set('used', 1, { ttl: 5 }).set('other', 2)
    clock.ms = 5
    cache.get('used')
    clock.ms = 9
    cache.set('new', 3)
    expect([...cache.keys()]).toEqual(['new', 'used'])
  })
})

describe('an entry made when the clock reads 0', () => {
  const clock = { ms: 0 }
  const options = { max: 2, ttl: 5, ttlResolution: 0, perf: { now: () => clock.ms } }
  const later = (cache: Theirs<string, number> | Ours<string, number>) => {
    clock.ms = 0
    cache.set('a', 1)
    clock.ms = 1e9
    return cache.get('a')
  }

  test('never expires in lru-cache', () => {
    expect(later(new Theirs<string, number>(options))).toBe(1)
  })

  test('expires here', () => {
    expect(later(new Ours<string, number>(options))).toBeUndefined()
  })
})

describe('a size of 0', () => {
  test('makes lru-cache throw', () => {
    const cache = new Theirs<string, number>({ maxSize: 5, sizeCalculation: () => 0 })
    expect(() => cache.set('a', 1)).toThrow(TypeError)
  })

  test('is a size here', () => {
    const cache = new Ours<string, number>({ maxSize: 5, sizeCalculation: () => 0 })
    expect([cache.set('a', 1).get('a'), cache.calculatedSize]).toEqual([1, 0])
  })
})

describe('disposeAfter of what is evicted, with noDisposeOnSet,', () => {
  const run = (
    make: (options: Theirs.OptionsMaxLimit<string, number, unknown>) => {
      set(key: string, value: number): unknown
    },
  ) => {
    const left: unknown[] = []
    const disposeAfter = (_: number, key: string) => void left.push(key)
    const cache = make({ max: 1, noDisposeOnSet: true, disposeAfter })
    for (const key of ['a', 'b', 'c']) cache.set(key, 1)
    return left
  }

  test('is not called by lru-cache until some later delete', () => {
    expect(run((options) => new Theirs<string, number>(options))).toEqual([])
  })

  test('is called at once here', () => {
    expect(run((options) => new Ours<string, number>(options))).toEqual(['a', 'b'])
  })
})

describe('an entry loaded with half of its time gone, under ttlAutopurge,', () => {
  const sizes = (
    make: (options: Theirs.OptionsMaxLimit<string, number, unknown>) => {
      load(dump: [string, Theirs.Entry<number>][]): void
      readonly size: number
    },
  ) => {
    vi.useFakeTimers({ now: 1000, toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    try {
      const perf = { now: () => Date.now() }
      const cache = make({ max: 3, ttl: 10, ttlAutopurge: true, ttlResolution: 0, perf })
      cache.load([['a', { value: 1, ttl: 10, start: 995 }]])
      return [5, 1, 5].map((ms) => {
        vi.advanceTimersByTime(ms)
        return cache.size
      })
    } finally {
      vi.useRealTimers()
    }
  }

  test('is purged a whole ttl after load by lru-cache', () => {
    expect(sizes((options) => new Theirs<string, number>(options))).toEqual([1, 1, 0])
  })

  test('is purged as soon as it is stale here', () => {
    expect(sizes((options) => new Ours<string, number>(options))).toEqual([1, 0, 0])
  })
})

describe('−0 as a key', () => {
  test('is shown as such by lru-cache', () => {
    const cache = new Theirs<number, number>({ max: 1 })
    cache.set(-0, 1)
    expect([...cache.keys()]).toEqual([-0])
  })

  test('is the key 0 here', () => {
    const cache = new Ours<number, number>({ max: 1 })
    cache.set(-0, 1)
    expect([...cache.keys()]).toEqual([0])
  })
})

describe('an iterator whose cache changes', () => {
  test('ends early in lru-cache if a step uses its key', () => {
    const cache = new Theirs<number, number>({ max: 3 })
    for (const key of [1, 2, 3]) cache.set(key, key)
    const seen: number[] = []
    for (const key of cache.rkeys()) {
      seen.push(key)
      cache.get(key)
    }
    expect(seen).toEqual([1])
  })

  test('shows here what was there at first and still is', () => {
    const cache = new Ours<number, number>({ max: 3 })
    for (const key of [1, 2, 3]) cache.set(key, key)
    const seen: number[] = []
    for (const key of cache.rkeys()) {
      seen.push(key)
      cache.get(key)
      cache.delete(2)
      cache.set(4, 4)
    }
    expect(seen).toEqual([1, 3])
  })
})
