// What a shard's file says of its tables: columns and primary key from SQLite's own catalogue, and
// which of them are sharded or reference tables from `ashlar_table`, where `install` wrote it.
//
//   ashlar_fence          slot │ state │ epoch         one row a slot that was ever owned
//   ashlar_fence_version  version                      counts changes of ashlar_fence
//   ashlar_table          name │ kind │ key            key: its columns, as JSON
//   ashlar_mark           name │ slot                  what `mark` remembered, of which slot
//   ashlar_intent         transaction │ at             transactions over shards that committed here
//   ashlar_ddl            text                         DDL that has been run

import type { TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

/** A column of a table. */
interface ColumnInfo {
  readonly name: string
  readonly isNotNull: boolean
  /** Generated columns are read and not written. */
  readonly isGenerated: boolean
  /** Its default as SQL. */
  readonly defaultSql: string | null
}

/** A table that `install` knows. */
export interface TableInfo {
  readonly name: string
  readonly kind: TableSpec['kind']
  readonly key: readonly string[]
  readonly primaryKey: readonly string[]
  /** Whether the primary key is the rowid itself, which is never NULL. */
  readonly isKeyRowid: boolean
  /** All columns but `ashlar_slot`. */
  readonly columns: readonly string[]
  readonly byColumn: ReadonlyMap<string, ColumnInfo>
  /** Statements on it that were made before, by what they are for. */
  readonly texts: Map<string, string>
}

/** The tables of bookkeeping, made by `install` and by the first fences. */
export const BOOKKEEPING: string = `
create table if not exists ashlar_fence
  (slot integer primary key, state text not null, epoch integer not null) strict;
create table if not exists ashlar_fence_version (version integer not null) strict;
insert into ashlar_fence_version select 0 where not exists (select 1 from ashlar_fence_version);
create table if not exists ashlar_table
  (name text primary key, kind text not null, key text not null) strict, without rowid;
create table if not exists ashlar_mark
  (name text primary key, slot integer not null) strict, without rowid;
create index if not exists ashlar_mark_slot on ashlar_mark (slot);
create table if not exists ashlar_intent
  ("transaction" text primary key, at integer not null) strict, without rowid;
create table if not exists ashlar_ddl (text text primary key) strict, without rowid;
${['insert', 'update', 'delete'].map(versionTrigger).join('\n')}`

/** The slots whose rows count here. */
export const OWNED_SLOTS: string =
  "SELECT slot FROM ashlar_fence WHERE state IN ('owned', 'frozen')"

/** Whether the file has been made a shard. */
export function isInstalled(connection: SqliteConnection): boolean {
  const sql = "select 1 from sqlite_schema where type = 'table' and name = 'ashlar_fence'"
  return connection.get(sql) !== undefined
}

/** An installed table. @throws {ShardError} `UNKNOWN_TABLE` for one that was not installed. */
export function tableOf(connection: SqliteConnection, name: string): TableInfo {
  const found = connection.tables.get(name)
  if (found !== undefined) return found
  const made = installedTable(connection, name)
  connection.tables.set(name, made)
  return made
}

/** The names of all tables that were installed. */
export function installedTables(connection: SqliteConnection): string[] {
  if (!isInstalled(connection)) return []
  const rows = connection.all('select name from ashlar_table order by name')
  return rows.map(({ name }) => String(name))
}

/** A table as it stands in the file; undefined for none, and for views and virtual tables. */
export function readTable(
  connection: SqliteConnection,
  { name, kind, key }: Pick<TableSpec, 'name' | 'kind' | 'key'>,
): TableInfo | undefined {
  const isTable = `select 1 from pragma_table_list
    where schema = 'main' and type = 'table' and name = ?`
  if (connection.get(isTable, name) === undefined) return undefined
  const all = connection.all(
    `select name, "notnull" as isNotNull, hidden, pk, dflt_value as defaultSql
      from pragma_table_xinfo(?) where hidden <> 1 order by cid`,
    name,
  )
  const byColumn = new Map<string, ColumnInfo>()
  for (const { name: column, isNotNull, hidden, defaultSql } of all) {
    byColumn.set(String(column), {
      name: String(column),
      isNotNull: isNotNull === 1,
      isGenerated: hidden !== 0,
      defaultSql: defaultSql as string | null,
    })
  }
  const primaryKey = all
    .filter(({ pk }) => pk !== 0)
    .sort((a, b) => Number(a.pk) - Number(b.pk))
    .map((column) => String(column.name))
  const columns = [...byColumn.keys()].filter((column) => column !== 'ashlar_slot')
  const keyIndex = connection.get(`select 1 from pragma_index_list(?) where origin = 'pk'`, name)
  const isKeyRowid = keyIndex === undefined
  return { name, kind, key, primaryKey, isKeyRowid, columns, byColumn, texts: new Map() }
}

/** The column, quoted. @throws {ShardError} `INVALID_OPTION` if the table has none of that name. */
export function columnOf(table: TableInfo, name: string): string {
  if (name !== 'ashlar_slot' && table.byColumn.has(name)) return quoted(name)
  throw new ShardError(
    'INVALID_OPTION',
    `table ${table.name} has no column ${show(name)}; it has ${table.columns.join(', ')}`,
  )
}

function installedTable(connection: SqliteConnection, name: string): TableInfo {
  const row = isInstalled(connection)
    ? connection.get('select kind, key from ashlar_table where name = ?', name)
    : undefined
  if (row !== undefined) {
    const kind = row[0] as TableSpec['kind']
    const key: readonly string[] = JSON.parse(String(row[1]))
    const table = readTable(connection, { name, kind, key })
    if (table !== undefined) return table
  }
  throw new ShardError(
    'UNKNOWN_TABLE',
    `table ${show(name)} was not installed on this shard; give the map a rule for it`,
  )
}

function versionTrigger(change: string): string {
  return `create trigger if not exists ashlar_fence_${change} after ${change} on ashlar_fence
    begin update ashlar_fence_version set version = version + 1; end;`
}
