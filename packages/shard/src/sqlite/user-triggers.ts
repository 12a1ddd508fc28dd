// Puts triggers out of force for a while. SQLite has no switch for that in node:sqlite, so they are
// dropped and made again in the transaction that is open, in the order in which they stand.

import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

interface Trigger {
  readonly name: string
  readonly sql: string
}

/** Does something while those triggers of these tables are out of force that are to be silent. */
export function withoutTriggers<R>(
  connection: SqliteConnection,
  tables: readonly string[],
  isSilent: (trigger: string) => boolean,
  action: () => R,
): R {
  const triggers = triggersOf(connection, tables).filter(({ name }) => isSilent(name))
  for (const { name } of triggers) connection.database.exec(`drop trigger main.${quoted(name)}`)
  const result = action()
  for (const { sql } of triggers) connection.database.exec(sql)
  return result
}

/** Whether a trigger is none of this package's. */
export function isUsers(trigger: string): boolean {
  return !trigger.startsWith('ashlar_')
}

/** The triggers of these tables. */
export function triggersOf(connection: SqliteConnection, tables: readonly string[]): Trigger[] {
  const rows = connection.all(
    `select name, sql from main.sqlite_schema where type = 'trigger'
      and tbl_name collate nocase in (select value from json_each(?)) order by rowid`,
    JSON.stringify(tables),
  )
  return rows.map(({ name, sql }) => ({ name: String(name), sql: String(sql) }))
}
