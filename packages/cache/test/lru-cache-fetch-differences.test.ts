// Where fetches of the drop-in differ from lru-cache's on purpose: what lru-cache 11.5.3 does and
// what happens here, each case on both.

import { LRUCache as Theirs } from 'lru-cache'
import { describe, expect, test } from 'vitest'
import { LRUCache as Ours } from '../src/lru-cache/lru-cache.ts'

type Fetcher = Theirs.Fetcher<string, number>

/** A fetchMethod whose calls are settled by hand. */
function deferred() {
  const calls: PromiseWithResolvers<number | undefined>[] = []
  const fetchMethod: Fetcher = () => {
    const call = Promise.withResolvers<number | undefined>()
    calls.push(call)
    return call.promise
  }
  return { calls, fetchMethod }
}

const settled = (promises: Promise<unknown>[]) => Promise.allSettled(promises)
const reasons = (results: PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message))

describe('more fetches at once than max', () => {
  const run = async (cache: Theirs<string, number> | Ours<string, number>, calls: unknown[]) => {
    const results = settled(['a', 'b', 'c'].map((key) => cache.fetch(key)))
    const resolvers = calls as PromiseWithResolvers<number | undefined>[]
    for (const [i, call] of resolvers.entries()) call.resolve(i)
    return reasons(await results)
  }

  test('reject as evicted in lru-cache', async () => {
    const { calls, fetchMethod } = deferred()
    const cache = new Theirs<string, number>({ max: 2, fetchMethod })
    expect(await run(cache, calls)).toEqual(['evicted', 1, 2])
  })

  test('all bring their value here', async () => {
    const { calls, fetchMethod } = deferred()
    const cache = new Ours<string, number>({ max: 2, fetchMethod })
    expect(await run(cache, calls)).toEqual([0, 1, 2])
    expect([...cache.keys()]).toEqual(['c', 'b'])
  })
})

describe('a fetch under way', () => {
  test('is an entry in lru-cache and hides the old value', async () => {
    const { calls, fetchMethod } = deferred()
    const cache = new Theirs<string, number>({ max: 1, fetchMethod })
    cache.set('a', 1)
    const refreshed = cache.fetch('a', { forceRefresh: true })
    expect([...cache.keys()]).toEqual([])
    calls[0]!.resolve(2)
    await refreshed
    const fetched = cache.fetch('b')
    expect([cache.size, cache.has('a')]).toEqual([1, false])
    calls[1]!.resolve(3)
    await fetched
  })

  test('is none here, and the old value stays visible', async () => {
    const { calls, fetchMethod } = deferred()
    const cache = new Ours<string, number>({ max: 1, fetchMethod })
    cache.set('a', 1)
    const refreshed = cache.fetch('a', { forceRefresh: true })
    expect([...cache.keys()]).toEqual(['a'])
    calls[0]!.resolve(2)
    await refreshed
    const fetched = cache.fetch('b')
    expect([cache.size, cache.has('a'), cache.getRemainingTTL('b')]).toEqual([1, true, 0])
    calls[1]!.resolve(3)
    await fetched
    expect([...cache.keys()]).toEqual(['b'])
  })
})

describe('purgeStale while a stale entry is fetched anew', () => {
  const clock = { ms: 1 }
  const options = { max: 2, ttl: 5, ttlResolution: 0, perf: { now: () => clock.ms } }
  const run = async (
    cache: Theirs<string, number> | Ours<string, number>,
    calls: PromiseWithResolvers<number | undefined>[],
  ) => {
    clock.ms = 1
    cache.set('a', 1)
    clock.ms = 10
    const results = settled([cache.fetch('a')])
    cache.purgeStale()
    calls[0]!.resolve(2)
    return reasons(await results)
  }

  test('rejects the fetch in lru-cache', async () => {
    const { calls, fetchMethod } = deferred()
    expect(await run(new Theirs({ ...options, fetchMethod }), calls)).toEqual(['deleted'])
  })

  test('leaves the fetch alone here', async () => {
    const { calls, fetchMethod } = deferred()
    const cache = new Ours<string, number>({ ...options, fetchMethod })
    expect(await run(cache, calls)).toEqual([2])
    expect(cache.get('a')).toBe(2)
  })
})

