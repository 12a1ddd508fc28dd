// GROUP BY and aggregates over rows. Sums of integers are exact: they are added as bigints and come
// out as a number where that holds them.

import { compareValues } from '../compare-values.ts'
import type { Row } from '../engine.ts'
import type { Aggregate } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { primaryKeyText } from './stored-row.ts'

/** One row a group; with no columns to group by, one row for all, even where there is none. */
export function groupRows(
  rows: Iterable<Row>,
  columns: readonly string[],
  aggregates: Readonly<Record<string, Aggregate>>,
): Row[] {
  const groups = new Map<string, Row[]>()
  if (columns.length === 0) groups.set('', [])
  for (const row of rows) {
    const key = groupText(columns, row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.values()].map((members) => {
    const names = columns.map((column) => [column, members[0]![column] ?? null])
    const values = Object.entries(aggregates).map(([name, aggregate]) => [
      name,
      aggregateOf(members, aggregate),
    ])
    return Object.fromEntries([...names, ...values])
  })
}

function groupText(columns: readonly string[], row: Row): string {
  const text = (column: string) =>
    (row[column] ?? null) === null ? '' : primaryKeyText('', [column], row)
  return columns.map(text).join(',')
}

function aggregateOf(rows: readonly Row[], { op, column }: Aggregate): unknown {
  if (column === undefined) {
    if (op === 'count') return rows.length
    throw new ShardError('INVALID_OPTION', `the aggregate ${op} needs a column`)
  }
  const values = rows.map((row) => row[column] ?? null).filter((value) => value !== null)
  if (op === 'count') return values.length
  if (values.length === 0) return null
  if (op === 'sum') return sumOf(values, column)
  const sign = op === 'min' ? 1 : -1
  return values.reduce((best, value) => (sign * compareValues(value, best) < 0 ? value : best))
}

function sumOf(values: readonly unknown[], column: string): number | bigint {
  const bad = values.find((value) => typeof value !== 'number' && typeof value !== 'bigint')
  if (bad !== undefined) {
    throw new ShardError('INVALID_OPTION', `${column} holds a ${typeof bad}, which has no sum`)
  }
  const numbers = values as readonly (number | bigint)[]
  const areIntegers = numbers.every((one) => typeof one === 'bigint' || Number.isSafeInteger(one))
  if (!areIntegers) return numbers.reduce<number>((sum, one) => sum + Number(one), 0)
  const sum = numbers.reduce<bigint>((total, one) => total + BigInt(one), 0n)
  return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum
}
