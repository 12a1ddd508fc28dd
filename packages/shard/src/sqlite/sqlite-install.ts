// Makes a file a shard. A sharded table gets
//
//   ashlar_slot integer default (ashlar_declared_slot())   the function gives the slot that the
//                                                          transaction's handle declared
//   an index on it, a view of its owned rows, and triggers that refuse rows of any other slot
//
// so a program without that function, which is every program but this engine, cannot write. The
// default costs one call a row; an AFTER INSERT trigger that updates the row cost a third more of
// the whole transaction. SQLite adds such a column to an empty table only.

import { type InstallSpec, REFERENCE_SLOT, type TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { BOOKKEEPING, OWNED_SLOTS, readTable, type TableInfo } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively, quoted } from './sqlite-database.ts'

/** The function of SQL that gives the declared slot. */
export const SLOT_FUNCTION = 'ashlar_declared_slot'

/** The function of SQL that tells whether the transaction claimed a slot. */
export const CLAIMED_FUNCTION = 'ashlar_is_claimed'

/** The function of SQL that tells whether rows are written by a mover, which no guard holds up. */
export const MOVER_FUNCTION = 'ashlar_is_mover'

/** Begins the message of a trigger's refusal; a code and a table follow. */
export const REFUSAL = 'ashlar:'

/**
 * Runs DDL that has not been run, then installs tables: two transactions, each wholly or not at
 * all. May be run again.
 *
 * @throws {ShardError} `INVALID_TABLE`, no table being changed; and what the DDL throws.
 */
export function installShard(connection: SqliteConnection, spec: InstallSpec): void {
  const { database } = connection
  exclusively(database, () => runDdl(connection, spec.ddl))
  connection.forget()
  exclusively(database, () => {
    for (const one of spec.tables) checkTable(connection, one)
    for (const one of spec.tables) installTable(connection, one)
  })
}

/** Runs DDL that has not been run, in the transaction that is open. */
export function runDdl(connection: SqliteConnection, ddl: readonly string[]): void {
  connection.database.exec(BOOKKEEPING)
  for (const text of ddl) {
    const isNew = connection.run('insert or ignore into ashlar_ddl values (?)', text) > 0
    if (isNew) connection.database.exec(text)
  }
}

/** Makes a table that was checked one of the shard's, in the transaction that is open. */
export function installTable(connection: SqliteConnection, spec: TableSpec): void {
  const table = readTable(connection, spec)!
  if (table.kind === 'sharded') addSlotColumn(connection, table)
  for (const object of objectsOf(table)) replaceObject(connection, object)
  connection.run(
    `insert into ashlar_table values (?, ?, ?) on conflict do update
      set kind = excluded.kind, key = excluded.key`,
    table.name,
    table.kind,
    JSON.stringify(table.key),
  )
}

/** Why a table could not be installed. @throws {ShardError} `INVALID_TABLE` */
export function checkTable(connection: SqliteConnection, spec: TableSpec): void {
  const table = checkLayout(connection, spec)
  if (spec.kind === 'sharded') checkSlotColumn(connection, table)
}

/** As {@link checkTable}, but for the column of the slots. */
export function checkLayout(connection: SqliteConnection, spec: TableSpec): TableInfo {
  if (/^(?:ashlar|sqlite)_/iu.test(spec.name)) {
    throw invalidTable(spec.name, 'has a name that is kept for bookkeeping; call it something else')
  }
  const table = readTable(connection, spec)
  if (table === undefined) {
    throw invalidTable(spec.name, 'is not there, or no ordinary table; create it in the ddl')
  }
  if (table.primaryKey.length === 0) {
    throw invalidTable(
      spec.name,
      'has no primary key; declare one, so that its rows can be told apart',
    )
  }
  const wanted = spec.primaryKey
  if (wanted !== undefined && !isSameSet(wanted, table.primaryKey)) {
    throw invalidTable(
      spec.name,
      `has the primary key (${table.primaryKey.join(', ')}) and not (${wanted.join(', ')})`,
    )
  }
  const missing = spec.key.find((column) => !table.columns.includes(column))
  if (missing !== undefined) {
    throw invalidTable(spec.name, `has no column ${missing}, which its shard key names`)
  }
  checkConflictClauses(connection, spec.name)
  return table
}

/** What replaces rows unasked fires no delete triggers, so the guard would not see it. */
function checkConflictClauses(connection: SqliteConnection, name: string): void {
  const row = connection.get(
    "select sql from sqlite_schema where type = 'table' and name = ?",
    name,
  )
  if (!/\bon\s+conflict\s+replace\b/iu.test(String(row?.[0]))) return
  throw invalidTable(name, 'says ON CONFLICT REPLACE, which removes rows unguarded; leave it out')
}

function checkSlotColumn(connection: SqliteConnection, table: TableInfo): void {
  const slot = table.byColumn.get('ashlar_slot')
  if (slot?.defaultSql?.includes(SLOT_FUNCTION)) return
  if (slot !== undefined) {
    throw invalidTable(table.name, 'declares ashlar_slot itself; leave that column to install')
  }
  if (connection.get(`select 1 from ${quoted(table.name)} limit 1`) === undefined) return
  throw invalidTable(
    table.name,
    'holds rows that were written without a slot; adopt them, or install it empty and write them ' +
      'by the router',
  )
}

