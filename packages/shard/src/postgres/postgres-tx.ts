// What a transaction does under one of its slots.

import type { QueryResult, Row, SqlTx } from '../engine.ts'
import { REFERENCE_SLOT } from '../engine.ts'
import type { ScanRequest } from '../scan-request.ts'
import type { PostgresTransaction } from './postgres-transaction.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { columnsOf, scanSql } from './scan-sql.ts'
import { quotedColumn } from './sql-name.ts'
import type { TableLayout } from './table-layout.ts'

const ROLLBACK_TO = /^\s*rollback\s+((work|transaction)\s+)?to\b/i
const CONTROL = /^\s*(begin|start\s+transaction|commit|end|abort|rollback|prepare\s+transaction)\b/i

/** The handle that {@link PostgresTransaction.tx} gives. */
export class PostgresTx implements SqlTx {
  readonly #transaction: PostgresTransaction
  readonly #slot: number

  constructor(transaction: PostgresTransaction, slot: number) {
    this.#transaction = transaction
    this.#slot = slot
  }

  query(text: string, params: readonly unknown[] = []): Promise<QueryResult> {
    const transaction = this.#transaction
    return transaction.inOrder(() => {
      const startsBatch = ROLLBACK_TO.test(text)
      if (!startsBatch && CONTROL.test(text)) {
        throw transaction.error(
          'UNSUPPORTED',
          `${text.trim().slice(0, 40)} would end the transaction under its fences: use commit, ` +
            'rollback or prepare of the transaction, and savepoints within',
        )
      }
      const statement = transaction.named(text, params)
      const sent = transaction.send(this.#slot, statement, { startsBatch })
      return sent.then(({ rows, rowCount }) => ({ rows, rowCount }))
    })
  }

  get(table: string, primaryKey: Row): Promise<Row | undefined> {
    const key = { ...primaryKey }
    return this.#transaction.inTable(table, Object.keys(key), (layout) => {
      const { where, values } = this.#byKey(table, layout, key)
      const text = `select * from ${layout.table} where ${where}`
      return this.#run(text, values, true).then(({ rows }) => rows[0])
    })
  }

  put(table: string, row: Row): Promise<void> {
    const copy = { ...row }
    const columns = Object.keys(copy)
    return this.#transaction.inTable(table, columns, (layout) => {
      this.#checkWritable(table, layout)
      this.#checkKey(table, layout, copy)
      if (columns.includes(SLOT_COLUMN)) throw this.#slotIsOurs(table)
      return this.#run(putText(layout, columns), Object.values(copy)).then(() => undefined)
    })
  }

  delete(table: string, primaryKey: Row): Promise<boolean> {
    const key = { ...primaryKey }
    return this.#transaction.inTable(table, Object.keys(key), (layout) => {
      this.#checkWritable(table, layout)
      const { where, values } = this.#byKey(table, layout, key)
      const sent = this.#run(`delete from ${layout.table} where ${where}`, values)
      return sent.then(({ rowCount }) => rowCount > 0)
    })
  }

  select(request: ScanRequest): Promise<Row[]> {
    const columns = [...columnsOf(request)]
    return this.#transaction.inTable(request.table, columns, (layout) => {
      const claimed = this.#transaction.claim.slots
      const slots = request.slots?.filter((slot) => claimed.includes(slot)) ?? claimed
      const { text, values } = scanSql(layout, request, (parameter) => {
        return `${SLOT_COLUMN} = any(${parameter(slots)}::int[])`
      })
      return this.#run(text, values, true).then(({ rows }) => rows)
    })
  }

  mark(name: string): Promise<boolean> {
    const text = `insert into ashlar.mark (name, ${SLOT_COLUMN}) values ($1, $2)
      on conflict do nothing`
    return this.#mark(text, [name, this.#slot])
  }

  unmark(name: string): Promise<boolean> {
    return this.#mark('delete from ashlar.mark where name = $1', [name])
  }

  #mark(text: string, values: readonly unknown[]): Promise<boolean> {
    return this.#transaction.inOrder(() => {
      if (this.#transaction.isReadOnly) throw this.#readOnly()
      return this.#run(text, values).then(({ rowCount }) => rowCount > 0)
    })
  }

  #run(text: string, values: readonly unknown[], hidesSlot = false) {
    const statement = this.#transaction.named(text, values, hidesSlot)
    return this.#transaction.send(this.#slot, statement)
  }

  /** The condition that finds a row of the claim by its primary key. */
  #byKey(table: string, layout: TableLayout, key: Row): { where: string; values: unknown[] } {
    this.#checkKey(table, layout, key)
    const values: unknown[] = layout.primaryKey.map((column) => key[column])
    const terms = layout.primaryKey.map((column, i) => `${quotedColumn(column)} = $${i + 1}`)
    if (layout.isSharded) {
      terms.push(`${SLOT_COLUMN} = any($${values.push(this.#transaction.claim.slots)}::int[])`)
    }
    return { where: terms.join(' and '), values }
  }

  #checkKey(table: string, { primaryKey }: TableLayout, row: Row): void {
    const missing = primaryKey.find((column) => !Object.hasOwn(row, column) || row[column] == null)
    if (missing === undefined) return
    throw this.#transaction.error(
      'INVALID_OPTION',
      `the primary key column ${table}.${missing} has no value`,
    )
  }

  #checkWritable(table: string, { isSharded }: TableLayout): void {
    if (this.#transaction.isReadOnly) throw this.#readOnly()
    if (isSharded === (this.#slot !== REFERENCE_SLOT)) return
    throw this.#transaction.error(
      'NO_SLOT',
      isSharded
        ? `a row of ${table} needs the slot of its key`
        : `${table} is a reference table; write all its copies at once, under REFERENCE_SLOT`,
    )
  }

  #readOnly(): Error {
    return this.#transaction.error(
      'INVALID_OPTION',
      'this transaction was opened with readOnly: it cannot write',
    )
  }

  #slotIsOurs(table: string): Error {
    return this.#transaction.error(
      'INVALID_OPTION',
      `${table}.${SLOT_COLUMN} is not the caller's to write`,
    )
  }
}

/** An upsert that leaves nothing of the row before: columns not given get their defaults. */
function putText({ table, primaryKey, columns }: TableLayout, given: readonly string[]): string {
  const names = given.map(quotedColumn)
  const key = primaryKey.map(quotedColumn)
  const replaced = [...columns.values()]
    .filter(({ name, isGenerated }) => !isGenerated && !primaryKey.includes(name))
    .map(({ name }) => quotedColumn(name))
    .map((name) => `${name} = excluded.${name}`)
  const then = replaced.length === 0 ? 'nothing' : `update set ${replaced.join(', ')}`
  return (
    `insert into ${table} (${names.join(', ')}) ` +
    `values (${names.map((_, i) => `$${i + 1}`).join(', ')}) ` +
    `on conflict (${key.join(', ')}) do ${then}`
  )
}
