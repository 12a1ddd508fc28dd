// What a UUID says about itself (RFC 9562, sections 4 and 5):
//
//   xxxxxxxx-xxxx-Vxxx-Wxxx-xxxxxxxxxxxx     V: version, W: variant in its upper 1 to 3 bits
//
// A UUID goes in as text in any spelling that parse() takes, or as 16 bytes.

import { parse, requireRoom } from './uuid-text.ts'

/** All bits zero: no UUID (RFC 9562, section 5.9). */
export const NIL = '00000000-0000-0000-0000-000000000000'
/** All bits one: above every UUID (RFC 9562, section 5.10). */
export const MAX = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Whose rules the bits follow; everything in use is `'rfc9562'`. */
export type UuidVariant = 'ncs' | 'rfc9562' | 'microsoft' | 'reserved'

/**
 * Whether the text is a UUID of version 1 to 8 with the variant of RFC 9562, NIL or MAX, in the
 * canonical spelling with hyphens, in either case. Anything may be asked.
 *
 * @example
 * validate('017f22e2-79b0-7cc3-98c4-dc0c0c07398f') // → true
 * validate('017f22e279b07cc398c4dc0c0c07398f') // → false
 */
export function validate(text: unknown): boolean {
  return (
    typeof text === 'string' && (VALID.test(text) || text === NIL || text.toLowerCase() === MAX)
  )
}

/**
 * The version, 0 to 15: 0 for NIL, 15 for MAX. Throws IdError INVALID_ID if it is no UUID.
 *
 * @example
 * version('017f22e2-79b0-7cc3-98c4-dc0c0c07398f') // → 7
 */
export function version(uuid: string | Uint8Array): number {
  return bytesOfUuid(uuid)[6]! >> 4
}

/**
 * The variant. Throws IdError INVALID_ID if it is no UUID.
 *
 * @example
 * variant('017f22e2-79b0-7cc3-98c4-dc0c0c07398f') // → 'rfc9562'
 */
export function variant(uuid: string | Uint8Array): UuidVariant {
  const bits = bytesOfUuid(uuid)[8]! >> 5
  return bits < 4 ? 'ncs' : bits < 6 ? 'rfc9562' : bits === 6 ? 'microsoft' : 'reserved'
}

/** The 16 bytes of a UUID given as text or bytes; throws INVALID_ID. */
export function bytesOfUuid(uuid: string | Uint8Array): Uint8Array {
  if (typeof uuid === 'string') return parse(uuid)
  requireRoom(uuid, 0)
  return uuid
}

// No text with the flag i alone can match beyond ASCII here.
const VALID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i
