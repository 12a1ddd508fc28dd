// Hexadecimal of fixed width, small letters; either case when read.

import { type IdCodec, RadixCodec } from './radix-codec.ts'

/** Hexadecimal: 16 characters for 64 bits, 32 for 128. */
export const hex: IdCodec = /* @__PURE__ */ new RadixCodec(
  'hex',
  '0123456789abcdef',
  Object.fromEntries([...'abcdef'].map((digit) => [digit, digit.toUpperCase()])),
)
