// What is asked of one shard, and of all of them at once: a query in a form that can be split into
// parts and merged again. Text sorts by code point (`COLLATE "C"`, SQLite's BINARY) everywhere.

/** A comparison of a column with a value; `in` takes a list, `is null` and `is not null` none. */
export interface Condition {
  readonly column: string
  readonly is: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'null' | 'not null'
  readonly value?: unknown
}

/** A condition in the SQL of the engine, with parameters `$1`, `$2` … */
export interface SqlCondition {
  readonly sql: string
  readonly params?: readonly unknown[]
}

/** Either comparisons that must all hold, on any engine, or a text for a SQL engine. */
export type Where = readonly Condition[] | SqlCondition

/** One term of an order. */
export interface OrderTerm {
  readonly column: string
  /** Default `asc`. */
  readonly direction?: 'asc' | 'desc' | undefined
  /** Where NULLs go; default last when ascending, first when descending. */
  readonly nulls?: 'first' | 'last' | undefined
}

/** What a shard computes of a group. `count` without a column counts rows. */
export interface Aggregate {
  readonly op: 'count' | 'sum' | 'min' | 'max'
  readonly column?: string | undefined
}

/** A query of one table on one shard. */
export interface ScanRequest {
  readonly table: string
  /** Default: all of the table's own. */
  readonly columns?: readonly string[] | undefined
  readonly where?: Where | undefined
  readonly orderBy?: readonly OrderTerm[] | undefined
  readonly limit?: number | undefined
  /** Only rows of these slots; default all that are owned. */
  readonly slots?: readonly number[] | undefined
  /**
   * With it, rows are groups: the columns of `groupBy` and one column per aggregate, by its name.
   * Sums of integers are exact (a bigint where a number would not be), of no values null.
   */
  readonly aggregates?: Readonly<Record<string, Aggregate>> | undefined
  readonly groupBy?: readonly string[] | undefined
}
