// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import {
  type Cache,
  type CacheLike,
  type Entry,
  LoadingCache,
  LruCache,
  type SieveCache,
  type TieredCache,
} from '../src/index.ts'

interface User {
  readonly name: string
}

test('every policy is a Cache of its keys and values, and so is a Map where one is needed', () => {
  expectTypeOf<LruCache<string, User>>().toExtend<Cache<string, User>>()
  expectTypeOf<SieveCache<number, User>>().toExtend<Cache<number, User>>()
  expectTypeOf<Map<string, Entry<User>>>().toExtend<CacheLike<string, Entry<User>>>()
  const cache = new LruCache<string, User>({ max: 10 })
  expectTypeOf(cache.get('ada')).toEqualTypeOf<User | undefined>()
  // @ts-expect-error a value of another type
  expectTypeOf(() => cache.set('ada', 7)).toBeFunction()
})

test('a loading cache has the type of what it loads', () => {
  const users = new LoadingCache({
    load: async (id: number): Promise<User> => ({ name: `${id}` }),
    store: new Map<number, Entry<User>>(),
    ttlMs: 1_000,
  })
  expectTypeOf(users.get(7)).toEqualTypeOf<Promise<User>>()
  expectTypeOf(users.peek(7)).toEqualTypeOf<User | undefined>()
  expectTypeOf(users.getMany([1, 2])).toEqualTypeOf<Promise<Map<number, User>>>()
})

test('a tiered cache has keys that are text', () => {
  expectTypeOf<TieredCache<User>['get']>().parameter(0).toEqualTypeOf<string>()
  expectTypeOf<TieredCache<User>['get']>().returns.toEqualTypeOf<Promise<User>>()
})
