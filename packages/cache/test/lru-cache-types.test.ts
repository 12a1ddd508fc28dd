// Swapping the import line type-checks: one text of usages, checked against both modules' types by
// `tsc`, and run here. What is assigned across shows that options and functions fit either way.

import { LRUCache as Theirs } from 'lru-cache'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { LRUCache as Ours } from '../src/lru-cache/lru-cache.ts'

interface User {
  readonly name: string
}

class UserCacheOfTheirs extends Theirs<string, User> {
  nameOf(key: string): string | undefined {
    return this.get(key)?.name
  }
}

class UserCacheOfOurs extends Ours<string, User> {
  nameOf(key: string): string | undefined {
    return this.get(key)?.name
  }
}

describe('code written for lru-cache', () => {
  test('can be subclassed alike', () => {
    for (const cache of [new UserCacheOfTheirs({ max: 1 }), new UserCacheOfOurs({ max: 1 })]) {
      cache.set('a', { name: 'Ada' })
      expect(cache.nameOf('a')).toBe('Ada')
    }
  })

  test('hands its options over', async () => {
    const dispose: Theirs.Disposer<string, User> = () => {}
    const fetchMethod: Theirs.Fetcher<string, User, number> = (key, _, { signal, context }) =>
      signal.aborted ? undefined : { name: key + context }
    const options: Theirs.Options<string, User, number> = { max: 5, ttl: 5, dispose, fetchMethod }
    const cache = new Ours<string, User, number>(options)
    expect(await cache.fetch('a', { context: 7 })).toEqual({ name: 'a7' })

    const theirs = new Theirs<string, User, number>({
      max: 5,
      fetchMethod: fetchMethod satisfies Ours.Fetcher<string, User, number>,
    })
    expect(await theirs.forceFetch('a', { context: 7 })).toEqual({ name: 'a7' })
  })

  test('takes ours for theirs where it asks for no more than it uses', () => {
    type Used = 'get' | 'has' | 'peek' | 'delete' | 'clear' | 'pop' | 'purgeStale' | 'dump' | 'load'
    type Shown = 'keys' | 'rkeys' | 'values' | 'entries' | 'size' | 'max' | 'calculatedSize' | 'ttl'
    const used: Pick<Theirs<string, User>, Used | Shown | 'info' | 'getRemainingTTL'> = new Ours<
      string,
      User
    >({ max: 1 })
    const map: Pick<Map<string, User>, 'get' | 'has' | 'delete' | 'clear' | 'size'> = new Ours<
      string,
      User
    >({ max: 1 })
    expect([used.size, map.size]).toEqual([0, 0])
  })

  test('finds its types in the namespace', () => {
    expectTypeOf<Ours.Entry<User>>().toEqualTypeOf<Theirs.Entry<User>>()
    expectTypeOf<Ours.DisposeReason>().toEqualTypeOf<Theirs.DisposeReason>()
    expectTypeOf<Ours.InsertReason>().toEqualTypeOf<Theirs.InsertReason>()
    expectTypeOf<Ours.Disposer<string, User>>().toEqualTypeOf<Theirs.Disposer<string, User>>()
    expectTypeOf<Ours.Inserter<string, User>>().toEqualTypeOf<Theirs.Inserter<string, User>>()
    type Calculator = Theirs.SizeCalculator<string, User>
    expectTypeOf<Ours.SizeCalculator<string, User>>().toEqualTypeOf<Calculator>()
    expectTypeOf<Theirs.OptionsBase<string, User, number>>().toExtend<
      Ours.OptionsBase<string, User, number>
    >()
    expectTypeOf<Theirs.SetOptions<string, User, number>>().toExtend<
      Ours.SetOptions<string, User>
    >()
    expectTypeOf<Ours.SetOptions<string, User>>().toExtend<
      Theirs.SetOptions<string, User, number>
    >()
    expectTypeOf<Theirs.FetchOptions<string, User, number>>().toExtend<
      Ours.FetchOptions<string, User, number>
    >()
  })
})

describe('a context', () => {
  test('must be given if its type asks for one, and may not if that is undefined', async () => {
    const bound = new Ours<string, number, { readonly base: number }>({
      max: 1,
      fetchMethod: (key, _, { context }) => key.length + context.base,
      memoMethod: (key, _, { context }) => key.length * context.base,
    })
    const calls = {
      // @ts-expect-error: the context is missing
      bare: () => bound.fetch('a'),
      // @ts-expect-error: the context is of another type
      wrong: () => bound.memo('a', { context: 3 }),
    }
    expect(Object.keys(calls)).toEqual(['bare', 'wrong'])
    expect(await bound.fetch('a', { context: { base: 2 } })).toBe(3)
    bound.clear()
    expect(bound.memo('ab', { context: { base: 2 } })).toBe(4)

    const free = new Ours<string, number, undefined>({ max: 1, fetchMethod: () => 1 })
    // @ts-expect-error: there is no context
    const given = () => free.fetch('a', { context: 3 })
    expect(typeof given).toBe('function')
    expect(await free.fetch('a')).toBe(1)
  })
})
