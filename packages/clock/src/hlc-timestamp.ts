// Timestamps of hybrid logical clocks and their forms. (Kulkarni et al., "Logical physical clocks",
// 2014: 48 bits of wall clock and 16 of logical counter are enough.)
//
//   text    0193a1b2c3d4-002a-node      12 hex digits, 4 hex digits, the node: sorts as text
//   64 bit  |--- wall: 48 ---|- logical: 16 -|     as bigint, or as two halves for Long
//
// All forms order alike; the 64-bit ones leave the node out.

import { ClockError, show } from './clock-error.ts'
import { checkId } from './id-list.ts'

/** A moment of a {@link HybridLogicalClock}. */
export interface HlcTimestamp {
  /** Milliseconds since 1970: the largest wall clock seen so far, 0 to 2^48 − 1. */
  readonly wall: number
  /** Counts events within one `wall`, 0 to 65,535. */
  readonly logical: number
  /** Who made it. */
  readonly node: string
}

/** What the package long calls a Long, structurally: 64 bits in two signed halves. */
export interface LongLike {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

const MAX_WALL = 2 ** 48 - 1
export const MAX_LOGICAL = 0xffff
const TEXT_LENGTH = 18
const DASH = 0x2d
const HEX = '0123456789abcdef'
/** The codes of the hex digits. */
const DIGITS = Uint8Array.from(HEX, (digit) => digit.charCodeAt(0))
/** The value of each code below 128 that is a lower-case hex digit; 255, as -1 becomes, else. */
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => HEX.indexOf(String.fromCharCode(code)))

/**
 * Total order: by wall, then logical, then node; the order of {@link encodeHlc} as text.
 *
 * @example
 * const before = { wall: 1_700_000_000_000, logical: 7, node: 'oslo' }
 * compareHlc(before, { ...before, logical: 8 }) < 0 // → true
 */
export function compareHlc(a: HlcTimestamp, b: HlcTimestamp): number {
  if (a.wall !== b.wall) return a.wall - b.wall
  if (a.logical !== b.logical) return a.logical - b.logical
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0
}

/**
 * A timestamp as text of 18 characters and the node, which sorts as timestamps do.
 *
 * @throws {ClockError} INVALID_COUNTER for a part out of its range.
 * @example
 * encodeHlc({ wall: 1_700_000_000_000, logical: 7, node: 'oslo' }) // '018bcfe56800-0007-oslo'
 */
export function encodeHlc({ wall, logical, node }: HlcTimestamp): string {
  checkParts(wall, logical)
  const high = (wall / 0x1000000) | 0
  const low = (wall % 0x1000000) | 0
  const d = DIGITS
  return (
    String.fromCharCode(
      d[high >>> 20]!,
      d[(high >>> 16) & 15]!,
      d[(high >>> 12) & 15]!,
      d[(high >>> 8) & 15]!,
      d[(high >>> 4) & 15]!,
      d[high & 15]!,
      d[low >>> 20]!,
      d[(low >>> 16) & 15]!,
      d[(low >>> 12) & 15]!,
      d[(low >>> 8) & 15]!,
      d[(low >>> 4) & 15]!,
      d[low & 15]!,
      DASH,
      d[logical >>> 12]!,
      d[(logical >>> 8) & 15]!,
      d[(logical >>> 4) & 15]!,
      d[logical & 15]!,
      DASH,
    ) + node
  )
}

/**
 * The timestamp in a text that {@link encodeHlc} wrote.
 *
 * @throws {ClockError} INVALID_BYTES for any other text, upper-case digits included.
 * @example
 * decodeHlc('018bcfe56800-0007-oslo').logical // → 7
 */
export function decodeHlc(text: string): HlcTimestamp {
  const isFramed =
    typeof text === 'string' &&
    text.length >= TEXT_LENGTH &&
    text.charCodeAt(12) === DASH &&
    text.charCodeAt(17) === DASH
  if (!isFramed) refuseText(text)
  const high = digits(text, 0, 6)
  const low = digits(text, 6, 12)
  const logical = digits(text, 13, 17)
  if ((high | low | logical) < 0) refuseText(text)
  return { wall: high * 0x1000000 + low, logical, node: text.slice(TEXT_LENGTH) }
}

