// An id as two 32-bit words, high and low: numbers without allocation, where a bigint is an object.
//
// A Uint32Array(2) viewed as a BigUint64Array joins the words in one load; shifting bigints takes
// three times as long. Which word is the low one depends on the machine, so it is probed.

import { describe, IdError } from './id-error.ts'

/** An id as its upper and lower 32 bits, each from 0 to 2^32 - 1. */
export interface WordPair {
  hi: number
  lo: number
}

/**
 * A 64-bit integer as the package long and protobuf have it: two signed 32-bit halves. A real
 * `Long` is one; protobufjs encodes either alike.
 */
export interface LongLike {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

/** An id in any of the forms that this package gives and takes. */
export type AnyId = bigint | string | number | LongLike

/** Index of the low word in a Uint32Array that is viewed as 64-bit integers. */
export const LOW: number = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
/** Index of the high word. */
export const HIGH: number = 1 - LOW

/** Where {@link loadId} leaves the words of an id, until the next call. */
export const loaded: Uint32Array = new Uint32Array(2)
const joined = new BigUint64Array(loaded.buffer)

/** The 64-bit integer of two words. */
export function joinWords(hi: number, lo: number): bigint {
  loaded[HIGH] = hi
  loaded[LOW] = lo
  return joined[0]!
}

/**
 * Loads the words of an id of any form; of a negative one, its two's complement.
 *
 * @throws IdError INVALID_ID if it is no 64-bit integer: a fraction, a number above 2^53, a text
 *   that is not plain decimal digits.
 */
export function loadId(id: AnyId): void {
  if (typeof id === 'bigint') loadBigInt(id)
  else if (typeof id === 'string') loadDecimal(id)
  else if (typeof id === 'number') {
    if (!Number.isSafeInteger(id) || id < 0) refuseId(id)
    loaded[HIGH] = Math.floor(id / TWO_32)
    loaded[LOW] = id
  } else {
    if (!Number.isInteger(id?.low) || !Number.isInteger(id.high)) refuseId(id)
    loaded[HIGH] = id.high
    loaded[LOW] = id.low
  }
}

/** Loads a bigint of 0 to 2^64 - 1, or of -2^63 to -1 as its two's complement. */
export function loadBigInt(id: bigint): void {
  // The view would wrap silently. asUintN is a machine instruction, comparing bigints is a call.
  if (BigInt.asUintN(64, id) !== id && BigInt.asIntN(64, id) !== id) refuseId(id)
  joined[0] = id
}

/** Throws INVALID_ID. */
export function refuseId(given: unknown): never {
  throw new IdError(
    'INVALID_ID',
    'an id must be a 64-bit integer as bigint, decimal text without leading zeros, safe integer ' +
      `or { low, high }, got ${describe(given)}`,
  )
}

const TWO_32 = 2 ** 32
const ZERO = 48

/**
 * Loads decimal text by double arithmetic, in less time than BigInt(text) takes. The text is
 * x · 10^9 + y; x is cut into a part above and one below 2^16, so that products stay below 2^53.
 */
export function loadDecimal(text: string): void {
  const { length } = text
  if (length === 0 || length > 20) refuseId(text)
  let x = 0
  let y = 0
  let wrong = 0
  let i = 0
  // A digit is 0 to 9 without the bits of '0'; six more is above 15 exactly for what is none.
  for (; i < length - 9; i++) {
    const digit = text.charCodeAt(i) ^ ZERO
    wrong |= digit + 6
    x = x * 10 + digit
  }
  for (; i < length; i++) {
    const digit = text.charCodeAt(i) ^ ZERO
    wrong |= digit + 6
    y = y * 10 + digit
  }
  if (wrong > 15 || (length > 1 && text.charCodeAt(0) === ZERO)) {
    loadBigInt(negative(text))
    return
  }
  const above = Math.floor(x / 65536)
  const product = above * 1e9
  const productHi = Math.floor(product / 65536)
  const rest = (product - productHi * 65536) * 65536 + (x - above * 65536) * 1e9 + y
  const carry = Math.floor(rest / TWO_32)
  const hi = productHi + carry
  if (hi >= TWO_32) refuseId(text)
  loaded[HIGH] = hi
  loaded[LOW] = rest - carry * TWO_32
}

/** A signed column of 64-bit ids gives negative numbers for those with the top bit set. */
function negative(text: string): bigint {
  if (!/^-[1-9]\d{0,18}$/u.test(text)) refuseId(text)
  return BigInt(text)
}
