// A query of all shards as if they were one, checked and taken apart: what each shard is asked
// for, and what is left to do with what they answer. It depends on no map: see scatter-targets.ts.

import { AggregatePlan, type ScatterAggregate } from './aggregate-plan.ts'
import { type RowOrder, rowOrder } from './compare-values.ts'
import type { Row } from './engine.ts'
import type { OrderTerm, ScanRequest, Where } from './scan-request.ts'
import { ShardError } from './shard-error.ts'
import type { ShardKey } from './shard-key.ts'
import { show } from './show.ts'

/** A query of one table over all shards. */
export interface ScatterQuery {
  readonly table: string
  /** Default: all of the table's own. Not together with `aggregates`. */
  readonly columns?: readonly string[] | undefined
  readonly where?: Where | undefined
  /**
   * With it, rows are groups: the columns of `groupBy`, and one column per aggregate, by its name.
   * Exact, as one database would compute them; `avg` is a double. Groups are held in memory.
   */
  readonly aggregates?: Readonly<Record<string, ScatterAggregate>> | undefined
  /** The columns whose values make a group; default none: one group of all rows. */
  readonly groupBy?: readonly string[] | undefined
}

/** Options of a scatter. */
export interface ScatterOptions {
  /**
   * Columns of the table; for groups, of `groupBy` or names of aggregates. Text sorts by code
   * point. Rows that the order does not tell apart come shard by shard, in the order of the map.
   * Default: no order, but the same one each time as long as no row and no slot moves.
   */
  readonly orderBy?: readonly OrderTerm[] | undefined
  /** At most so many rows; default all. */
  readonly limit?: number | undefined
  /** Leaves out so many rows at the beginning; default 0. */
  readonly offset?: number | undefined
  /** What to do where shards do not answer: `error` (default), or `allow` and name the missing. */
  readonly partial?: 'error' | 'allow' | undefined
  /** How many shards work at the same time; default all. */
  readonly concurrency?: number | undefined
  /** Rows that a shard sends at a time; default 1000. Two such batches of each are held. */
  readonly batchRows?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a scatter gives. */
export interface ScatterResult {
  readonly rows: Row[]
  /** The shards that did not answer, always empty unless `partial` is `allow`. */
  readonly missing: string[]
}

/** A scatter, checked. */
export interface ScatterPlan {
  readonly query: ScatterQuery
  /** The key whose parts are read; undefined: all rows. */
  readonly key: ShardKey | undefined
  /** What each shard is asked for, but for its slots. */
  readonly request: ScanRequest
  readonly order: RowOrder | undefined
  /** The columns to cut rows down to, where others were asked for to sort by. */
  readonly columns: readonly string[] | undefined
  readonly offset: number
  readonly limit: number
  readonly partial: 'error' | 'allow'
  readonly concurrency: number
  readonly batchRows: number
  readonly signal: AbortSignal | undefined
}

/**
 * Checks a query and plans it.
 *
 * @throws {ShardError} `INVALID_OPTION`.
 */
export function planScatter(
  query: ScatterQuery,
  options: ScatterOptions = {},
  key?: ShardKey,
): ScatterPlan {
  const { orderBy = [], partial = 'error', signal } = options
  if (partial !== 'error' && partial !== 'allow') {
    throw new ShardError('INVALID_OPTION', `partial must be error or allow, got ${show(partial)}`)
  }
  const offset = wholeNumber('offset', options.offset ?? 0, 0)
  const limit = limitOf(options.limit)
  const order = orderBy.length === 0 ? undefined : rowOrder(orderBy)
  return {
    query,
    key,
    request: requestOf(query, orderBy, offset + limit),
    order,
    columns: hasHiddenColumns(query, orderBy) ? query.columns : undefined,
    offset,
    limit,
    partial,
    concurrency: limitOf(options.concurrency, 'concurrency', 1),
    batchRows: wholeNumber('batchRows', options.batchRows ?? 1000, 1),
    signal,
  }
}

function requestOf(query: ScatterQuery, orderBy: readonly OrderTerm[], rows: number): ScanRequest {
  const { table, where, columns, aggregates, groupBy } = query
  if (aggregates === undefined) {
    if (groupBy !== undefined) {
      throw new ShardError('INVALID_OPTION', 'groupBy needs aggregates, which may be empty: {}')
    }
    const limit = Number.isFinite(rows) ? rows : undefined
    const hidden = columns === undefined ? [] : missingColumns(columns, orderBy)
    return { table, where, columns: columns && [...columns, ...hidden], orderBy, limit }
  }
  checkGroups(query, orderBy)
  return { table, where, groupBy, aggregates: new AggregatePlan(aggregates, groupBy).parts }
}

function checkGroups(query: ScatterQuery, orderBy: readonly OrderTerm[]): void {
  const { aggregates = {}, groupBy = [], columns } = query
  if (columns !== undefined) {
    throw new ShardError('INVALID_OPTION', 'columns has no meaning with aggregates; use groupBy')
  }
  for (const [name, { op, column }] of Object.entries(aggregates)) {
    if (column === undefined && op !== 'count') {
      throw new ShardError('INVALID_OPTION', `the aggregate ${name} is ${op} of no column`)
    }
    if (groupBy.includes(name)) {
      throw new ShardError('INVALID_OPTION', `${name} names both an aggregate and a group column`)
    }
  }
  const [unknown] = missingColumns([...groupBy, ...Object.keys(aggregates)], orderBy)
  if (unknown === undefined) return
  throw new ShardError(
    'INVALID_OPTION',
    `orderBy names ${unknown}, which is neither in groupBy nor an aggregate`,
  )
}

function hasHiddenColumns({ columns }: ScatterQuery, orderBy: readonly OrderTerm[]): boolean {
  return columns !== undefined && missingColumns(columns, orderBy).length > 0
}

function missingColumns(columns: readonly string[], orderBy: readonly OrderTerm[]): string[] {
  const missing = orderBy.map(({ column }) => column).filter((name) => !columns.includes(name))
  return [...new Set(missing)]
}

function limitOf(given: number | undefined, name = 'limit', least = 0): number {
  if (given === undefined || given === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  return wholeNumber(name, given, least)
}

function wholeNumber(name: string, given: number, least: number): number {
  if (Number.isSafeInteger(given) && given >= least) return given
  throw new ShardError(
    'INVALID_OPTION',
    `${name} must be a whole number of at least ${least}, got ${show(given)}`,
  )
}
