// The text that stands for a primary key in memory: one for equal keys, another for any other.

import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { primaryKeyText } from '../src/memory/stored-row.ts'

const text = fc.oneof(
  fc.constantFrom('', '1', 'n1', 's0:', ',', 'a,s1:b', '__proto__', '\0', '\ud800'),
  fc.string({ maxLength: 4 }),
)
const value = fc.oneof(
  text,
  fc.constantFrom(0, -0, 1, 1n, 2 ** 53, 2n ** 53n, 2n ** 53n + 1n, 0.5, -1e300, true, false),
  fc.date({ min: new Date(0), max: new Date(3), noInvalidDate: true }),
  fc.uint8Array({ maxLength: 2 }),
)
const key = fc.tuple(value, value)

/** Whether SQL would take them for the same value. */
function isSame(a: unknown, b: unknown): boolean {
  const isNumber = (one: unknown) => typeof one === 'number' || typeof one === 'bigint'
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b) && integerOf(a) === integerOf(b)
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (a instanceof Uint8Array && b instanceof Uint8Array) return String(a) === String(b)
  return a === b
}

/** Integers exactly; a fraction is told apart by its number already. */
function integerOf(one: unknown): bigint {
  return typeof one === 'bigint' ? one : BigInt(Math.trunc(one as number))
}

const textOf = ([a, b]: readonly unknown[]) => primaryKeyText('t', ['a', 'b'], { a, b })

test.prop([key, key])('keys have one text if and only if they are equal', (one, other) => {
  const areSame = isSame(one[0], other[0]) && isSame(one[1], other[1])
  expect(textOf(one) === textOf(other)).toBe(areSame)
})

test('a key of two texts is not taken for another cut elsewhere', () => {
  expect(textOf(['x,sy', 'z'])).not.toBe(textOf(['x', 'y,sz']))
  expect(textOf(['x', 1])).toBe(textOf(['x', 1n]))
})
