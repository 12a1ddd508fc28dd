// The handle of one slot in a transaction on a SQLite shard. SQLite works on the calling thread, so
// each call has been carried out when it returns its promise: calls that are not awaited keep
// order, and one that is refused is not lost, since the commit is refused with it.

import type { QueryResult, Row, SqlTx } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import { scanSql } from './scan-sql.ts'
import { notStorable, rowOf, toSql } from './sql-value.ts'
import { columnOf, type TableInfo, tableOf } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'

/** What a handle needs of the transaction that it belongs to. */
export interface TxScope {
  readonly connection: SqliteConnection
  /** The slots that the transaction claimed. */
  readonly slots: readonly number[]
  /** Runs an action as part of the transaction, writes belonging to that slot. */
  run<R>(slot: number, action: () => R): R
  /** The schema may have changed. */
  redefined(): void
}

/** The {@link SqlTx} of a SQLite shard. */
export class SqliteTx implements SqlTx {
  readonly #scope: TxScope
  readonly #slot: number

  constructor(scope: TxScope, slot: number) {
    this.#scope = scope
    this.#slot = slot
  }

  query(text: string, params: readonly unknown[] = []): Promise<QueryResult> {
    return this.#run(() => {
      const { connection } = this.#scope
      const { rows, rowCount, isDefinition } = connection.query(text, params)
      if (isDefinition) this.#scope.redefined()
      return { rows, rowCount }
    })
  }

  get(table: string, primaryKey: Row): Promise<Row | undefined> {
    return this.#run(() => {
      const info = this.#table(table)
      const found = this.#scope.connection.get(
        textOf(info, 'get', selectByKey),
        ...keyValues(info, primaryKey),
      )
      if (found === undefined) return undefined
      // What lies there under another slot is not this transaction's to see.
      const isSeen =
        info.kind === 'reference' || this.#scope.slots.includes(Number(found[info.columns.length]))
      return isSeen ? rowOf(info.columns, found) : undefined
    })
  }

  put(table: string, row: Row): Promise<void> {
    return this.#run(() => {
      const info = this.#table(table)
      keyValues(info, row)
      const columns = Object.keys(row)
      const values = columns.map((column) => storable(info, column, row[column]))
      const text = textOf(info, `put ${columns.join('\u0000')}`, () => upsert(info, columns))
      this.#scope.connection.run(text, ...values)
    })
  }

  delete(table: string, primaryKey: Row): Promise<boolean> {
    return this.#run(() => {
      const info = this.#table(table)
      const values = keyValues(info, primaryKey)
      // Rows of slots that were not claimed are not there for it.
      if (info.kind === 'sharded') values.push(JSON.stringify(this.#scope.slots))
      return this.#scope.connection.run(textOf(info, 'delete', deleteByKey), ...values) > 0
    })
  }

  select(request: ScanRequest): Promise<Row[]> {
    return this.#run(() => {
      const { slots: claimed } = this.#scope
      const slots = request.slots?.filter((slot) => claimed.includes(slot)) ?? claimed
      const info = this.#table(request.table)
      const { sql, params, columns, finish } = scanSql(info, { ...request, slots }, false)
      const raws: readonly unknown[] = this.#scope.connection.statement(sql).all(...params)
      const rows = raws.map((raw) => rowOf(columns, raw))
      return finish === undefined ? rows : rows.map(finish)
    })
  }

  mark(name: string): Promise<boolean> {
    return this.#run(() => {
      const insert = 'insert or ignore into ashlar_mark values (?, ?)'
      return this.#scope.connection.run(insert, name, this.#slot) > 0
    })
  }

  unmark(name: string): Promise<boolean> {
    return this.#run(() => {
      return this.#scope.connection.run('delete from ashlar_mark where name = ?', name) > 0
    })
  }

  #run<R>(action: () => R): Promise<R> {
    try {
      return Promise.resolve(this.#scope.run(this.#slot, action))
    } catch (error) {
      const refused = Promise.reject(error)
      // Who does not wait for it hears of it at the commit.
      refused.catch(() => {})
      return refused
    }
  }

  #table(name: string): TableInfo {
    return tableOf(this.#scope.connection, name)
  }
}

const MAX_TEXTS = 256

/** A statement on a table, made the first time. */
function textOf(table: TableInfo, use: string, make: (table: TableInfo) => string): string {
  const found = table.texts.get(use)
  if (found !== undefined) return found
  const made = make(table)
  // Rows may come with any selection of columns.
  if (table.texts.size >= MAX_TEXTS) table.texts.clear()
  table.texts.set(use, made)
  return made
}

function selectByKey(table: TableInfo): string {
  const slot = table.kind === 'sharded' ? ', ashlar_slot' : ''
  const columns = table.columns.map(quoted).join(', ')
  return `SELECT ${columns}${slot} FROM ${quoted(table.name)} WHERE ${hasKey(table)}`
}

function deleteByKey(table: TableInfo): string {
  const isClaimed = ' AND +ashlar_slot IN (SELECT value FROM json_each(?))'
  const isReached = table.kind === 'sharded' ? isClaimed : ''
  return `DELETE FROM ${quoted(table.name)} WHERE ${hasKey(table)}${isReached}`
}

function hasKey(table: TableInfo): string {
  return table.primaryKey.map((column) => `${quoted(column)} = ?`).join(' AND ')
}

/** The values of the primary key. */
function keyValues(table: TableInfo, row: Row): SqlValue[] {
  return table.primaryKey.map((column) => {
    const value = Object.hasOwn(row, column) ? row[column] : undefined
    if (value !== undefined && value !== null) return storable(table, column, value)
    throw new ShardError(
      'INVALID_OPTION',
      `the primary key column ${table.name}.${column} is ${show(value)}; give it a value`,
    )
  })
}

function storable(table: TableInfo, column: string, value: unknown): SqlValue {
  const converted = toSql(value)
  if (converted === undefined) throw notStorable(`${table.name}.${column}`, value)
  return converted
}

/** A row replaces another wholly: columns that are not given get their defaults. */
function upsert(table: TableInfo, columns: readonly string[]): string {
  const names = columns.map((column) => columnOf(table, column))
  const replaced = [...table.columns.filter((column) => isReplaced(table, column)), 'ashlar_slot']
  if (table.kind === 'reference') replaced.pop()
  const sets = replaced.map((column) => `${quoted(column)} = excluded.${quoted(column)}`)
  const action = sets.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${sets.join(', ')}`
  return `INSERT INTO ${quoted(table.name)} (${names.join(', ')})
    VALUES (${names.map(() => '?').join(', ')})
    ON CONFLICT (${table.primaryKey.map(quoted).join(', ')}) ${action}`
}

function isReplaced(table: TableInfo, column: string): boolean {
  return !table.byColumn.get(column)!.isGenerated && !table.primaryKey.includes(column)
}
