// The 36 characters of a UUID from its 16 bytes, in one piece: a string built from char codes is
// flat (56 bytes) where joined pieces stay a tree (480 bytes), and tables of whole bytes are slower
// for their cache misses. Reading takes the spellings that people use.

import { describe, IdError } from './id-error.ts'

/** Characters of 0 to f. */
const HEX: Uint8Array = /* @__PURE__ */ Uint8Array.from('0123456789abcdef', (digit) =>
  digit.charCodeAt(0),
)
const DASH = 45

/** The canonical text of the 16 bytes from `at` on; the caller sees to it that they are there. */
export function uuidText(bytes: Uint8Array, at: number): string {
  const hex = HEX
  return String.fromCharCode(
    hex[bytes[at]! >> 4]!,
    hex[bytes[at]! & 15]!,
    hex[bytes[at + 1]! >> 4]!,
    hex[bytes[at + 1]! & 15]!,
    hex[bytes[at + 2]! >> 4]!,
    hex[bytes[at + 2]! & 15]!,
    hex[bytes[at + 3]! >> 4]!,
    hex[bytes[at + 3]! & 15]!,
    DASH,
    hex[bytes[at + 4]! >> 4]!,
    hex[bytes[at + 4]! & 15]!,
    hex[bytes[at + 5]! >> 4]!,
    hex[bytes[at + 5]! & 15]!,
    DASH,
    hex[bytes[at + 6]! >> 4]!,
    hex[bytes[at + 6]! & 15]!,
    hex[bytes[at + 7]! >> 4]!,
    hex[bytes[at + 7]! & 15]!,
    DASH,
    hex[bytes[at + 8]! >> 4]!,
    hex[bytes[at + 8]! & 15]!,
    hex[bytes[at + 9]! >> 4]!,
    hex[bytes[at + 9]! & 15]!,
    DASH,
    hex[bytes[at + 10]! >> 4]!,
    hex[bytes[at + 10]! & 15]!,
    hex[bytes[at + 11]! >> 4]!,
    hex[bytes[at + 11]! & 15]!,
    hex[bytes[at + 12]! >> 4]!,
    hex[bytes[at + 12]! & 15]!,
    hex[bytes[at + 13]! >> 4]!,
    hex[bytes[at + 13]! & 15]!,
    hex[bytes[at + 14]! >> 4]!,
    hex[bytes[at + 14]! & 15]!,
    hex[bytes[at + 15]! >> 4]!,
    hex[bytes[at + 15]! & 15]!,
  )
}

/**
 * The 16 bytes of a UUID in any of four spellings, in either case: with hyphens, as 32 hexadecimal
 * digits, in braces, or as urn:uuid. Any 128 bits pass; {@link validate} asks for more.
 *
 * @param text in one of those spellings
 * @throws IdError INVALID_ID for anything else.
 *
 * @example
 * parse('{6ba7b810-9dad-11d1-80b4-00c04fd430c8}')[0] // 0x6b
 */
export function parse(text: string): Uint8Array {
  const match = typeof text === 'string' ? SPELLINGS.exec(text) : null
  if (match === null) refuseUuid(text)
  const digits = match.slice(1).join('')
  const bytes = new Uint8Array(16)
  for (let i = 0; i < 16; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16)
  return bytes
}

/**
 * The canonical text of 16 bytes.
 *
 * @param offset where they begin; default 0
 * @throws IdError INVALID_ID unless 16 bytes are there.
 * @example
 * stringify(parse(namespaces.dns)) === namespaces.dns // → true
 */
export function stringify(bytes: Uint8Array, offset = 0): string {
  requireRoom(bytes, offset)
  return uuidText(bytes, offset)
}

/** Throws INVALID_ID unless the array has 16 bytes from `offset` on. */
export function requireRoom(bytes: Uint8Array, offset: number): void {
  if (Number.isInteger(offset) && offset >= 0 && offset + 16 <= bytes?.length) return
  throw new IdError(
    'INVALID_ID',
    `a UUID needs 16 bytes from the offset on, got offset ${describe(offset)} in an array of ` +
      `${describe(bytes?.length)} bytes`,
  )
}

/** Throws INVALID_ID. */
export function refuseUuid(given: unknown, allowed = 'a UUID'): never {
  throw new IdError('INVALID_ID', `expected ${allowed}, got ${describe(given)}`)
}

const SPELLINGS: RegExp = /* @__PURE__ */ spellings()

/** Without the flag u, for with i and u together U+017F and U+212A would count as s and k. */
function spellings(): RegExp {
  const [d4, d8, d12] = ['([0-9a-f]{4})', '([0-9a-f]{8})', '([0-9a-f]{12})']
  const hyphens = [d8, d4, d4, d4, d12].join('-')
  return new RegExp(`^(?:(?:urn:uuid:)?${hyphens}|\\{${hyphens}\\}|([0-9a-f]{32}))$`, 'i')
}
