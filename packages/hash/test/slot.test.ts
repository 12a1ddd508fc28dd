import { describe, expect, test } from 'vitest'
import { HashError, slotOf, toUnit } from '../src/index.ts'

describe('slotOf', () => {
  // Where data lies, so never to change. From XXH32 of libxxhash 0.8.1, not from this package.
  test.each([
    ['', 16384, 7429],
    ['user:42', 16384, 8087],
    ['user:42', 1, 0],
    ['user:42', 4294967295, 4132429719],
    ['κόσμε', 1024, 287],
    ['__proto__', 4096, 155],
  ])('puts %j of %i slots where it always was', (key, slots, slot) => {
    expect(slotOf(key, slots)).toBe(slot)
  })

  test('puts a string and its UTF-8 into the same slot', () => {
    expect(slotOf(new TextEncoder().encode('κόσμε'), 1024)).toBe(slotOf('κόσμε', 1024))
  })

  test('fills 16 slots evenly', () => {
    const counts = new Array<number>(16).fill(0)
    for (let i = 0; i < 16_000; i++) counts[slotOf(`user:${i}`, 16)]!++
    expect(Math.max(...counts)).toBeLessThan(1150)
    expect(Math.min(...counts)).toBeGreaterThan(850)
  })

  test.each([0, -1, 1.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY, '16', undefined])(
    'refuses %s slots',
    (slots) => {
      expect(() => slotOf('key', slots as number)).toThrow(HashError)
      expect(() => slotOf('key', slots as number)).toThrow(
        `slots must be an integer from 1 to 4294967295, got ${slots}`,
      )
    },
  )
})

describe('toUnit', () => {
  test('is at least 0 and less than 1', () => {
    expect(toUnit(0)).toBe(0)
    expect(toUnit(0x80000000)).toBe(0.5)
    expect(toUnit(0xffffffff)).toBeLessThan(1)
  })
})
