import { describe, expect, test } from 'vitest'
import { show, toMicros } from '../src/sim-error.ts'

describe('a value in a message', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  test.each([
    ['a "text"', '"a \\"text\\""'],
    [7n, '7n'],
    [() => 1, 'a function'],
    [undefined, 'undefined'],
    [null, 'null'],
    [-0.5, '-0.5'],
    [Symbol('s'), 'Symbol(s)'],
    [{ a: [1] }, '{"a":[1]}'],
    [{ toJSON: () => undefined }, '[object Object]'],
    [cycle, '[object Array]'],
    [new Map([[1n, 1n]]), '{}'],
  ])('is told: %o', (value, told) => {
    expect(show(value)).toBe(told)
  })
})

describe('a span of time', () => {
  test('is rounded to microseconds', () => {
    expect([0, 1, 0.0004, 0.0006, 1e12].map((ms) => toMicros(ms, 'x'))).toEqual([
      ...[0, 1000, 0, 1, 1e15],
    ])
  })

  test.each([-0.001, Number.NaN, 1e12 + 1, '5', undefined])('is refused: %s', (ms) => {
    const allowed = 'delay must be a number of milliseconds from 0 to 1000000000000, got '
    expect(() => toMicros(ms, 'delay')).toThrow(`${allowed}${show(ms)}`)
  })
})