function addSlotColumn(connection: SqliteConnection, table: TableInfo): void {
  if (table.byColumn.has('ashlar_slot')) return
  connection.database.exec(
    `alter table ${quoted(table.name)}
      add column ashlar_slot integer default (${SLOT_FUNCTION}())`,
  )
}

interface SchemaObject {
  readonly type: 'trigger' | 'index' | 'view'
  readonly name: string
  readonly sql: string
}

function objectsOf(table: TableInfo): SchemaObject[] {
  if (table.kind === 'reference') return referenceTriggers(table)
  const { name } = table
  const indexName = `ashlar_slot_${name}`
  const viewName = `ashlar_owned_${name}`
  return [
    ...slotTriggers(table),
    {
      type: 'index',
      name: indexName,
      sql: `CREATE INDEX ${quoted(indexName)} ON ${quoted(name)} (ashlar_slot)`,
    },
    {
      type: 'view',
      name: viewName,
      sql:
        `CREATE VIEW ${quoted(viewName)} AS SELECT ${table.columns.map(quoted).join(', ')} ` +
        `FROM ${quoted(name)} WHERE +ashlar_slot IN (${OWNED_SLOTS})`,
    },
  ]
}

// One call of a function a row, in all but transactions over several slots of one shard: that is
// most of what a guard costs.
function slotTriggers(table: TableInfo): SchemaObject[] {
  const isOther = (row: string) => `${row}.ashlar_slot IS NOT ${SLOT_FUNCTION}()`
  const isStranger = `(${isOther('NEW')} AND NOT ${MOVER_FUNCTION}())`
  const isForeign = (row: string) =>
    `${isOther(row)} AND NOT ${CLAIMED_FUNCTION}(${row}.ashlar_slot)`
  const isNone = `NEW.ashlar_slot = ${REFERENCE_SLOT}`
  // From a slot that was claimed to that of the handle, as `put` over another slot's row does.
  const isAllowed = `${CLAIMED_FUNCTION}(OLD.ashlar_slot) AND NOT (${isOther('NEW')} OR ${isNone})`
  const strays = `(OLD.ashlar_slot IS NOT NEW.ashlar_slot AND NOT (${isAllowed}))`
  return [
    trigger(table, 'INSERT', `${isStranger} OR ${isNone}`, 'CROSS_SHARD'),
    trigger(table, 'UPDATE', `${strays} OR (${isForeign('NEW')})`, 'CROSS_SHARD'),
    trigger(table, 'DELETE', isForeign('OLD'), 'CROSS_SHARD'),
    ...keyTriggers(table),
  ]
}

function referenceTriggers(table: TableInfo): SchemaObject[] {
  const isOther = `${SLOT_FUNCTION}() <> ${REFERENCE_SLOT}`
  const changes = ['INSERT', 'UPDATE', 'DELETE'] as const
  return [
    ...changes.map((change) => trigger(table, change, isOther, 'REFERENCE')),
    ...keyTriggers(table),
  ]
}

/**
 * SQLite lets a primary key be NULL unless it is the rowid or says NOT NULL; such a row could be
 * told apart from no other, and the changesets of transactions over shards would leave it out.
 */
function keyTriggers(table: TableInfo): SchemaObject[] {
  const nullable = table.primaryKey.filter((column) => !table.byColumn.get(column)!.isNotNull)
  if (nullable.length === 0 || table.isKeyRowid) return []
  const isNull = nullable.map((column) => `NEW.${quoted(column)} IS NULL`).join(' OR ')
  return [
    trigger(table, 'INSERT', isNull, 'NULL_KEY'),
    trigger(table, 'UPDATE', isNull, 'NULL_KEY'),
  ]
}

function trigger(
  { name: table }: TableInfo,
  change: 'INSERT' | 'UPDATE' | 'DELETE',
  when: string,
  code: 'CROSS_SHARD' | 'REFERENCE' | 'NULL_KEY',
): SchemaObject {
  const name = `ashlar_${code.toLowerCase()}_${change.toLowerCase()}_${table}`
  const message = `'${`${REFUSAL}${code}:${table}`.replaceAll("'", "''")}'`
  return {
    type: 'trigger',
    name,
    sql:
      `CREATE TRIGGER ${quoted(name)} BEFORE ${change} ON ${quoted(table)} ` +
      `WHEN ${when} BEGIN SELECT RAISE(ABORT, ${message}); END`,
  }
}

/** Makes it, or makes it anew where an earlier version made another. */
function replaceObject(connection: SqliteConnection, { type, name, sql }: SchemaObject): void {
  const found = connection.get(
    'select sql from sqlite_schema where type = ? and name = ?',
    type,
    name,
  )
  if (found?.[0] === sql) return
  if (found !== undefined) connection.database.exec(`drop ${type} ${quoted(name)}`)
  connection.database.exec(sql)
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one))
}

/** @internal */
export function invalidTable(table: string, why: string): ShardError {
  return new ShardError('INVALID_TABLE', `table ${table} ${why}`)
}
