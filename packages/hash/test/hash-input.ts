// Inputs for the laws: text of every kind of UTF-16 (also broken), of lengths around the places
// where the way of hashing changes, and bytes that start anywhere in their buffer.

import { fc } from '@fast-check/vitest'

const asciiUnit = fc.integer({ min: 0, max: 0x7f })
const anyUnit = fc.oneof(
  asciiUnit,
  fc.integer({ min: 0x80, max: 0x7ff }),
  fc.integer({ min: 0x800, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
)
const lengths = fc.oneof(fc.nat(20), fc.integer({ min: 14, max: 130 }), fc.nat(400))

const textOf = (unit: fc.Arbitrary<number>) =>
  lengths.chain((length) =>
    fc
      .array(unit, { minLength: length, maxLength: length, size: 'max' })
      .map((units) => String.fromCharCode(...units)),
  )

/** ASCII, any UTF-16 units with lone surrogates, and ASCII with one other unit somewhere. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  textOf(asciiUnit),
  textOf(anyUnit),
  fc
    .tuple(textOf(asciiUnit), anyUnit, fc.nat(400))
    .map(([text, unit, at]) => text.slice(0, at) + String.fromCharCode(unit) + text.slice(at)),
  fc.constantFrom('', '__proto__', 'constructor', '\0', 'e\u0301', '\u00e9', '\ufeffbom', '\ud83d'),
)

/** Bytes that are a view into the middle of a larger buffer. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    lengths.chain((n) => fc.uint8Array({ minLength: n, maxLength: n, size: 'max' })),
    fc.nat(9),
  )
  .map(([bytes, offset]) => {
    const buffer = new Uint8Array(bytes.length + offset + 3).fill(0xa5)
    buffer.set(bytes, offset)
    return buffer.subarray(offset, offset + bytes.length)
  })

/** Text or bytes. */
export const anyInput: fc.Arbitrary<string | Uint8Array> = fc.oneof(anyText, anyBytes)

/** 32-bit seeds with their edges. */
export const anySeed32: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
  fc.nat(0xffffffff),
)

/** 64-bit seeds with their edges. */
export const anySeed64: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, 1n, 0xffffffffn, 1n << 32n, (1n << 63n) - 1n, (1n << 64n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
)
