// Bitcoin's base 58: letters and digits without 0, O, I and l, for ids that people type. Here of
// fixed width, so that texts sort: 11 characters for 64 bits, 22 for 128.

import { type IdCodec, RadixCodec } from './radix-codec.ts'

/** Base 58: 11 characters for 64 bits, 22 for 128. Case matters. */
export const base58: IdCodec = /* @__PURE__ */ new RadixCodec(
  'base58',
  '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
)