describe('what leaves while it is fetched anew, or because that failed,', () => {
  const run = async (
    make: (
      options: Theirs.OptionsMaxLimit<string, number, unknown>,
    ) => Theirs<string, number> | Ours<string, number>,
  ) => {
    const left: unknown[] = []
    const { calls, fetchMethod } = deferred()
    const dispose = (value: number, key: string, reason: string) => {
      left.push([value, key, reason])
    }
    const cache = make({ max: 5, fetchMethod, dispose })
    cache.set('deleted', 1)
    cache.set('failed', 2)
    const results = settled(
      ['deleted', 'failed'].map((key) => cache.fetch(key, { forceRefresh: true })),
    )
    cache.delete('deleted')
    calls[1]!.reject(new Error('down'))
    expect(reasons(await results)).toEqual(['deleted', 'down'])
    expect(cache.size).toBe(0)
    return left
  }

  test('is not told to dispose in lru-cache', async () => {
    expect(await run((options) => new Theirs(options))).toEqual([])
  })

  test('is told here', async () => {
    expect(await run((options) => new Ours(options))).toEqual([
      [1, 'deleted', 'delete'],
      [2, 'failed', 'fetch'],
    ])
  })
})

describe('what is deleted while it is fetched, with aborts ignored and stale allowed,', () => {
  const options = { max: 2, ignoreFetchAbort: true, allowStaleOnFetchAbort: true }
  const run = async (
    cache: Theirs<string, number> | Ours<string, number>,
    calls: PromiseWithResolvers<number | undefined>[],
  ) => {
    const fetched = cache.fetch('a')
    cache.delete('a')
    calls[0]!.resolve(1)
    await fetched
    await calls[0]!.promise
    await Promise.resolve()
    return cache.get('a')
  }

  test('comes back in lru-cache', async () => {
    const { calls, fetchMethod } = deferred()
    expect(await run(new Theirs({ ...options, fetchMethod }), calls)).toBe(1)
  })

  test('stays deleted here', async () => {
    const { calls, fetchMethod } = deferred()
    expect(await run(new Ours({ ...options, fetchMethod }), calls)).toBeUndefined()
  })
})

describe('an aborted fetch whose method fails later, with stale values allowed,', () => {
  const run = async (
    cache: Theirs<string, number> | Ours<string, number>,
    calls: PromiseWithResolvers<number | undefined>[],
  ) => {
    cache.set('a', 1)
    const { signal, abort } = aborter()
    const first = cache.fetch('a', { forceRefresh: true, signal })
    abort()
    expect(await first).toBe(1)
    calls[0]!.reject(new Error('late'))
    await settled([calls[0]!.promise])
    void cache.fetch('a', { forceRefresh: true })
    return calls.length
  }
  const aborter = () => {
    const controller = new AbortController()
    return { signal: controller.signal, abort: () => controller.abort() }
  }
  const options = { max: 2, allowStaleOnFetchAbort: true }

  test('keeps its key from being fetched again in lru-cache', async () => {
    const { calls, fetchMethod } = deferred()
    expect(await run(new Theirs({ ...options, fetchMethod }), calls)).toBe(1)
  })

  test('is over here', async () => {
    const { calls, fetchMethod } = deferred()
    expect(await run(new Ours({ ...options, fetchMethod }), calls)).toBe(2)
  })
})

describe('a fetchMethod that returns undefined at once', () => {
  const race = (fetched: Promise<unknown>) =>
    Promise.race([fetched, new Promise((resolve) => setImmediate(resolve, 'never'))])

  test('never settles in lru-cache', async () => {
    const cache = new Theirs<string, number>({ max: 1, fetchMethod: () => undefined })
    expect(await race(cache.fetch('a'))).toBe('never')
  })

  test('gives undefined here', async () => {
    const cache = new Ours<string, number>({ max: 1, fetchMethod: () => undefined })
    expect(await race(cache.fetch('a'))).toBeUndefined()
  })
})

describe('a signal that has aborted already', () => {
  const signal = AbortSignal.abort(new Error('gone'))

  test('is ignored by lru-cache', async () => {
    const cache = new Theirs<string, number>({ max: 1, fetchMethod: () => 1 })
    expect(await cache.fetch('a', { signal })).toBe(1)
  })

  test('aborts the fetch here', async () => {
    const cache = new Ours<string, number>({ max: 1, fetchMethod: () => 1 })
    await expect(cache.fetch('a', { signal })).rejects.toThrow('gone')
    expect(cache.size).toBe(0)
  })
})
