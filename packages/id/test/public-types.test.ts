// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import { Snowflake, type TicketPool, v4, v7 } from '../src/index.ts'

test('each form of an id is a method with one type', () => {
  expectTypeOf<Snowflake['next']>().returns.toEqualTypeOf<bigint>()
  expectTypeOf<Snowflake['nextString']>().returns.toEqualTypeOf<string>()
  expectTypeOf<Snowflake['nextAsync']>().returns.toEqualTypeOf<Promise<bigint>>()
  expectTypeOf<TicketPool['take']>().returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf(v4).returns.toEqualTypeOf<string>()
  expectTypeOf(v7).returns.toEqualTypeOf<string>()
})

test('a worker id and a lease exclude one another', () => {
  expectTypeOf(new Snowflake({ workerId: 1 })).toEqualTypeOf<Snowflake>()
  // @ts-expect-error a worker id is a number
  expectTypeOf(() => new Snowflake({ workerId: '1' })).toBeFunction()
})
