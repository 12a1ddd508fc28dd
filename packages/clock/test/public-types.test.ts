// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import { type Dvv, type Order, VersionVector } from '../src/index.ts'

test('siblings keep the type of their values', () => {
  expectTypeOf<Dvv<string[]>['values']>().returns.toEqualTypeOf<string[][]>()
  expectTypeOf<Dvv<string>['resolve']>().parameter(0).toEqualTypeOf<(values: string[]) => string>()
})

test('a comparison has four answers', () => {
  expectTypeOf(VersionVector.empty.compare(VersionVector.empty)).toEqualTypeOf<Order>()
  expectTypeOf<Order>().toEqualTypeOf<'equal' | 'before' | 'after' | 'concurrent'>()
})
