// Values on their way into SQLite and out of it.
//
//   in    boolean → 1 or 0 · Date → ISO 8601 text in UTC · undefined → NULL · an integral number →
//         INTEGER (node:sqlite would bind 5 as 5.0, which a TEXT column keeps as '5.0')
//   out   INTEGER → number while that is exact, else bigint · REAL → number · BLOB → Uint8Array
//
// Rows come out of SQLite as arrays of bigints and are built here: about a quarter faster than
// node:sqlite's own objects, and no integer is refused for being large.

import type { Row } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import type { SqlValue, Statement } from './sqlite-database.ts'

/** The value as SQLite keeps it; undefined for one that no column holds. */
export function toSql(value: unknown): SqlValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'boolean':
      return value ? 1n : 0n
    case 'undefined':
      return null
    default:
      if (value === null || value instanceof Uint8Array) return value
      return value instanceof Date ? value.toISOString() : undefined
  }
}

/** The error for a value that no column holds. */
export function notStorable(where: string, value: unknown): ShardError {
  return new ShardError(
    'INVALID_OPTION',
    `${where} is ${show(value)}; a column holds null, boolean, number, bigint, string, Date or ` +
      'Uint8Array',
  )
}

/** A user's parameters in the order in which a statement has them. */
export function bound(order: readonly number[], params: readonly unknown[]): SqlValue[] {
  const values: SqlValue[] = []
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!
    if (at >= params.length) {
      throw new ShardError(
        'INVALID_OPTION',
        `the statement uses $${at + 1} and was given ${params.length} parameters`,
      )
    }
    const value = toSql(params[at])
    if (value === undefined) throw notStorable(`parameter $${at + 1}`, params[at])
    values.push(value)
  }
  return values
}

/** A value as it leaves SQLite, whose integers are bigints. */
export function fromSql(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** Makes a statement give what {@link rowsOf} and {@link rowOf} read. */
export function prepareForRows(statement: Statement): Statement {
  statement.setReadBigInts(true)
  // From Node 22.16 on; before, rows are objects.
  statement.setReturnArrays?.(true)
  return statement
}

/** The row of these columns; `ashlar_slot` is nobody's to see. */
export function rowOf(columns: readonly string[], raw: unknown): Row {
  const values = Array.isArray(raw) ? raw : Object.values(raw as object)
  const row: Record<string, unknown> = {}
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!
    if (column === 'ashlar_slot') continue
    // Assigned to, it would set the prototype.
    if (column === '__proto__') defineProto(row, fromSql(values[i]))
    else row[column] = fromSql(values[i])
  }
  return row
}

/** The names of what a statement gives; of its first row where Node cannot say (before 22.16). */
export function columnsOf(statement: Statement, first: unknown): readonly string[] {
  if (Array.isArray(first) || first === undefined) {
    return statement.columns?.().map(({ name }) => name) ?? []
  }
  return Object.keys(first as object)
}

function defineProto(row: Record<string, unknown>, value: unknown): void {
  const plain = { enumerable: true, configurable: true, writable: true }
  Object.defineProperty(row, '__proto__', { ...plain, value })
}
