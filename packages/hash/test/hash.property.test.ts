import { fc, test } from '@fast-check/vitest'
import { beforeAll, describe, expect } from 'vitest'
import xxhash, { type XXHashAPI } from 'xxhash-wasm'
import { Xxh32Stream, xxh32, xxh32Fields, xxh64, xxh64Hex, xxh64Into } from '../src/index.ts'
import { anyBytes, anyInput, anySeed32, anySeed64, anyText } from './hash-input.ts'

let peer: XXHashAPI
const encoder = new TextEncoder()
const toBytes = (input: string | Uint8Array) =>
  typeof input === 'string' ? encoder.encode(input) : input

beforeAll(async () => {
  peer = await xxhash()
})

/** The law of equality, as a check of any function that claims to be XXH32. */
function equalsXxh32(hash: (input: string | Uint8Array, seed: number) => number): void {
  fc.assert(
    fc.property(anyInput, anySeed32, (input, seed) => {
      expect(hash(input, seed)).toBe(peer.h32Raw(toBytes(input), seed))
    }),
    { seed: 20, numRuns: 2000 },
  )
}

/** The law of fields, as a check of any function that hashes several. */
function tellsFieldsApart(hash: (fields: readonly string[]) => number): void {
  const field = fc.string({ unit: fc.constantFrom('a', 'é', '\0', '\x01'), maxLength: 5 })
  const fields = fc.array(field, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fields, fc.nat(15), (fields, at) => {
      const joined = fields.join('')
      const other = [joined.slice(0, at), joined.slice(at)]
      fc.pre(fields.length !== 2 || fields[0] !== other[0])
      expect(hash(other)).not.toBe(hash(fields))
    }),
    { seed: 20, numRuns: 2000 },
  )
}

describe('law of equality', () => {
  test('xxh32 equals xxhash-wasm on arbitrary text, bytes and seeds', () => {
    equalsXxh32(xxh32)
  })

  test.prop([anyInput, anySeed64])('xxh64 equals xxhash-wasm in all forms', (input, seed) => {
    const expected = peer.h64Raw(toBytes(input), seed)
    expect(xxh64(input, seed)).toBe(expected)
    expect(xxh64Hex(input, seed)).toBe(expected.toString(16).padStart(16, '0'))
    const { hi, lo } = xxh64Into(input, { hi: -1, lo: -1 }, seed)
    expect((BigInt(hi) << 32n) | BigInt(lo)).toBe(expected)
  })

  const utf16 = (text: string) => Uint8Array.from(text, (unit) => unit.charCodeAt(0))
  test.each([
    ['takes Latin-1 for UTF-8', (text: string, seed: number) => xxh32(utf16(text), seed)],
    ['normalises', (text: string, seed: number) => xxh32(text.normalize(), seed)],
    [
      'drops lone surrogates',
      (text: string, seed: number) => xxh32(text.replace(/\p{Cs}/gu, ''), seed),
    ],
    ['forgets the seed', (text: string) => xxh32(text)],
    ['returns signed numbers', (text: string, seed: number) => xxh32(text, seed) | 0],
    ['reads from the start of the buffer', (text: string, seed: number) => xxh32(text, seed), true],
  ])('catches a broken twin that %s', (_, twin, breaksBytes = false) => {
    const broken = (input: string | Uint8Array, seed: number) => {
      if (typeof input === 'string') return twin(input, seed)
      return xxh32(breaksBytes ? new Uint8Array(input.buffer, 0, input.length) : input, seed)
    }
    expect(() => equalsXxh32(broken)).toThrow('Property failed')
  })
})

describe('law of concatenation', () => {
  test.prop([fc.array(fc.oneof(anyBytes, anyText), { maxLength: 8 }), anySeed32])(
    'any updates give the hash of their bytes one after another',
    (parts, seed) => {
      const stream = new Xxh32Stream(seed)
      const soFar: number[] = []
      for (const part of parts) {
        stream.update(part)
        soFar.push(...toBytes(part))
        expect(stream.digest()).toBe(peer.h32Raw(Uint8Array.from(soFar), seed))
      }
    },
  )

  test('encodes each update on its own: a pair split over two is two U+FFFD', () => {
    const halves = new Xxh32Stream().update('\ud83d').update('\ude00').digest()
    expect(halves).toBe(xxh32('\ufffd\ufffd'))
    expect(halves).not.toBe(xxh32('😀'))
  })
})

describe('law of fields', () => {
  test('fields that are cut differently hash differently', () => {
    tellsFieldsApart((fields) => xxh32Fields(fields))
  })

  test.prop([fc.array(anyInput, { maxLength: 6 }), anySeed32])(
    'equals XXH32 of each length as 4 little-endian bytes and the bytes',
    (fields, seed) => {
      const plain = fields.flatMap((field) => {
        const bytes = toBytes(field)
        const size = new Uint8Array(4)
        new DataView(size.buffer).setUint32(0, bytes.length, true)
        return [...size, ...bytes]
      })
      const expected = peer.h32Raw(Uint8Array.from(plain), seed)
      expect(xxh32Fields(fields, seed)).toBe(expected)
      const stream = new Xxh32Stream(seed)
      for (const field of fields) stream.field(field)
      expect(stream.digest()).toBe(expected)
    },
  )

  test.each([
    ['just concatenates', (fields: readonly string[]) => xxh32(fields.join(''))],
    ['joins with a separator', (fields: readonly string[]) => xxh32(fields.join('\0'))],
    ['skips empty fields', (fields: readonly string[]) => xxh32Fields(fields.filter(Boolean))],
  ])('catches a broken twin that %s', (_, twin) => {
    expect(() => tellsFieldsApart(twin)).toThrow('Property failed')
  })
})
