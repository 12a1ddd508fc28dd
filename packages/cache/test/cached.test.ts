import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { LruCache } from '../src/index.ts'
import { cached } from '../src/loading/cached.ts'

interface User {
  readonly name: string
}

describe('a cached function', () => {
  test('is called once for equal arguments, by whoever comes first', async () => {
    const calls: unknown[][] = []
    const add = cached(
      async (...numbers: number[]) => {
        calls.push(numbers)
        return numbers.reduce((sum, number) => sum + number, 0)
      },
      { store: new LruCache({ max: 100 }) },
    )
    expect(await Promise.all([add(1, 2), add(1, 2), add(2, 1), add(3), add()])).toEqual([
      ...[3, 3, 3, 3, 0],
    ])
    expect(calls).toEqual([[1, 2], [2, 1], [3], []])
    expect(add.cache.peek(add.keyOf(1, 2))).toBe(3)
    add.cache.delete(add.keyOf(1, 2))
    await add(1, 2)
    expect(calls).toHaveLength(5)
    expect(add.cache.stats().hits).toBe(0)
  })

  test('has the types of the function', () => {
    const find = cached(
      (id: string, _old?: boolean): Promise<User | null> => {
        return Promise.resolve(id === '' ? null : { name: id })
      },
      { store: new Map(), ttlMs: 1000 },
    )
    expectTypeOf(find).parameters.toEqualTypeOf<[string, (boolean | undefined)?]>()
    expectTypeOf(find).returns.toEqualTypeOf<Promise<User | null>>()
    const sync = cached((n: number) => n * 2, { store: new Map(), key: (n) => `n${n}` })
    expectTypeOf(sync).returns.toEqualTypeOf<Promise<number>>()
    expectTypeOf(sync.keyOf).returns.toEqualTypeOf<string>()
    expect(sync.keyOf(3)).toBe('n3')
  })

  test('loads again with the arguments of the call that found it stale', async () => {
    let ms = 0
    let calls = 0
    const options = { store: new Map(), ttlMs: 10, staleMs: 10, monotonic: () => ms }
    const join = cached((a: string, b: string) => `${a}${b}${calls++}`, options)
    expect(await join('x', 'y')).toBe('xy0')
    ms = 15
    expect(await join('x', 'y')).toBe('xy0')
    expect(await join.cache.get(join.keyOf('x', 'y'))).toBe('xy1')
  })

  test('refuses what makes no key, unless a key is given', async () => {
    const options = { store: new Map() }
    const length = cached((list: readonly unknown[] | symbol) => String(list).length, options)
    await expect(length([])).rejects.toThrow('arguments: got an array, allowed are strings')
    await expect(length(Symbol('s'))).rejects.toThrow(CacheError)
    const keyed = cached((list: readonly string[]) => list.length, { ...options, key: String })
    expect(await keyed(['a', 'b'])).toBe(2)
    expect(() => cached(7 as never, options)).toThrow('fn: got 7, allowed is a function')
  })

  const primitive = fc.oneof(
    fc.constantFrom(
      '',
      '[',
      '[]',
      '["a"]',
      '"a"',
      '1',
      '1n',
      'null',
      'undefined',
      'NaN',
      ',',
      '\ud800',
    ),
    fc.constantFrom(0, 1, Number.NaN, Number.POSITIVE_INFINITY, 0.1, 1e21),
    fc.constantFrom(1n, true, false, null, undefined),
  )
  const args = fc.array(primitive, { maxLength: 3 })
  const keyOf = cached((..._: unknown[]) => 0, { store: new Map() }).keyOf

  property.prop([args, args])('tells calls apart exactly if their arguments differ', (a, b) => {
    const trimmed = [a, b].map((list) =>
      list.slice(0, list.findLastIndex((x) => x !== undefined) + 1),
    )
    const [left, right] = trimmed as [unknown[], unknown[]]
    const isSame =
      left.length === right.length && left.every((value, i) => Object.is(value, right[i]))
    expect(Object.is(keyOf(...a), keyOf(...b))).toBe(isSame)
  })
})
