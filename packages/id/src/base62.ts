// Base 62: digits, capitals, small letters, in ASCII order; short ids for URLs, of fixed width, so
// that texts sort: 11 characters for 64 bits, 22 for 128.

import { type IdCodec, RadixCodec } from './radix-codec.ts'

/** Base 62: 11 characters for 64 bits, 22 for 128. Case matters. */
export const base62: IdCodec = /* @__PURE__ */ new RadixCodec(
  'base62',
  '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
)