/**
 * 48 bits of wall and 16 of logical as one unsigned 64-bit number, without the node.
 *
 * @throws {ClockError} INVALID_COUNTER for a part out of its range.
 * @example
 * hlcToBigInt(decodeHlc('018bcfe56800-0007-oslo')) // → 0x018bcfe568000007n
 */
export function hlcToBigInt({ wall, logical }: HlcTimestamp): bigint {
  checkParts(wall, logical)
  return (BigInt(wall) << 16n) | BigInt(logical)
}

/**
 * The timestamp in a number that {@link hlcToBigInt} made.
 *
 * @param value 64 bits, unsigned
 * @param node whose timestamp it is, for the number does not say
 * @throws {ClockError} INVALID_BYTES for a number that is not of 64 bits, INVALID_ID.
 * @example
 * hlcFromBigInt(0x018bcfe568000007n, 'oslo').wall // → 1700000000000
 */
export function hlcFromBigInt(value: bigint, node: string): HlcTimestamp {
  checkId(node)
  if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
    throw new ClockError('INVALID_BYTES', `value must be a 64-bit bigint >= 0, got ${show(value)}`)
  }
  return { wall: Number(value >> 16n), logical: Number(value & 0xffffn), node }
}

/**
 * The same 64 bits as the halves of a `Long`, for protobuf fields; no bigint is made.
 *
 * @throws {ClockError} INVALID_COUNTER for a part out of its range.
 * @example
 * hlcToLong(decodeHlc('018bcfe56800-0007-oslo')).high // → 0x018bcfe5
 */
export function hlcToLong({ wall, logical }: HlcTimestamp): LongLike {
  checkParts(wall, logical)
  const high = Math.floor(wall / 0x10000) | 0
  return { low: ((wall % 0x10000) << 16) | logical, high, unsigned: true }
}

/**
 * The timestamp in the halves that {@link hlcToLong} made; a signed Long is read as its bits.
 *
 * @param node whose timestamp it is, for the halves do not say
 * @throws {ClockError} INVALID_BYTES for halves that are not of 32 bits, INVALID_ID.
 * @example
 * const { low, high } = hlcToLong(decodeHlc('018bcfe56800-0007-oslo'))
 * encodeHlc(hlcFromLong({ low, high }, 'oslo')) // → '018bcfe56800-0007-oslo'
 */
export function hlcFromLong({ low, high }: LongLike, node: string): HlcTimestamp {
  checkId(node)
  const isLong =
    (low === (low | 0) || low === low >>> 0) && (high === (high | 0) || high === high >>> 0)
  if (!isLong) {
    throw new ClockError(
      'INVALID_BYTES',
      `low and high must be 32-bit integers, got ${show(low)} and ${show(high)}`,
    )
  }
  return { wall: (high >>> 0) * 0x10000 + (low >>> 16), logical: low & 0xffff, node }
}

/** Throws unless wall and logical are integers in their ranges. */
export function checkParts(wall: number, logical: number): void {
  const isWall = Number.isInteger(wall) && wall >= 0 && wall <= MAX_WALL
  const isLogical = Number.isInteger(logical) && logical >= 0 && logical <= MAX_LOGICAL
  if (isWall && isLogical) return
  throw new ClockError(
    'INVALID_COUNTER',
    `wall must be an integer from 0 to 2^48 - 1 and logical one from 0 to 65535, ` +
      `got ${show(wall)} and ${show(logical)}`,
  )
}

/** The number of the hex digits from `start` to `end`, or −1. */
function digits(text: string, start: number, end: number): number {
  let number = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    const value = code < 128 ? VALUES[code]! : 255
    if (value === 255) return -1
    number = (number << 4) | value
  }
  return number
}

function refuseText(text: unknown): never {
  throw new ClockError(
    'INVALID_BYTES',
    'text must be 12 lower-case hex digits, "-", 4 hex digits, "-" and the node, ' +
      `as encodeHlc writes it, got ${show(text)}`,
  )
}
