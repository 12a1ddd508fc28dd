// Generators of what one may do to a cache, with keys that have tripped others up.

import { fc } from '@fast-check/vitest'

/** What a key may be. */
export type Key = string | number | bigint | symbol | boolean | object

/** One thing to do; every operation has all fields, so that it shrinks without changing kind. */
export interface Operation {
  readonly do: 'get' | 'peek' | 'has' | 'set' | 'delete' | 'wait'
  readonly key: Key
  readonly value: number
  readonly ms: number
}

const object = {}
const symbol = Symbol('key')

/** Pools of keys. */
export const keysOf: {
  /** Two dozen, of every kind; -0 has a test of its own, since lru-cache tells it as such. */
  readonly few: fc.Arbitrary<Key>
  /** Integers, more than a small cache holds. */
  readonly integers: fc.Arbitrary<Key>
} = {
  few: fc.constantFrom<Key[]>(
    ...['', '1', 'a', 'b', 'c', 'd', '__proto__', 'constructor', 'ñ', '\ud800', '\u{1f5ff}'],
    ...[0, 1, 2, -1, 2 ** 31, 0.5, Number.NaN, Number.POSITIVE_INFINITY],
    ...[1n, symbol, object, true, object.toString],
  ),
  integers: fc.integer({ min: 0, max: 40 }),
}

/** Sequences of operations over keys of a pool. */
export function operations(key: fc.Arbitrary<Key>): fc.Arbitrary<Operation[]> {
  const kind = fc.constantFrom(
    ...(['set', 'set', 'set', 'get', 'get', 'peek', 'has', 'delete', 'wait'] as const),
  )
  const value = fc.nat(1000)
  const ms = fc.oneof(fc.nat(10), fc.constantFrom(63, 64, 65, 4096, 300_000))
  return fc.array(fc.record({ do: kind, key, value, ms }), { maxLength: 100, size: 'max' })
}
