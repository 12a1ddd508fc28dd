// One table in memory, asked the slow and obvious way: what a scatter must equal.

import type { ScatterAggregate } from '../src/aggregate-plan.ts'
import type { Row } from '../src/engine.ts'
import type { OrderTerm } from '../src/scan-request.ts'

/** Sorted; rows that the order does not tell apart stay as they were. */
export function sortedByOracle(rows: readonly Row[], orderBy: readonly OrderTerm[]): Row[] {
  const sorted = [...rows]
  sorted.sort((a, b) => {
    for (const { column, direction = 'asc', nulls } of orderBy) {
      const x = a[column]
      const y = b[column]
      const nullsFirst = nulls === undefined ? direction === 'desc' : nulls === 'first'
      if (x === null && y === null) continue
      if (x === null) return nullsFirst ? -1 : 1
      if (y === null) return nullsFirst ? 1 : -1
      const order = compare(x, y)
      if (order !== 0) return direction === 'asc' ? order : -order
    }
    return 0
  })
  return sorted
}

/** Groups in the order in which they first come. */
export function groupsOfOne(
  rows: readonly Row[],
  groupBy: readonly string[],
  aggregates: Readonly<Record<string, ScatterAggregate>>,
): Row[] {
  const groups: { readonly values: unknown[]; readonly rows: Row[] }[] = []
  if (groupBy.length === 0) groups.push({ values: [], rows: [] })
  for (const row of rows) {
    const values = groupBy.map((column) => row[column])
    const group = groups.find((one) => one.values.every((value, i) => isSame(value, values[i])))
    if (group === undefined) groups.push({ values, rows: [row] })
    else group.rows.push(row)
  }
  return groups.map((group) =>
    Object.fromEntries([
      ...groupBy.map((column, i) => [column, group.values[i]]),
      ...Object.entries(aggregates).map(([name, one]) => [name, aggregateOf(group.rows, one)]),
    ]),
  )
}

function aggregateOf(rows: readonly Row[], { op, column }: ScatterAggregate): unknown {
  if (column === undefined) return rows.length
  const values = rows.map((row) => row[column]).filter((value) => value !== null)
  if (op === 'count') return values.length
  if (values.length === 0) return null
  if (op === 'min') return values.reduce((a, b) => (compare(a, b) <= 0 ? a : b))
  if (op === 'max') return values.reduce((a, b) => (compare(a, b) >= 0 ? a : b))
  const sum = sumOf(values as (number | bigint)[])
  return op === 'sum' ? sum : Number(sum) / values.length
}

function sumOf(values: readonly (number | bigint)[]): number | bigint {
  const quarters = values.reduce<bigint>(
    (sum, value) => sum + (typeof value === 'bigint' ? value * 4n : inQuarters(value)),
    0n,
  )
  if (quarters % 4n !== 0n) return Number(quarters) / 4
  const whole = quarters / 4n
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

/** Numbers here are whole, or small multiples of a quarter. */
function inQuarters(value: number): bigint {
  return Number.isInteger(value) ? BigInt(value) * 4n : BigInt(value * 4)
}

function isSame(a: unknown, b: unknown): boolean {
  return a === null || b === null ? a === b : compare(a, b) === 0
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const x = [...a].map((one) => one.codePointAt(0)!)
    const y = [...b].map((one) => one.codePointAt(0)!)
    const at = x.findIndex((point, i) => point !== y[i])
    return at < 0 ? x.length - y.length : (x[at] ?? -1) - (y[at] ?? -1)
  }
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0
}
