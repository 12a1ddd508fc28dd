// ULID: 48 bits of milliseconds and 80 of randomness as 26 characters of base 32 that sort.
//
//   01ARZ3NDEK TSV4RRFFQ69G5FAV          within a millisecond the 80 bits count up by one;
//   time       randomness                full, they go on in the next millisecond
//
// Source: the ULID specification (github.com/ulid/spec).

import { base32 } from './base32.ts'
import { type MonotonicOptions, MonotonicTime } from './monotonic-time.ts'
import { type RandomBytes, RandomPool } from './random-bytes.ts'

/** What a ULID says. */
export interface UlidParts {
  /** Milliseconds since 1970. */
  readonly timestamp: number
  /** All 16 bytes: {@link stringify} makes a UUID of them. */
  readonly bytes: Uint8Array
}

let shared: (() => string) | undefined

/**
 * A ULID, each above the one before within this process; a clock that goes back is treated as
 * {@link v7} does.
 *
 * @throws IdError BEFORE_EPOCH or EPOCH_OVERFLOW if the clock is before 1970 or after 10889.
 * @example
 * ulid() < ulid() // → true
 */
export function ulid(): string {
  shared ??= createUlid()
  return shared()
}

/**
 * ULIDs with a clock, randomness and bounds of your own; throws as {@link ulid}.
 *
 * @param options.randomBytes fills an array, 16 KiB at a time; default `crypto.getRandomValues`
 * @example
 * const ulid = createUlid({ now: () => 1_469_918_176_385 })
 * ulid().slice(0, 10) // → '01ARYZ6S41'
 */
export function createUlid(
  options: MonotonicOptions & { readonly randomBytes?: RandomBytes } = {},
): () => string {
  const time = new MonotonicTime(options)
  const pool = new RandomPool(options.randomBytes)
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  const seed = () => {
    view.setUint32(0, Math.floor(time.ms / 65536))
    view.setUint16(4, time.ms % 65536)
    const at = pool.take(10)
    bytes.set(pool.bytes.subarray(at, at + 10), 6)
  }
  return () => {
    if (time.advance()) seed()
    else if (!countUp(bytes)) {
      time.ms++
      seed()
    }
    return base32.encodeBytes(bytes)
  }
}

/**
 * Reads a ULID, in either case.
 *
 * @param text 26 characters
 * @throws IdError INVALID_ID unless it is 26 characters of Crockford's base 32 below 2^128.
 * @example
 * parseUlid('01ARYZ6S41TSV4RRFFQ69G5FAV').timestamp // → 1469918176385
 */
export function parseUlid(text: string): UlidParts {
  const bytes = base32.decodeBytes(text)
  const view = new DataView(bytes.buffer)
  return { timestamp: view.getUint32(0) * 65536 + view.getUint16(4), bytes }
}

/** Adds one to the lower 80 bits; false if they were full. */
function countUp(bytes: Uint8Array): boolean {
  for (let i = 15; i >= 6; i--) {
    bytes[i]!++
    if (bytes[i] !== 0) return true
  }
  return false
}
