// What shards computed of a group, put together: counts and sums add up, of minima the least
// counts. Sums are exact where their parts are: integers beyond 2^53 become bigints, decimals that
// a driver hands out as text (PostgreSQL's numeric) are added digit by digit.

import { compareValues } from './compare-values.ts'
import type { Aggregate } from './scan-request.ts'
import { ShardError } from './shard-error.ts'
import { show } from './show.ts'

/** Puts two parts of an aggregate together; a part of no values is null. */
export function mergeAggregate(op: Aggregate['op'], a: unknown, b: unknown): unknown {
  if (a === null || a === undefined) return b ?? null
  if (b === null || b === undefined) return a
  if (op === 'count' || op === 'sum') return addValues(a, b)
  const order = compareValues(a, b)
  return (op === 'min' ? order <= 0 : order >= 0) ? a : b
}

/** The mean as a double; null of no values. */
export function meanOf(sum: unknown, count: unknown): number | null {
  return sum === null || sum === undefined ? null : Number(sum) / Number(count)
}

function addValues(a: unknown, b: unknown): number | bigint | string {
  if (isInteger(a) && isInteger(b)) return narrow(BigInt(a) + BigInt(b))
  if (typeof a === 'string' || typeof b === 'string') return addDecimals(String(a), String(b))
  if (isNumber(a) && isNumber(b)) return Number(a) + Number(b)
  throw new ShardError('UNSUPPORTED', `numbers can be summed, got ${show(a)} and ${show(b)}`)
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/u

function addDecimals(a: string, b: string): string | number {
  const x = DECIMAL.exec(a)
  const y = DECIMAL.exec(b)
  // NaN and infinities, and floats in scientific notation.
  if (x === null || y === null) return String(Number(a) + Number(b))
  const places = Math.max(x[3]?.length ?? 0, y[3]?.length ?? 0)
  const sum = scaled(x, places) + scaled(y, places)
  const digits = String(sum < 0n ? -sum : sum).padStart(places + 1, '0')
  const sign = sum < 0n ? '-' : ''
  if (places === 0) return sign + digits
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`
}

function scaled([, sign, whole, fraction = '']: RegExpExecArray, places: number): bigint {
  const value = BigInt(whole! + fraction.padEnd(places, '0'))
  return sign === '-' ? -value : value
}
