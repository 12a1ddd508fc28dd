// The heavy hitters by example.

import { describe, expect, test } from 'vitest'
import { HeavyHitters } from '../src/heavy-hitters.ts'
import { code } from './map-error-code.ts'

describe('heavy hitters', () => {
  test('count exactly while the keys fit', () => {
    const hot = new HeavyHitters({ capacity: 3 })
    for (const key of ['a', '', 'a', '__proto__', 'a', '']) hot.add(key)
    expect(hot.top(2)).toEqual([
      { key: 'a', count: 3, error: 0 },
      { key: '', count: 2, error: 0 },
    ])
    expect(hot.top(9)).toHaveLength(3)
    expect(hot.total).toBe(6)
  })

  test('hand the least counter over to a new key, with what it had as error', () => {
    const hot = new HeavyHitters({ capacity: 2 })
    hot.add('a', 5)
    hot.add('b', 2)
    hot.add('c')
    expect(hot.top(2)).toEqual([
      { key: 'a', count: 5, error: 0 },
      { key: 'c', count: 3, error: 2 },
    ])
    hot.add('b')
    expect(hot.top(2)[1]).toEqual({ key: 'b', count: 4, error: 3 })
  })

  test('work with a single counter', () => {
    const hot = new HeavyHitters({ capacity: 1 })
    for (const key of ['a', 'b', 'b']) hot.add(key)
    expect(hot.top(1)).toEqual([{ key: 'b', count: 3, error: 1 }])
  })

  test('forget everything when cleared', () => {
    const hot = new HeavyHitters({ capacity: 2 })
    for (const key of ['a', 'b', 'c']) hot.add(key)
    hot.clear()
    expect(hot.top(5)).toEqual([])
    expect(hot.total).toBe(0)
    hot.add('c')
    expect(hot.top(5)).toEqual([{ key: 'c', count: 1, error: 0 }])
  })

  test('merge what two counted', () => {
    const [one, two] = [new HeavyHitters({ capacity: 2 }), new HeavyHitters({ capacity: 2 })]
    one.add('a', 5)
    one.add('b', 2)
    two.add('b', 4)
    two.add('c', 3)
    one.merge(two)
    expect(one.top(2)).toEqual(
      [
        { key: 'b', count: 6, error: 0 },
        { key: 'a', count: 8, error: 3 },
      ].toSorted((x, y) => y.count - x.count),
    )
    expect(one.total).toBe(14)
  })

  test('refuse what cannot be counted', () => {
    expect(code(() => new HeavyHitters({ capacity: 0 }))).toBe('INVALID_OPTION')
    expect(code(() => new HeavyHitters({ capacity: 1.5 }))).toBe('INVALID_OPTION')
    const hot = new HeavyHitters()
    expect(hot.capacity).toBe(1024)
    for (const count of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      expect(code(() => hot.add('a', count))).toBe('INVALID_OPTION')
    }
    expect(code(() => hot.add(new Uint8Array(1) as never))).toBe('INVALID_KEY')
    expect(code(() => hot.top(-1))).toBe('INVALID_OPTION')
    expect(code(() => hot.merge(new HeavyHitters({ capacity: 2 })))).toBe('INVALID_OPTION')
    expect(hot.total).toBe(0)
  })
})
