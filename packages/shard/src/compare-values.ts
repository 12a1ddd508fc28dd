// The order of values as databases have it, so that rows sorted by shards can be merged here: text
// by code point (`COLLATE "C"`, SQLite's BINARY), numbers by value whatever their type (NaN after
// all others, as in PostgreSQL), false before true, bytes by byte. Values of different types, which
// SQLite allows in one column, go booleans, numbers, dates, text, bytes. Where NULLs go is the
// order's to say.

import { compareText } from './compare-text.ts'
import type { Row } from './engine.ts'
import type { OrderTerm } from './scan-request.ts'
import { ShardError } from './shard-error.ts'
import { show } from './show.ts'

/** Negative where the first row comes before the second, 0 where the order does not tell. */
export type RowOrder = (a: Row, b: Row) => number

/**
 * Compares two values that are not null, by the order above.
 *
 * @throws {ShardError} `UNSUPPORTED` for a value that has no order here (JSON, arrays).
 */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b)
  const rank = rankOf(a)
  const difference = rank - rankOf(b)
  if (difference !== 0) return difference
  if (rank > TEXT) return compareBytes(a as Uint8Array, b as Uint8Array)
  return compareNumbers(a as number, b as number)
}

/** The comparison of rows that an `orderBy` means. */
export function rowOrder(orderBy: readonly OrderTerm[]): RowOrder {
  const terms = orderBy.map(termOrder)
  if (terms.length === 1) return terms[0]!
  return (a, b) => {
    for (let i = 0; i < terms.length; i++) {
      const order = terms[i]!(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}

function termOrder({ column, direction = 'asc', nulls }: OrderTerm): RowOrder {
  const sign = direction === 'asc' ? 1 : -1
  const ofNull = (nulls ?? (direction === 'asc' ? 'last' : 'first')) === 'first' ? -1 : 1
  return (a, b) => {
    const x = a[column] ?? null
    const y = b[column] ?? null
    if (x === null) return y === null ? 0 : ofNull
    return y === null ? -ofNull : sign * compareValues(x, y)
  }
}

const TEXT = 3

function rankOf(value: unknown): number {
  switch (typeof value) {
    case 'boolean':
      return 0
    case 'number':
    case 'bigint':
      return 1
    case 'string':
      return TEXT
  }
  if (value instanceof Date) return 2
  if (value instanceof Uint8Array) return TEXT + 1
  throw new ShardError(
    'UNSUPPORTED',
    `numbers, text, booleans, dates and bytes can be ordered across shards, got ${show(value)}; ` +
      'order by a column of such a type',
  )
}

// Numbers, bigints, booleans and dates: JavaScript compares two of a kind by value, exactly.
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!
  }
  return a.length - b.length
}
