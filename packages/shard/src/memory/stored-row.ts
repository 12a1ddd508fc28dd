// A row as a memory database keeps it: checked, copied, without a prototype (a column may be called
// `__proto__`), and never changed afterwards; and the text that its primary key is found under.

import type { Row } from '../engine.ts'
import { ShardError } from '../shard-error.ts'

/** What a column can hold. NULL is `null`. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array

/** A row and the slot it was written under; {@link REFERENCE_SLOT} in reference tables. */
export interface StoredRow {
  readonly slot: number
  readonly values: Readonly<Record<string, Value>>
}

/**
 * A copy to keep; `undefined` becomes NULL.
 *
 * @throws {ShardError} `INVALID_OPTION` for a value that no column holds, and for `ashlar_slot`.
 */
export function copyIn(table: string, row: Row): Record<string, Value> {
  const copy: Record<string, Value> = Object.create(null)
  for (const [column, value] of Object.entries(row)) {
    if (column === 'ashlar_slot') {
      throw new ShardError('INVALID_OPTION', `${table}.ashlar_slot is not the caller's to write`)
    }
    copy[column] = copyValue(value, () => `${table}.${column}`)
  }
  return copy
}

/** A copy to give away, of all columns or of those named; a column it lacks is NULL. */
export function copyOut(row: Row, columns?: readonly string[]): Row {
  const names = columns ?? Object.keys(row)
  return Object.fromEntries(names.map((name) => [name, copyValue(row[name], () => name)]))
}

/**
 * The text that stands for a primary key: equal for equal keys alone, 1 and 1n being equal.
 *
 * @throws {ShardError} `INVALID_OPTION` where one of its columns is missing or NULL.
 */
export function primaryKeyText(table: string, columns: readonly string[], row: Row): string {
  return columns.map((column) => partText(table, column, row)).join(',')
}

/** About how many bytes the values take. */
export function sizeBytes(row: Row): number {
  return Object.values(row).reduce((sum: number, value) => sum + valueBytes(value), 0)
}

function partText(table: string, column: string, row: Row): string {
  const value = Object.hasOwn(row, column) ? row[column] : undefined
  if (value === undefined || value === null) {
    throw new ShardError('INVALID_OPTION', `the key column ${table}.${column} has no value`)
  }
  if (typeof value === 'string') return `s${value.length}:${value}`
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof Uint8Array) return `x${value.join('.')}`
  if (typeof value === 'number' && Number.isInteger(value)) return `n${BigInt(value)}`
  return `${typeof value === 'boolean' ? 'b' : 'n'}${value}`
}

function copyValue(value: unknown, where: () => string): Value {
  switch (typeof value) {
    case 'undefined':
      return null
    case 'boolean':
    case 'number':
    case 'bigint':
    case 'string':
      return value
    default:
      if (value === null) return null
      if (value instanceof Date) return new Date(value)
      if (value instanceof Uint8Array) return new Uint8Array(value)
      throw new ShardError(
        'INVALID_OPTION',
        `${where()} is ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}; ` +
          'a column holds null, boolean, number, bigint, string, Date or Uint8Array',
      )
  }
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return value.length
  return value instanceof Uint8Array ? value.length : 8
}
