// A ScanRequest as SQL. Rows come through the fences of the snapshot that the statement runs in:
// what was copied here and is not owned yet, or moved away and not yet cleaned, never counts. The
// `+` keeps the planner from walking the slot index, which would destroy an order that an index
// of the table's own gives for nothing.
//
// Text is compared and sorted BINARY (UTF-8 bytes: by code point), whatever the column says. Sums
// of integers are taken in two halves, since SQLite's sum() gives up at 2^63.

import type { Row } from '../engine.ts'
import type { Aggregate, Condition, OrderTerm, ScanRequest, Where } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import { bound, notStorable, toSql } from './sql-value.ts'
import { columnOf, OWNED_SLOTS, type TableInfo } from './sqlite-catalog.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'
import { readStatement } from './statement-text.ts'

/** A request as a statement, with what makes a row of what it gives. */
export interface ScanSql {
  readonly sql: string
  readonly params: readonly SqlValue[]
  /** The names of the columns that it gives, in order. */
  readonly columns: readonly string[]
  /** Where sums come in parts: the row that they make. */
  readonly finish: ((row: Row) => Row) | undefined
}

/**
 * @param owned whether rows must be of slots that the snapshot owns; a transaction has checked its
 *   claimed slots and names them instead
 * @throws {ShardError} `INVALID_OPTION` for columns that the table lacks and values out of range.
 */
export function scanSql(table: TableInfo, request: ScanRequest, owned: boolean): ScanSql {
  const params: SqlValue[] = []
  const isGrouped = request.aggregates !== undefined || request.groupBy !== undefined
  const output = isGrouped ? groupedOutput(table, request) : plainOutput(table, request)
  // Named apart, since before Node 22.16 rows come as objects.
  const terms = output.terms.map((term, i) => `${term} AS c${i}`)
  const none = isGrouped && (request.groupBy ?? []).length === 0 ? 'count(*)' : '1'
  let sql = `SELECT ${terms.join(', ') || none} FROM ${quoted(table.name)} AS t`
  const conditions = [
    ...slotConditions(table, request.slots, owned, params),
    ...whereConditions(table, request.where ?? [], params),
  ]
  if (conditions.length > 0) sql += ` WHERE ${conditions.join(' AND ')}`
  if (isGrouped && (request.groupBy ?? []).length > 0) {
    sql += ` GROUP BY ${request.groupBy!.map((name) => binary(table, name)).join(', ')}`
  }
  const order = (request.orderBy ?? []).flatMap((term) => orderSql(table, term, output))
  if (order.length > 0) sql += ` ORDER BY ${order.join(', ')}`
  if (request.limit !== undefined) {
    sql += ' LIMIT ?'
    params.push(limitOf(request.limit))
  }
  return { sql, params, columns: output.columns, finish: output.finish }
}

interface Output {
  readonly terms: readonly string[]
  readonly columns: readonly string[]
  /** What an order by an aggregate goes by, the most significant first. */
  readonly aggregates: ReadonlyMap<string, readonly string[]>
  readonly finish: ((row: Row) => Row) | undefined
}

function plainOutput(table: TableInfo, request: ScanRequest): Output {
  const columns = request.columns ?? table.columns
  const terms = columns.map((name) => `t.${columnOf(table, name)}`)
  return { terms, columns, aggregates: new Map(), finish: undefined }
}

function groupedOutput(table: TableInfo, request: ScanRequest): Output {
  const groupBy = request.groupBy ?? []
  const terms = groupBy.map((name) => `t.${columnOf(table, name)}`)
  const columns = [...groupBy]
  const aggregates = new Map<string, readonly string[]>()
  const sums: string[] = []
  for (const [name, aggregate] of Object.entries(request.aggregates ?? {})) {
    if (aggregate.op === 'sum' && aggregate.column !== undefined) {
      const parts = sumParts(table, aggregate.column)
      aggregates.set(name, sumOrder(table, aggregate.column, parts))
      terms.push(...parts)
      // Named by place, so that no name of the user's can be one of them.
      columns.push(...parts.map((_, part) => partName(sums.length, part)))
      sums.push(name)
    } else {
      const sql = aggregateSql(table, name, aggregate)
      aggregates.set(name, [sql])
      terms.push(sql)
      columns.push(name)
    }
  }
  const names = [...groupBy, ...aggregates.keys()]
  return { terms, columns, aggregates, finish: sums.length > 0 ? joinSums(names, sums) : undefined }
}

function aggregateSql(table: TableInfo, name: string, { op, column }: Aggregate): string {
  if (op === 'count')
    return column === undefined ? 'count(*)' : `count(t.${columnOf(table, column)})`
  if (column === undefined) throw invalid(`the aggregate ${show(name)} names no column`)
  if (op === 'min' || op === 'max') return `${op}(${binary(table, column)})`
  throw invalid(`the aggregate ${show(name)} is ${show(op)}; count, sum, min and max there are`)
}

