// XXH64 of a string or bytes in three forms: two halves in the caller's pair, bigint, hex. The
// hash is left in memory as 8 little-endian bytes (xxh64-input.ts); each form reads it its way.
// A seed is two halves too, so that a bigint is never made for the caller who gave none.

import { refuseSeed } from './hash-error.ts'
import { hashInMemory, type Xxh64Memory } from './xxh64-input.ts'

/** XXH64 as two unsigned 32-bit halves. */
export interface Halves {
  /** The upper 32 bits, 0 to 2^32 - 1. */
  hi: number
  /** The lower 32 bits, 0 to 2^32 - 1. */
  lo: number
}

/**
 * XXH64 written into the caller's pair: no bigint, no allocation.
 *
 * @param input A string (as UTF-8, lone surrogates as U+FFFD, never normalised) or bytes.
 * @param out Where the halves go.
 * @param seed A safe integer or a bigint, 0 to 2^64 - 1; default 0.
 * @returns `out`.
 * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array,
 * `ERR_HASH_SEED` for another seed.
 * @example
 * xxh64Into('abc', { hi: 0, lo: 0 }) // → { hi: 0x44bc2cf5, lo: 0xad770999 }
 */
export function xxh64Into(
  input: string | Uint8Array,
  out: Halves,
  seed: number | bigint = 0,
): Halves {
  const { view } = compute(input, seed)
  out.hi = view.getUint32(4, true)
  out.lo = view.getUint32(0, true)
  return out
}

/**
 * XXH64 as a bigint from 0n to 2n ** 64n - 1n. For speed prefer {@link xxh64Into}.
 *
 * @param input A string (as UTF-8, lone surrogates as U+FFFD, never normalised) or bytes.
 * @param seed A safe integer or a bigint, 0 to 2^64 - 1; default 0.
 * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array,
 * `ERR_HASH_SEED` for another seed.
 * @example
 * xxh64('abc') // → 0x44bc2cf5ad770999n
 */
export function xxh64(input: string | Uint8Array, seed: number | bigint = 0): bigint {
  return compute(input, seed).view.getBigUint64(0, true)
}

/**
 * XXH64 as 16 lower-case hexadecimal digits, as xxhsum prints it.
 *
 * @param input A string (as UTF-8, lone surrogates as U+FFFD, never normalised) or bytes.
 * @param seed A safe integer or a bigint, 0 to 2^64 - 1; default 0.
 * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array,
 * `ERR_HASH_SEED` for another seed.
 * @example
 * xxh64Hex('abc') // → '44bc2cf5ad770999'
 */
export function xxh64Hex(input: string | Uint8Array, seed: number | bigint = 0): string {
  return compute(input, seed).view.getBigUint64(0, true).toString(16).padStart(16, '0')
}

function compute(input: string | Uint8Array, seed: number | bigint): Xxh64Memory {
  if (seed === 0) return hashInMemory(input, 0, 0)
  if (typeof seed === 'bigint') {
    if (BigInt.asUintN(64, seed) !== seed) refuseSeed64(seed)
    return hashInMemory(input, Number(seed & 0xffffffffn), Number(seed >> 32n))
  }
  if (!Number.isSafeInteger(seed) || seed < 0) refuseSeed64(seed)
  return hashInMemory(input, seed >>> 0, Math.floor(seed / 0x100000000))
}

function refuseSeed64(seed: unknown): never {
  refuseSeed(seed, 'an integer from 0 to 2^53 - 1 or a bigint from 0n to 2n ** 64n - 1n')
}
