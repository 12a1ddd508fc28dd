// Crockford's base 32: five bits a character, no I, L, O or U; when read, either case, and the
// letters that look like a digit are that digit.
//
//   64 bits    13 characters, the first holds 4 bits       128 bits   26 characters, the first 3
//
// Source: Douglas Crockford, "Base 32 Encoding" (2002), and the ULID specification.

import { type IdCodec, RadixCodec } from './radix-codec.ts'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const SPELLINGS = {
  ...Object.fromEntries([...DIGITS.slice(10)].map((digit) => [digit, digit.toLowerCase()])),
  0: 'oO',
  1: 'iIlL',
}

const CODES: Uint8Array = /* @__PURE__ */ Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))

/** Two words as 13 characters: what the codec does, unrolled, faster than a bigint's toString. */
export function base32OfWords(hi: number, lo: number): string {
  return String.fromCharCode(
    CODES[hi >>> 28]!,
    CODES[(hi >>> 23) & 31]!,
    CODES[(hi >>> 18) & 31]!,
    CODES[(hi >>> 13) & 31]!,
    CODES[(hi >>> 8) & 31]!,
    CODES[(hi >>> 3) & 31]!,
    CODES[((hi << 2) | (lo >>> 30)) & 31]!,
    CODES[(lo >>> 25) & 31]!,
    CODES[(lo >>> 20) & 31]!,
    CODES[(lo >>> 15) & 31]!,
    CODES[(lo >>> 10) & 31]!,
    CODES[(lo >>> 5) & 31]!,
    CODES[lo & 31]!,
  )
}

/** Crockford's base 32: 13 characters for 64 bits, 26 for 128 (a ULID). */
export const base32: IdCodec = /* @__PURE__ */ new RadixCodec(
  'base32',
  DIGITS,
  SPELLINGS,
  base32OfWords,
)
