// A 64-bit key in the forms that callers have it in, read into two unsigned 32-bit halves: the
// computation never touches a bigint unless the caller brought one.

import { type Halves, xxh64Into } from '@ashlar/hash'
import { RingError } from './ring-error.ts'
import type { RingKey } from './ring-key.ts'
import { show } from './ring-node.ts'

/**
 * A 64-bit key: a safe integer or a bigint from -2^63 to 2^64 - 1 (negative ones as two's
 * complement, as C casts them), the two unsigned halves of one, or a string or bytes, which stand
 * for their XXH64 (seed 0).
 */
export type Key64 = number | bigint | Readonly<Halves> | RingKey

/**
 * Writes the key's 64 bits into `out`.
 *
 * @throws {RingError} `ERR_RING_KEY` if the key is nothing of the above.
 */
export function readKey64(key: Key64, out: Halves): void {
  if (typeof key === 'string' || key instanceof Uint8Array) xxh64Into(key, out)
  else if (typeof key === 'number') readNumber(key, out)
  else if (typeof key === 'bigint') readBigint(key, out)
  else readHalves(key, out)
}

/** Writes the hash's 64 bits into `out`: for callers who hashed the key themselves. */
export function readHash64(hash: bigint | Readonly<Halves>, out: Halves): void {
  if (typeof hash === 'bigint') readBigint(hash, out)
  else readHalves(hash, out)
}

function readNumber(key: number, out: Halves): void {
  if (!Number.isSafeInteger(key)) {
    throw new RingError(
      'ERR_RING_KEY',
      `a number as key must be a safe integer, got ${key}; use a bigint or String(key)`,
    )
  }
  out.hi = Math.floor(key / 0x100000000) >>> 0
  out.lo = key >>> 0
}

function readBigint(key: bigint, out: Halves): void {
  if (key < -0x8000000000000000n || key > 0xffffffffffffffffn) {
    throw new RingError(
      'ERR_RING_KEY',
      `a bigint as key must be from -2^63 to 2^64 - 1, got ${key}; use BigInt.asUintN(64, key)`,
    )
  }
  out.hi = Number((key >> 32n) & 0xffffffffn)
  out.lo = Number(key & 0xffffffffn)
}

function readHalves(key: Readonly<Halves>, out: Halves): void {
  const given: unknown = key
  if (
    typeof given !== 'object' ||
    given === null ||
    !(Number.isInteger(key.hi) && Number.isInteger(key.lo))
  ) {
    throw new RingError(
      'ERR_RING_KEY',
      `a 64-bit key must be a number, bigint, { hi, lo }, string or bytes, got ${show(given)}`,
    )
  }
  out.hi = key.hi >>> 0
  out.lo = key.lo >>> 0
}
