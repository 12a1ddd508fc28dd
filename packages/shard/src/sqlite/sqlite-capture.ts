// Change capture by triggers: while a job captures, every sharded table, and the marks, have
//
//   ashlar_log_<table>        k0 │ k1 … │ slot    a row for each change, in the order of commits,
//                                                 SQLite having one writer at a time
//   ashlar_capture_…_<table>  triggers that write it, for rows of slots in ashlar_captured
//
// Which slots are captured is asked of a function: in a mover's connection it says none, so what a
// mover writes is no news. The logs have no primary key, therefore sessions leave them out of the
// changesets that redo transactions, whose rows are logged when they are applied again.
//
// Rowids tell the order. The last row acknowledged stays, emptied, so that none is given twice.

import { type MovedTable, movedTable } from './moved-table.ts'
import { fromSql } from './sql-value.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

/** The function of SQL that tells whether changes of a slot are to be logged. */
export const CAPTURED_FUNCTION = 'ashlar_is_captured'

const LOG = 'ashlar_log_'
const TRIGGER = 'ashlar_capture_'

/** What a batch of changes is acknowledged by: the last row of each log that is in it. */
export type LogReceipt = ReadonlyMap<string, number>

/** A change as it is logged. */
export interface LoggedChange {
  readonly table: MovedTable
  readonly key: readonly unknown[]
  readonly slot: number
}

/** Whether a trigger captures changes. */
export function isCapture(trigger: string): boolean {
  return trigger.startsWith(TRIGGER)
}

/** Gives tables their logs and triggers, where they have none. */
export function installCapture(connection: SqliteConnection, tables: readonly MovedTable[]): void {
  for (const table of tables) {
    const columns = [...table.primaryKey.map((_, i) => `k${i}`), 'slot']
    connection.database.exec(
      `create table if not exists ${quoted(LOG + table.name)} (${columns.join(', ')});
      ${captureTriggers(table).join('\n')}`,
    )
  }
}

/** Takes logs and triggers away again. */
export function removeCapture(connection: SqliteConnection): void {
  const objects = captureObjects(connection)
  for (const { type, name } of objects) connection.database.exec(`drop ${type} ${quoted(name)}`)
}

/** The triggers, then the logs. */
export function captureObjects(connection: SqliteConnection): { type: string; name: string }[] {
  const rows = connection.all(
    `select type, name from sqlite_schema
      where type = 'trigger' and substr(name, 1, ${TRIGGER.length}) = '${TRIGGER}'
        or type = 'table' and substr(name, 1, ${LOG.length}) = '${LOG}'
      order by type desc, name`,
  )
  return rows.map(({ type, name }) => ({ type: String(type), name: String(name) }))
}

/** The oldest changes of all logs after those that were acknowledged, about `limit`. */
export function readLogs(
  connection: SqliteConnection,
  limit: number,
  acknowledged: LogReceipt = new Map(),
): { changes: LoggedChange[]; isAll: boolean; receipt: LogReceipt } {
  const active = captureObjects(connection)
    .filter(({ type }) => type === 'table')
    .map(({ name }) => movedTable(connection, name.slice(LOG.length)))
    .filter(({ name }) => hasChanges(connection, name, acknowledged.get(name) ?? 0))
  const changes: LoggedChange[] = []
  const receipt = new Map<string, number>()
  let isAll = true
  for (const [at, table] of active.entries()) {
    // Each has its share, so that none waits for ever behind one that is written all the time.
    const share = Math.max(1, Math.ceil((limit - changes.length) / (active.length - at)))
    const statement = connection.statement(
      `select rowid, * from ${quoted(LOG + table.name)}
        where rowid > ? and slot is not null order by rowid limit ?`,
    )
    const rows: readonly unknown[] = statement.all(acknowledged.get(table.name) ?? 0, share)
    for (const raw of rows) {
      const values = Array.isArray(raw) ? raw : Object.values(raw as object)
      changes.push({ table, key: values.slice(1, -1).map(fromSql), slot: Number(values.at(-1)) })
    }
    const last = rows.at(-1)
    const [rowid] = Array.isArray(last) ? last : Object.values(last as object)
    receipt.set(table.name, Number(rowid))
    isAll &&= rows.length < share
  }
  return { changes, isAll, receipt }
}

/** Forgets the changes up to a receipt, in the transaction that is open. */
export function forgetLogged(connection: SqliteConnection, receipt: LogReceipt): void {
  const logs = new Set(captureObjects(connection).map(({ name }) => name))
  for (const [table, last] of receipt) {
    const log = LOG + table
    if (!logs.has(log)) continue
    const { primaryKey } = movedTable(connection, table)
    const emptied = [...primaryKey.map((_, i) => `k${i} = null`), 'slot = null']
    connection.run(`delete from ${quoted(log)} where rowid < ?`, last)
    connection.run(`update ${quoted(log)} set ${emptied.join(', ')} where rowid = ?`, last)
  }
}

function hasChanges(connection: SqliteConnection, table: string, after: number): boolean {
  const log = quoted(LOG + table)
  const sql = `select 1 from ${log} where rowid > ? and slot is not null limit 1`
  return connection.get(sql, after) !== undefined
}

// A changed primary key is two changes. `UPDATE OF` would save a comparison, and miss an UPDATE
// that sets the key by the name `rowid`.
function captureTriggers({ name, primaryKey, slotColumn }: MovedTable): string[] {
  const slot = quoted(slotColumn)
  const isCaptured = (row: string) => `${CAPTURED_FUNCTION}(${row}.${slot})`
  const isOther = [...primaryKey.map(quoted), slot].map(
    (column) => `OLD.${column} IS NOT NEW.${column} COLLATE BINARY`,
  )
  const trigger = (what: string, change: string, row: string, when: string) => {
    const values = [...primaryKey.map(quoted), slot].map((column) => `${row}.${column}`)
    return (
      `CREATE TRIGGER IF NOT EXISTS ${quoted(`${TRIGGER}${what}_${name}`)} ` +
      `AFTER ${change} ON ${quoted(name)} WHEN ${when} BEGIN ` +
      `INSERT INTO ${quoted(LOG + name)} VALUES (${values.join(', ')}); END;`
    )
  }
  return [
    trigger('insert', 'INSERT', 'NEW', isCaptured('NEW')),
    trigger('update', 'UPDATE', 'NEW', isCaptured('NEW')),
    trigger('key', 'UPDATE', 'OLD', `(${isOther.join(' OR ')}) AND ${isCaptured('OLD')}`),
    trigger('delete', 'DELETE', 'OLD', isCaptured('OLD')),
  ]
}
