// A ScanRequest as one SELECT. Text compares and sorts by code point, places of NULLs are always
// written out, aggregates are the database's.

import type { Aggregate, Condition, ScanRequest } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { quotedColumn } from './sql-name.ts'
import { comparable, type TableLayout } from './table-layout.ts'

/** Text and parameters. */
export interface ScanSql {
  readonly text: string
  readonly values: readonly unknown[]
}

/** int2, int4 and int8 with the bits they hold. */
const INTEGER_BITS: ReadonlyMap<number, number> = new Map([
  [21, 16],
  [23, 32],
  [20, 64],
])
const BOOLEAN = 16

/** The columns that a request names, to be looked up in the table's layout. */
export function columnsOf(request: ScanRequest): Set<string> {
  const { columns = [], where, orderBy = [], groupBy = [], aggregates = {} } = request
  const own = [...columns, ...groupBy]
  if (Array.isArray(where)) own.push(...(where as Condition[]).map(({ column }) => column))
  if (!isGrouped(request)) own.push(...orderBy.map(({ column }) => column))
  for (const { column } of Object.values(aggregates)) if (column !== undefined) own.push(column)
  return new Set(own)
}

/**
 * The SELECT of a request over rows that `slots` lets through: a condition written with the given
 * function, which takes a parameter and gives its `$n`.
 *
 * @throws {ShardError} `INVALID_OPTION` for a limit, an order or an aggregate that cannot be.
 */
export function scanSql(
  layout: TableLayout,
  request: ScanRequest,
  slots: (parameter: (value: unknown) => string) => string,
): ScanSql {
  const { where, limit } = request
  const isText = where !== undefined && 'sql' in where
  const values: unknown[] = isText ? [...(where.params ?? [])] : []
  const parameter = (value: unknown): string => `$${values.push(value)}`
  const conditions = isText
    ? [`(${where.sql}\n)`]
    : ((where ?? []) as readonly Condition[]).map((one) => conditionSql(layout, one, parameter))
  if (layout.isSharded) conditions.push(slots(parameter))
  const parts = [
    `select ${selected(layout, request)} from ${layout.table}`,
    conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`,
    grouping(layout, request),
    ordering(layout, request),
    limit === undefined ? '' : `limit ${checkedLimit(limit)}`,
  ]
  return { text: parts.filter((part) => part !== '').join(' '), values }
}

function isGrouped({ aggregates, groupBy }: ScanRequest): boolean {
  return aggregates !== undefined || groupBy !== undefined
}

function selected(layout: TableLayout, request: ScanRequest): string {
  const { columns, groupBy = [], aggregates = {} } = request
  if (!isGrouped(request)) {
    // With a star, and the slot left out of the rows, columns added later are seen as well.
    return columns === undefined ? '*' : columns.map(quotedColumn).join(', ')
  }
  const groups = groupBy.map((column) => `${comparable(layout, column)} as ${quotedColumn(column)}`)
  const computed = Object.entries(aggregates).map(
    ([name, aggregate]) => `${aggregateSql(layout, name, aggregate)} as ${quotedColumn(name)}`,
  )
  return [...groups, ...computed].join(', ')
}

function aggregateSql(layout: TableLayout, name: string, { op, column }: Aggregate): string {
  if (op === 'count') return column === undefined ? 'count(*)' : `count(${quotedColumn(column)})`
  if (column === undefined) {
    throw new ShardError('INVALID_OPTION', `the aggregate ${name} (${op}) needs a column`)
  }
  if (op === 'sum') return `sum(${quotedColumn(column)})`
  const isBoolean = layout.columns.get(column)?.type === BOOLEAN
  const names = isBoolean ? { min: 'bool_and', max: 'bool_or' } : { min: 'min', max: 'max' }
  return `${names[op]}(${comparable(layout, column)})`
}

function grouping(layout: TableLayout, request: ScanRequest): string {
  if (!isGrouped(request)) return ''
  const { groupBy = [] } = request
  // Without columns all rows are one group, also where there is no row and no aggregate.
  if (groupBy.length === 0) return 'having true'
  return `group by ${groupBy.map((column) => comparable(layout, column)).join(', ')}`
}

function ordering(layout: TableLayout, request: ScanRequest): string {
  const { orderBy = [] } = request
  if (orderBy.length === 0) return ''
  const terms = orderBy.map(({ column, direction = 'asc', nulls }) => {
    const place = nulls ?? (direction === 'asc' ? 'last' : 'first')
    const what = isGrouped(request) ? outputOf(request, column) : comparable(layout, column)
    return `${what} ${direction === 'asc' ? 'asc' : 'desc'} nulls ${place}`
  })
  return `order by ${terms.join(', ')}`
}

/** Groups are ordered by what they show: its number, since names of columns come first in SQL. */
function outputOf({ groupBy = [], aggregates = {} }: ScanRequest, column: string): string {
  const index = [...groupBy, ...Object.keys(aggregates)].lastIndexOf(column)
  if (index >= 0) return String(index + 1)
  throw new ShardError(
    'INVALID_OPTION',
    `groups cannot be ordered by ${column}: name a column of groupBy or an aggregate`,
  )
}

function conditionSql(
  layout: TableLayout,
  { column, is, value }: Condition,
  parameter: (value: unknown) => string,
): string {
  const name = quotedColumn(column)
  if (is === 'null') return `${name} is null`
  if (is === 'not null') return `${name} is not null`
  const type = layout.columns.get(column)?.type
  if (is === 'in') {
    const values = [...(value as readonly unknown[])]
    const cast = values.every((one) => fits(type, one)) ? '' : '::numeric[]'
    return `${name} = any(${parameter(values)}${cast})`
  }
  const cast = fits(type, value) ? '' : '::numeric'
  if (is === '=') return `${name} = ${parameter(value)}${cast}`
  if (is === '!=') return `${name} <> ${parameter(value)}${cast}`
  if (is === '<' || is === '<=' || is === '>' || is === '>=') {
    return `${comparable(layout, column)} ${is} ${parameter(value)}${cast}`
  }
  throw new ShardError('INVALID_OPTION', `there is no comparison ${JSON.stringify(is)}`)
}

/** A number that its column's type cannot hold is compared all the same, as a numeric. */
function fits(type: number | undefined, value: unknown): boolean {
  const bits = INTEGER_BITS.get(type ?? 0)
  if (bits === undefined) return true
  if (typeof value === 'number' && !Number.isInteger(value)) return false
  if (typeof value !== 'number' && typeof value !== 'bigint') return true
  return BigInt.asIntN(bits, BigInt(value)) === BigInt(value)
}

function checkedLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit
  throw new ShardError('INVALID_OPTION', `limit is ${limit}; it must be an integer of at least 0`)
}
