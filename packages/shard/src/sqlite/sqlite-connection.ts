// A connection with its prepared statements (so many, the oldest go first) and what it knows of the
// tables. A connection in an older snapshot sees an older schema, so each remembers for itself, and
// forgets when it begins again after a change.

import type { QueryResult, Row } from '../engine.ts'
import { bound, columnsOf, prepareForRows, rowOf } from './sql-value.ts'
import type { TableInfo } from './sqlite-catalog.ts'
import type { Database, SqlValue, Statement } from './sqlite-database.ts'
import type { SchemaLimits } from './sqlite-preparable.ts'
import { readStatement, type StatementText } from './statement-text.ts'

const MAX_STATEMENTS = 256

interface Prepared {
  readonly statement: Statement
  /** What it gives; asked when it first gives a row. */
  columns: readonly string[]
}

interface UserStatement extends Prepared {
  readonly text: StatementText
}

/** A connection to the file of a shard. */
export class SqliteConnection {
  readonly database: Database
  /** The installed tables that were looked up. */
  readonly tables: Map<string, TableInfo> = new Map<string, TableInfo>()
  /** What of the schema stands in the way of transactions over shards. */
  limits: SchemaLimits | undefined
  readonly #readers = new Map<string, Prepared>()
  readonly #changers = new Map<string, Statement>()
  readonly #users = new Map<string, UserStatement>()

  constructor(database: Database) {
    this.database = database
  }

  /** One row of a statement of ours, as an array of its values. */
  get(sql: string, ...values: readonly SqlValue[]): readonly unknown[] | undefined {
    const raw = this.statement(sql).get(...values)
    if (raw === undefined || Array.isArray(raw)) return raw
    return Object.values(raw)
  }

  /** Runs a statement of ours, which gives no rows; how many it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    let statement = this.#changers.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      keep(this.#changers, sql, statement)
    }
    return Number(statement.run(...values).changes)
  }

  /** All rows of a statement of ours. */
  all(sql: string, ...values: readonly SqlValue[]): Row[] {
    return readRows(this.#prepared(sql), values)
  }

  /** A statement of ours, prepared. */
  statement(sql: string): Statement {
    return this.#prepared(sql).statement
  }

  /** Runs a statement of a user's. */
  query(text: string, params: readonly unknown[]): QueryResult & { isDefinition: boolean } {
    const user = this.#user(text)
    const { replaces } = user.text
    const values = bound(user.text.order, params)
    if (!replaces) return outcomeOf(user, values)
    // So that what REPLACE removes meets the guard too; always on, a user's trigger that updates
    // the row it fired for would fire itself.
    this.database.exec('pragma recursive_triggers = on')
    try {
      return outcomeOf(user, values)
    } finally {
      this.database.exec('pragma recursive_triggers = off')
    }
  }

  /** Looks everything up anew from now on. */
  forget(): void {
    this.tables.clear()
    this.limits = undefined
    this.#readers.clear()
    this.#changers.clear()
    this.#users.clear()
  }

  close(): void {
    this.forget()
    this.database.close()
  }

  #prepared(sql: string): Prepared {
    const found = this.#readers.get(sql)
    if (found !== undefined) return found
    const made = { statement: prepareForRows(this.database.prepare(sql)), columns: [] }
    keep(this.#readers, sql, made)
    return made
  }

  #user(text: string): UserStatement {
    const found = this.#users.get(text)
    if (found !== undefined) return found
    const read = readStatement(text)
    const statement = this.database.prepare(read.sql)
    if (read.givesRows) prepareForRows(statement)
    const made = { text: read, statement, columns: [] }
    keep(this.#users, text, made)
    return made
  }
}

function outcomeOf(
  user: UserStatement,
  values: readonly SqlValue[],
): QueryResult & { isDefinition: boolean } {
  const { givesRows, isDefinition } = user.text
  if (!givesRows) {
    return { rows: [], rowCount: Number(user.statement.run(...values).changes), isDefinition }
  }
  const rows = readRows(user, values)
  return { rows, rowCount: rows.length, isDefinition }
}

function keep<T>(statements: Map<string, T>, key: string, made: T): void {
  if (statements.size >= MAX_STATEMENTS) {
    for (const oldest of statements.keys()) {
      statements.delete(oldest)
      break
    }
  }
  statements.set(key, made)
}

function readRows(prepared: Prepared, values: readonly SqlValue[]): Row[] {
  const raws: readonly unknown[] = prepared.statement.all(...values)
  if (raws.length === 0) return []
  if (prepared.columns.length === 0) prepared.columns = columnsOf(prepared.statement, raws[0])
  const { columns } = prepared
  return raws.map((raw) => rowOf(columns, raw))
}
