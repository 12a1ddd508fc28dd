// UUID version 4: 122 random bits (RFC 9562, section 5.4), from pooled randomness.
//
//   random 48 | 4 | random 12 | 10 | random 62

import { type RandomBytes, RandomPool } from './random-bytes.ts'
import { requireRoom, uuidText } from './uuid-text.ts'

let shared: RandomPool | undefined

/**
 * A random UUID. The pool of randomness is made at the first call.
 *
 * @example
 * version(v4()) // → 4
 */
export function v4(): string {
  shared ??= new RandomPool()
  return v4From(shared)
}

/**
 * Random UUIDs from a source of your own, which is asked for 16 KiB at a time.
 *
 * @param options.randomBytes fills an array; default `crypto.getRandomValues`
 * @example
 * const uuid = createV4({ randomBytes: (out) => out.fill(7) })
 * uuid() // → '07070707-0707-4707-8707-070707070707'
 */
export function createV4(options: { readonly randomBytes?: RandomBytes } = {}): () => string {
  const pool = new RandomPool(options.randomBytes)
  return () => v4From(pool)
}

/**
 * Writes the 16 bytes of a random UUID and returns the array.
 *
 * @param offset where they begin; default 0
 * @param buffer where they go
 * @throws IdError INVALID_ID unless there is room for 16 bytes.
 * @example
 * const row = new Uint8Array(24)
 * version(v4Bytes(row, 8).subarray(8)) // → 4
 */
export function v4Bytes(buffer: Uint8Array, offset = 0): Uint8Array {
  requireRoom(buffer, offset)
  shared ??= new RandomPool()
  const { bytes } = shared
  const at = shared.take(16)
  // A loop of 16 is faster than set(), which would need a view of the pool.
  for (let i = 0; i < 16; i++) buffer[offset + i] = bytes[at + i]!
  buffer[offset + 6] = (buffer[offset + 6]! & 0x0f) | 0x40
  buffer[offset + 8] = (buffer[offset + 8]! & 0x3f) | 0x80
  return buffer
}

function v4From(pool: RandomPool): string {
  const at = pool.take(16)
  const { bytes } = pool
  bytes[at + 6] = (bytes[at + 6]! & 0x0f) | 0x40
  bytes[at + 8] = (bytes[at + 8]! & 0x3f) | 0x80
  return uuidText(bytes, at)
}
