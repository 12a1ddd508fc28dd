// Fixed slots: the number of a key's slot never changes while the number of slots stays, whatever
// the release of this package. Data is laid out by it, so the rule is frozen for ever.

import { refuseSlots } from './hash-error.ts'
import { xxh32 } from './xxh32.ts'

/**
 * The slot of a key: `xxh32(key, 0) % slots`, frozen for ever.
 *
 * Slots are even to within `slots` / 2^32 of each other, so to 0.0004 % for 16,384 slots.
 *
 * @param key A string (as UTF-8) or bytes.
 * @param slots How many slots there are, an integer from 1 to 2^32 - 1.
 * @returns An integer from 0 to `slots` - 1.
 * @throws {HashError} `ERR_HASH_SLOTS` for another number of slots, `ERR_HASH_INPUT` if `key` is
 * neither a string nor a Uint8Array.
 * @example
 * slotOf('user:42', 16384) // → 8087
 */
export function slotOf(key: string | Uint8Array, slots: number): number {
  if (slots >>> 0 !== slots || slots === 0) refuseSlots(slots)
  return xxh32(key, 0) % slots
}