/** The integers' high and low halves, and all the rest; NULL where there are none. */
function sumParts(table: TableInfo, column: string): [high: string, low: string, rest: string] {
  const sql = `t.${columnOf(table, column)}`
  const isInteger = `typeof(${sql}) = 'integer'`
  return [
    `sum(CASE WHEN ${isInteger} THEN ${sql} >> 32 END)`,
    `sum(CASE WHEN ${isInteger} THEN ${sql} & 4294967295 END)`,
    `sum(CASE WHEN ${isInteger} THEN NULL ELSE CAST(${sql} AS REAL) END)`,
  ]
}

/** By the sum as a float; sums that are the same float, by their halves with the carry in place. */
function sumOrder(
  table: TableInfo,
  column: string,
  [high, low]: [high: string, low: string, rest: string],
): string[] {
  const float = `sum(CAST(t.${columnOf(table, column)} AS REAL))`
  return [float, `${high} + (${low} >> 32)`, `${low} & 4294967295`]
}

function partName(sum: number, part: number): string {
  return `${sum}\u0000${part}`
}

function joinSums(names: readonly string[], sums: readonly string[]): (row: Row) => Row {
  return (row) =>
    Object.fromEntries(
      names.map((name) => {
        const at = sums.indexOf(name)
        if (at < 0) return [name, row[name]]
        const [high, low, rest] = [0, 1, 2].map((part) => row[partName(at, part)])
        return [name, sumOf(high, low, rest)]
      }),
    )
}

function sumOf(high: unknown, low: unknown, rest: unknown): number | bigint | null {
  if (high === null) return rest as number | null
  const exact = (BigInt(high as number) << 32n) + BigInt(low as number)
  if (rest !== null) return Number(exact) + (rest as number)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

function slotConditions(
  table: TableInfo,
  slots: readonly number[] | undefined,
  owned: boolean,
  params: SqlValue[],
): string[] {
  if (table.kind === 'reference') return []
  const conditions: string[] = []
  if (slots !== undefined && slots.length === 1) {
    conditions.push('t.ashlar_slot = ?')
    params.push(slots[0]!)
  } else if (slots !== undefined) {
    conditions.push('t.ashlar_slot IN (SELECT value FROM json_each(?))')
    params.push(JSON.stringify(slots))
  }
  if (owned) {
    conditions.push(`+t.ashlar_slot IN (${OWNED_SLOTS})`)
  }
  return conditions
}

function whereConditions(table: TableInfo, where: Where, params: SqlValue[]): string[] {
  if (isComparisons(where)) return where.map((one) => conditionSql(table, one, params))
  const { sql, order } = readStatement(`SELECT ${where.sql}`)
  params.push(...bound(order, where.params ?? []))
  return [`(${sql.slice('SELECT '.length)}\n)`]
}

function isComparisons(where: Where): where is readonly Condition[] {
  return Array.isArray(where)
}

function conditionSql(
  table: TableInfo,
  { column, is, value }: Condition,
  params: SqlValue[],
): string {
  const sql = binary(table, column)
  switch (is) {
    case 'null':
      return `${sql} IS NULL`
    case 'not null':
      return `${sql} IS NOT NULL`
    case 'in': {
      if (!Array.isArray(value)) throw invalid(`'in' takes a list, got ${show(value)}`)
      for (const one of value) params.push(compared(column, one))
      return `${sql} IN (${value.map(() => '?').join(', ')})`
    }
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      params.push(compared(column, value))
      return `${sql} ${is} ?`
    default:
      throw invalid(`there is no comparison ${show(is)}`)
  }
}

function compared(column: string, value: unknown): SqlValue {
  const converted = toSql(value)
  if (converted === undefined) throw notStorable(`a value to compare ${column} with`, value)
  return converted
}

function orderSql(table: TableInfo, term: OrderTerm, output: Output): string[] {
  const { column, direction = 'asc', nulls = direction === 'asc' ? 'last' : 'first' } = term
  if (direction !== 'asc' && direction !== 'desc') {
    throw invalid(`a direction is asc or desc, got ${show(direction)}`)
  }
  const aggregate = output.aggregates.get(column)
  // SQLite sorts in memory where an index could serve, if told where NULLs go that cannot be.
  const canBeNull = aggregate !== undefined || !isNeverNull(table, column)
  const placed = canBeNull ? (nulls === 'first' ? ' NULLS FIRST' : ' NULLS LAST') : ''
  const terms = aggregate ?? [binary(table, column)]
  return terms.map((sql) => `${sql} ${direction.toUpperCase()}${placed}`)
}

function isNeverNull(table: TableInfo, column: string): boolean {
  if (table.byColumn.get(column)?.isNotNull) return true
  return table.isKeyRowid && table.primaryKey.includes(column)
}

function binary(table: TableInfo, column: string): string {
  return `t.${columnOf(table, column)} COLLATE BINARY`
}

function limitOf(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit
  throw invalid(`limit is ${show(limit)}; it must be an integer of at least 0`)
}

function invalid(message: string): ShardError {
  return new ShardError('INVALID_OPTION', message)
}
