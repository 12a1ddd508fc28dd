// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import { type BreakerEvents, CircuitBreaker, KeyedBreakers, type Permit } from '../src/index.ts'

test('a call keeps the type of its answer, and a wrapped function its signature', () => {
  const breaker = new CircuitBreaker({ name: 'types' })
  expectTypeOf(breaker.run(async () => 7)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(breaker.runSync(() => 'text')).toEqualTypeOf<string>()
  const find = async (id: number, deep?: boolean) => ({ id, deep })
  expectTypeOf(breaker.wrap(find)).toEqualTypeOf<typeof find>()
  expectTypeOf(breaker.tryAcquire()).toEqualTypeOf<Permit | null>()
})

test('a listener knows its event', () => {
  const breaker = new CircuitBreaker()
  breaker.on('transition', (event) => {
    expectTypeOf(event).toEqualTypeOf<BreakerEvents['transition']>()
  })
  // @ts-expect-error there is no such event
  expectTypeOf(() => breaker.on('opened', () => {})).toBeFunction()
})

test('breakers by key are made from the key', () => {
  const breakers = new KeyedBreakers((key: string) => ({ name: key }), { max: 10 })
  expectTypeOf(breakers.get('a')).toEqualTypeOf<CircuitBreaker>()
})
