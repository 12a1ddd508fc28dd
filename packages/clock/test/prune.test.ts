import { describe, expect, test } from 'vitest'
import { VersionVector } from '../src/index.ts'
import { pruneUnsafe } from '../src/prune.ts'
import { codeOf } from './code-of.ts'

const of = VersionVector.of
const vector = of({ a: 1, b: 2, c: 3, d: 4 })
const times = new Map([
  ['a', 100],
  ['b', 200],
  ['c', 300],
  ['d', 400],
])
const at = (ms: number, options = {}) => {
  return pruneUnsafe(vector, times, {
    ...{ small: 1, big: 3, youngMs: 10, oldMs: 1000, now: () => ms },
    ...options,
  }).toJSON()
}

describe('pruning by the rule of riak', () => {
  test('drops the oldest entries above big', () => {
    expect(at(500)).toEqual({ b: 2, c: 3, d: 4 })
    expect(at(500, { big: 2 })).toEqual({ c: 3, d: 4 })
    expect(at(500, { big: 4 })).toEqual(vector.toJSON())
  })

  test('drops entries that are old, down to small', () => {
    expect(at(1250)).toEqual({ c: 3, d: 4 })
    expect(at(9999)).toEqual({ d: 4 })
    expect(at(9999, { small: 3 })).toEqual({ b: 2, c: 3, d: 4 })
  })

  test('leaves a vector alone whose oldest entry is young', () => {
    expect(at(109)).toEqual(vector.toJSON())
    expect(at(110)).toEqual({ b: 2, c: 3, d: 4 })
  })

  test('leaves small vectors alone, and by default all up to 50 entries', () => {
    expect(at(9999, { small: 4 })).toEqual(vector.toJSON())
    expect(pruneUnsafe(vector, times)).toBe(vector)
    const many = of(Array.from({ length: 60 }, (_, i) => [`r${i}`, 1] as const))
    expect(pruneUnsafe(many, new Map()).size).toBe(50)
  })

  test('orders equal times by id, and takes an entry without a time for the oldest', () => {
    const tied = new Map([
      ['b', 1],
      ['a', 1],
      ['c', 1],
    ])
    const keep = { small: 2, big: 2, youngMs: 0, now: () => 5 }
    expect(pruneUnsafe(vector, tied, keep).toJSON()).toEqual({ b: 2, c: 3 })
  })

  test('is lossy: a descendant comes out as concurrent with its ancestor', () => {
    const ancestor = of({ a: 1, b: 2, c: 3 })
    expect(vector.dominates(ancestor)).toBe(true)
    expect(of(at(500)).compare(ancestor)).toBe('concurrent')
  })

  test.each(['small', 'big', 'youngMs', 'oldMs'])('refuses a bad %s', (name) => {
    for (const value of [-1, Number.NaN, '5']) {
      expect(codeOf(() => at(500, { [name]: value }))).toBe('INVALID_COUNTER')
    }
  })
})
