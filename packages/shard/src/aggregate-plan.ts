// Aggregates over shards. What each shard is asked for: the same aggregates, but for a mean its
// sum and its count under names of their own, since means do not add up. What comes back: groups,
// put together by a hash of their key and finished here.
//
//   Map: text of the group's values → [its columns and parts, merged so far]

import { meanOf, mergeAggregate } from './aggregate-values.ts'
import type { Row } from './engine.ts'
import type { Aggregate } from './scan-request.ts'

/** What is computed of a group over all shards. */
export interface ScatterAggregate {
  readonly op: Aggregate['op'] | 'avg'
  readonly column?: string | undefined
}

type Mean = readonly [name: string, sum: string, count: string]

/** How the aggregates of a query are split over shards and put together again. */
export class AggregatePlan {
  /** What each shard computes. */
  readonly parts: Readonly<Record<string, Aggregate>>
  readonly #groupBy: readonly string[]
  readonly #names: readonly string[]
  readonly #partList: readonly (readonly [string, Aggregate])[]
  readonly #means: readonly Mean[]
  readonly #groups = new Map<string, Record<string, unknown>>()

  constructor(
    aggregates: Readonly<Record<string, ScatterAggregate>>,
    groupBy: readonly string[] = [],
  ) {
    const parts = new Map<string, Aggregate>()
    const means: Mean[] = []
    const taken = new Set([...Object.keys(aggregates), ...groupBy])
    for (const [name, { op, column }] of Object.entries(aggregates)) {
      if (op !== 'avg') {
        parts.set(name, { op, column })
        continue
      }
      const sum = freeName('sum', taken)
      const count = freeName('count', taken)
      parts.set(sum, { op: 'sum', column }).set(count, { op: 'count', column })
      means.push([name, sum, count])
    }
    this.parts = Object.fromEntries(parts)
    this.#groupBy = groupBy
    this.#names = Object.keys(aggregates)
    this.#partList = [...parts]
    this.#means = means
  }

  /** Adds one shard's groups. */
  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const key = groupKey(row, this.#groupBy)
      const group = this.#groups.get(key)
      if (group === undefined) this.#groups.set(key, { ...row })
      else this.#merge(group, row)
    }
  }

  /** The groups of all shards, in the order in which they first came. */
  finish(): Row[] {
    const groups = [...this.#groups.values()]
    // As in SQL, all rows are one group where nothing says otherwise, also if there are none.
    if (groups.length === 0 && this.#groupBy.length === 0) groups.push(this.#ofNothing())
    return groups.map((group) => this.#result(group))
  }

  #merge(group: Record<string, unknown>, row: Row): void {
    for (const [name, { op }] of this.#partList) {
      group[name] = mergeAggregate(op, group[name], row[name])
    }
  }

  #ofNothing(): Record<string, unknown> {
    return Object.fromEntries(
      this.#partList.map(([name, { op }]) => [name, op === 'count' ? 0 : null]),
    )
  }

  #result(group: Readonly<Record<string, unknown>>): Row {
    const means = new Map(
      this.#means.map(([name, sum, count]) => [name, meanOf(group[sum], group[count])]),
    )
    const names = [...this.#groupBy, ...this.#names]
    return Object.fromEntries(
      names.map((name) => [name, means.has(name) ? means.get(name) : (group[name] ?? null)]),
    )
  }
}

function freeName(op: string, taken: Set<string>): string {
  let name = `ashlar_${op}_0`
  for (let i = 1; taken.has(name); i++) name = `ashlar_${op}_${i}`
  taken.add(name)
  return name
}

// Equal values of a group column have one text, also where one shard gives a number and another a
// bigint; values of different types never share one, since each begins with its type.
function groupKey(row: Row, columns: readonly string[]): string {
  let key = ''
  for (const column of columns) {
    const text = valueText(row[column])
    key += `${text.length}:${text}`
  }
  return key
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  switch (typeof value) {
    case 'string':
      return `s${value}`
    case 'number':
      return `n${Number.isInteger(value) ? BigInt(value) : value}`
    case 'bigint':
      return `n${value}`
    case 'boolean':
      return `b${value}`
  }
  if (value instanceof Date) return `d${value.getTime()}`
  if (value instanceof Uint8Array) return `x${value.join()}`
  return `j${JSON.stringify(value)}`
}
