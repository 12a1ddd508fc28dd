// A ScanRequest carried out on rows, the slow and obvious way: filter, group or sort, cut, copy.
// Rows stream through where neither an order nor groups are asked for.

import { compareValues, rowOrder } from '../compare-values.ts'
import type { Row } from '../engine.ts'
import type { Condition, ScanRequest } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { groupRows } from './row-groups.ts'
import { copyOut } from './stored-row.ts'

/**
 * The rows that the request describes, copied; its table and slots are the caller's to choose.
 * O(rows) without an order, O(rows · log rows) with one.
 */
export function* queryRows(rows: Iterable<Row>, request: ScanRequest): Generator<Row> {
  const grouped = request.aggregates !== undefined || request.groupBy !== undefined
  const kept = filterRows(rows, (request.where ?? []) as readonly Condition[])
  const found = grouped ? groupRows(kept, request.groupBy ?? [], request.aggregates ?? {}) : kept
  const order = request.orderBy ?? []
  const sorted = order.length === 0 ? found : [...found].sort(rowOrder(order))
  const columns = grouped ? undefined : request.columns
  let left = request.limit ?? Number.POSITIVE_INFINITY
  if (left === 0) return
  for (const row of sorted) {
    yield copyOut(row, columns)
    left -= 1
    if (left === 0) return
  }
}

/**
 * Refuses what cannot be carried out, before anything is read.
 *
 * @throws {ShardError} `UNSUPPORTED` for a condition in SQL, `INVALID_OPTION` for a bad limit.
 */
export function checkRequest({ where, limit }: ScanRequest): void {
  if (where !== undefined && !Array.isArray(where)) {
    throw new ShardError(
      'UNSUPPORTED',
      'the memory engine reads no SQL; give `where` as a list of conditions',
    )
  }
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new ShardError('INVALID_OPTION', `limit is ${limit}; it must be an integer of at least 0`)
  }
}

function* filterRows(rows: Iterable<Row>, where: readonly Condition[]): Generator<Row> {
  for (const row of rows) {
    if (where.every((condition) => holds(condition, row[condition.column] ?? null))) yield row
  }
}

/** As in SQL, a comparison with NULL on either side does not hold. */
function holds({ is, value }: Condition, found: unknown): boolean {
  if (is === 'null') return found === null
  if (is === 'not null') return found !== null
  if (found === null) return false
  if (is === 'in') return (value as readonly unknown[]).some((one) => isEqual(found, one))
  if (value === null || value === undefined) return false
  if (is === '=') return isEqual(found, value)
  if (is === '!=') return !isEqual(found, value)
  if (kindOf(found) !== kindOf(value)) return false
  const order = compareValues(found, value)
  if (is === '<') return order < 0
  if (is === '<=') return order <= 0
  return is === '>' ? order > 0 : order >= 0
}

function isEqual(a: unknown, b: unknown): boolean {
  return b !== null && b !== undefined && kindOf(a) === kindOf(b) && compareValues(a, b) === 0
}

/** Values of different kinds are never equal, nor one above the other: 1 and '1' are not. */
function kindOf(value: unknown): string {
  if (value instanceof Date) return 'date'
  return typeof value === 'bigint' ? 'number' : typeof value
}
