import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { base32, base58, base62, hex } from '../src/index.ts'
import { idErrorOf } from './id-error-of.ts'

const DIGITS = {
  base32: '0123456789ABCDEFGHJKMNPQRSTVWXYZ',
  base58: '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
  base62: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  hex: '0123456789abcdef',
}
const codecs = [
  { name: 'base32', codec: base32, digits: DIGITS.base32, narrow: 13, wide: 26 },
  { name: 'base58', codec: base58, digits: DIGITS.base58, narrow: 11, wide: 22 },
  { name: 'base62', codec: base62, digits: DIGITS.base62, narrow: 11, wide: 22 },
  { name: 'hex', codec: hex, digits: DIGITS.hex, narrow: 16, wide: 32 },
]

/** The oracle: division by the base. */
function encodeSlowly(value: bigint, digits: string, width: number): string {
  let rest = value
  let text = ''
  for (let i = 0; i < width; i++) {
    text = digits[Number(rest % BigInt(digits.length))]! + text
    rest /= BigInt(digits.length)
  }
  return text
}

const anyBits = (bits: bigint) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** bits - 1n }),
    fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** bits - 1n),
  )

const bytesOf = (value: bigint) =>
  Uint8Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(120 - i * 8)) & 255n))

describe.each(codecs)('$name', ({ codec, digits, narrow, wide }) => {
  test.prop([anyBits(64n)], { numRuns: 300 })(
    'writes 64 bits as division does, and reads them',
    (id) => {
      const text = codec.encode(id)
      expect(text).toBe(encodeSlowly(id, digits, narrow))
      expect(codec.decode(text)).toBe(id)
      expect(codec.encodePair(Number(id >> 32n), Number(id & 0xffffffffn))).toBe(text)
      expect(codec.encode(BigInt.asIntN(64, id))).toBe(text)
    },
  )

  test.prop([anyBits(128n)], { numRuns: 300 })(
    'writes 16 bytes as division does, and reads them',
    (value) => {
      const text = codec.encodeBytes(bytesOf(value))
      expect(text).toBe(encodeSlowly(value, digits, wide))
      expect(codec.decodeBytes(text)).toEqual(bytesOf(value))
    },
  )

  test.prop([anyBits(64n), anyBits(64n)])('texts sort as ids do', (a, b) => {
    const [x, y] = [codec.encode(a), codec.encode(b)]
    expect(x < y).toBe(a < b)
    expect(x === y).toBe(a === b)
  })

  test.prop([fc.string({ unit: 'binary', maxLength: 40 })])(
    'never reads another text as an id',
    (text) => {
      for (const read of [codec.decode.bind(codec), codec.decodeBytes.bind(codec)]) {
        try {
          read(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_ID' })
          continue
        }
        expect([narrow, wide]).toContain(text.length)
      }
    },
  )

  test('refuses what is too large, too long, too short, or not its own', () => {
    const highest = digits.at(-1)!
    const over = (bits: bigint, width: number) => encodeSlowly(2n ** bits, digits, width)
    const texts = ['', highest.repeat(narrow - 1), `${'-'.repeat(narrow)}`, '€'.repeat(narrow)]
    const full = digits.length === 16 ? [] : [over(64n, narrow), highest.repeat(narrow)]
    for (const text of [...texts, ...full, undefined as never, 5 as never]) {
      expect(idErrorOf(() => codec.decode(text)).code).toBe('INVALID_ID')
    }
    if (digits.length !== 16) {
      expect(idErrorOf(() => codec.decodeBytes(over(128n, wide))).code).toBe('INVALID_ID')
    }
    for (const id of [2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(idErrorOf(() => codec.encode(id)).code).toBe('INVALID_ID')
    }
    expect(idErrorOf(() => codec.encodeBytes(new Uint8Array(15))).code).toBe('INVALID_ID')
  })
})

describe('spellings', () => {
  test('of base32 and hex in either case, and letters that look like digits', () => {
    expect(base32.decode('fzzzzzzzzzzzz')).toBe(2n ** 64n - 1n)
    expect(base32.decode('OoIiLl0000000')).toBe(base32.decode('0011110000000'))
    expect(hex.decode('FFFFffffFFFFffff')).toBe(2n ** 64n - 1n)
  })
})

describe('a broken codec is caught', () => {
  test('one of changing width, by the law of order', () => {
    const short = (id: bigint) => encodeSlowly(id, DIGITS.base62, 11).replace(/^0+/u, '')
    expect(short(62n) < short(9n)).toBe(true)
  })
})
