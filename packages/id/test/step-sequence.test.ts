import { describe, expect, test } from 'vitest'
import { disjoint, growthPlan, StepSequence } from '../src/index.ts'
import { idErrorOf } from './id-error-of.ts'

describe('a step-K sequence', () => {
  test('counts from its offset by its step', () => {
    const even = new StepSequence({ offset: 2, step: 2 })
    expect([even.next(), even.next(), even.next()]).toEqual([2, 4, 6])
  })

  test.each([
    [-1, 1],
    [0, 1],
    [1, 4],
    [2, 4],
    [3, 4],
    [4, 7],
  ])('goes on after %i with %i', (after, expected) => {
    expect(new StepSequence({ offset: 1, step: 3, after }).next()).toBe(expected)
  })

  test('ends at 2^53', () => {
    const last = new StepSequence({ offset: 1, step: 2, after: Number.MAX_SAFE_INTEGER - 2 })
    expect(last.next()).toBe(Number.MAX_SAFE_INTEGER)
    expect(idErrorOf(() => last.next()).code).toBe('EPOCH_OVERFLOW')
  })

  test.each([
    { offset: -1, step: 1 },
    { offset: 0, step: 0 },
    { offset: 0.5, step: 1 },
    { offset: 0, step: 1, after: -2 },
  ])('with %o is INVALID_OPTION', (options) => {
    expect(idErrorOf(() => new StepSequence(options)).code).toBe('INVALID_OPTION')
  })
})

describe('disjoint', () => {
  test('is about the offsets modulo the gcd of the steps', () => {
    expect(disjoint({ offset: 1, step: 2 }, { offset: 2, step: 2 })).toBe(true)
    expect(disjoint({ offset: 1, step: 2 }, { offset: 2, step: 3 })).toBe(false)
    expect(disjoint({ offset: 1, step: 4 }, { offset: 2, step: 6 })).toBe(true)
    expect(disjoint({ offset: 1, step: 4 }, { offset: 3, step: 6 })).toBe(false)
  })
})

describe('a growth plan', () => {
  test('from two masters to four keeps each on its numbers and splits them', () => {
    const masters = [
      { offset: 1, step: 2 },
      { offset: 2, step: 2 },
    ]
    expect(growthPlan(masters, 3)).toEqual({
      step: 4,
      switches: [
        { offset: 1, step: 4 },
        { offset: 2, step: 4 },
      ],
      starts: [{ offset: 3, step: 4, splitFrom: 0 }],
    })
  })

  test.each([
    ['no masters', [], 1],
    ['fewer than now', [{ offset: 1, step: 1 }], 1],
    [
      'masters that collide',
      [
        { offset: 1, step: 2 },
        { offset: 3, step: 2 },
      ],
      4,
    ],
    [
      'masters of two steps',
      [
        { offset: 1, step: 4 },
        { offset: 2, step: 2 },
      ],
      4,
    ],
  ] as const)('of %s is INVALID_OPTION', (_, masters, count) => {
    expect(idErrorOf(() => growthPlan(masters, count)).code).toBe('INVALID_OPTION')
  })
})
