// What moves with slots: the rows of sharded tables, and the marks, which are rows of a table like
// any other whose slot column has another name.

import type { Row } from '../engine.ts'
import { PlanConflict } from '../shard-error.ts'
import { toSql } from './sql-value.ts'
import { installedTables, tableOf } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'

/** A table whose rows lie under slots. */
export interface MovedTable {
  readonly name: string
  readonly slotColumn: string
  readonly primaryKey: readonly string[]
  /** All columns that are written, that of the slot at the end. */
  readonly columns: readonly string[]
}

/** The table of marks. */
export const MARKS: MovedTable = {
  name: 'ashlar_mark',
  slotColumn: 'slot',
  primaryKey: ['name'],
  columns: ['name', 'slot'],
}

/** One of them. @throws {ShardError} `UNKNOWN_TABLE` */
export function movedTable(connection: SqliteConnection, name: string): MovedTable {
  if (name === MARKS.name) return MARKS
  const { primaryKey, columns, byColumn } = tableOf(connection, name)
  const written = columns.filter((column) => !byColumn.get(column)!.isGenerated)
  return { name, slotColumn: 'ashlar_slot', primaryKey, columns: [...written, 'ashlar_slot'] }
}

/** All that are installed, the marks last. */
export function movedTables(connection: SqliteConnection): MovedTable[] {
  const sharded = installedTables(connection).filter((name) => {
    return tableOf(connection, name).kind === 'sharded'
  })
  return [...sharded.map((name) => movedTable(connection, name)), MARKS]
}

/** The values of a primary key. */
export function keyValues({ primaryKey }: MovedTable, key: Row): SqlValue[] {
  return primaryKey.map((column) => toSql(key[column]) ?? null)
}

/** A primary key as text, with the types of its values. */
export function keyText(values: readonly unknown[]): string {
  return JSON.stringify(
    values.map((value) => {
      if (typeof value === 'bigint') return String(value)
      return value instanceof Uint8Array ? ['blob', ...value] : [typeof value, value]
    }),
  )
}

/** A primary key as messages show it. */
export function keyShown(
  { name, primaryKey }: Pick<MovedTable, 'name' | 'primaryKey'>,
  values: readonly unknown[],
): string {
  const pairs = primaryKey.map((column, i) => `${column} = ${String(values[i])}`)
  return `${name} (${pairs.join(', ')})`
}

/**
 * Columns of a table that are on one side only would be lost, or be missing.
 *
 * @throws {ShardError} `PLAN_CONFLICT` unless source and target have the same.
 */
export function checkSameColumns(
  connection: SqliteConnection,
  source: string,
  { name, columns }: Pick<MovedTable, 'name' | 'columns'>,
): void {
  const rows = connection.all(
    'select name from pragma_table_xinfo(?, ?) where hidden = 0',
    name,
    source,
  )
  const there = rows.map((row) => String(row.name))
  const other = [
    ...columns.filter((column) => !there.includes(column)),
    ...there.filter((column) => !columns.includes(column)),
  ]
  if (other.length === 0) return
  throw new PlanConflict(
    `table ${name} has the columns ${other.map(quoted).join(', ')} on one of two shards only; ` +
      'run the same schema changes on all shards, then resume',
  )
}
