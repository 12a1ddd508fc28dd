import { isDeepStrictEqual } from 'node:util'
import { fc, test as law } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { shown } from '../src/history-error.ts'
import { sameValue, valueKey } from '../src/value-key.ts'

const keys = fc.constantFrom('a', 'b', '', '__proto__', '0', 'é')
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, 1, -1, '', '1', 'a', 'null', '[]', '{"a":1}'),
    fc.array(tie('json'), { maxLength: 2 }),
    fc
      .uniqueArray(fc.tuple(keys, tie('json')), { maxLength: 3, selector: ([key]) => key })
      .map((fields) => Object.fromEntries(fields)),
  ),
}))

/** The same value with the fields of its objects in the other order. */
const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, field]) => [key, turned(field)])
      .reverse(),
  )
}

describe('the key of a value', () => {
  law.prop([json, json], { numRuns: 2000 })('is shared by equal JSON values only', (a, b) => {
    expect(valueKey(a) === valueKey(b)).toBe(isDeepStrictEqual(a, b))
    expect(sameValue(a, b)).toBe(isDeepStrictEqual(a, b))
  })

  law.prop([json])('does not depend on the order of fields', (value) => {
    expect(valueKey(turned(value))).toBe(valueKey(value))
    expect(sameValue(turned(value), value)).toBe(true)
  })

  test('is a number for a number, so that 1 and "1" and 1n are three values', () => {
    expect(valueKey(1)).toBe(1)
    expect(new Set([1, '1', 1n, 2n, [1], true].map(valueKey)).size).toBe(6)
  })

  test('takes what is left out for null, and a field left out for none', () => {
    expect(valueKey(undefined)).toBe(valueKey(null))
    expect(sameValue(undefined, null)).toBe(true)
    expect(sameValue({ a: 1, b: undefined }, { a: 1 })).toBe(true)
    expect(sameValue({ a: null }, {})).toBe(false)
  })

  test('tells not a number from all else, and finds it again', () => {
    expect(sameValue(Number.NaN, Number.NaN)).toBe(true)
    expect(sameValue(Number.NaN, 1)).toBe(false)
    expect(sameValue(1, Number.NaN)).toBe(false)
  })
})

test('a value in an error is its JSON, one line of at most 60 characters', () => {
  expect(shown(undefined)).toBe('nothing')
  expect(shown(() => 1)).toBe('a function')
  expect(shown(Symbol('x'))).toBe('a symbol')
  expect(shown(12n)).toBe('12n')
  expect(shown({ a: ['b\n'] })).toBe('{"a":["b\\n"]}')
  expect(shown('x'.repeat(58))).toBe(`"${'x'.repeat(58)}"`)
  expect(shown('x'.repeat(59))).toBe(`"${'x'.repeat(58)}…`)
})
