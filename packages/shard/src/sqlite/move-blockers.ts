// What stands against moving slots from or to a shard, found before anything is changed.

import type { TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import type { CaptureKind } from '../slot-mover.ts'
import { isInstalled, readTable } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { checkTable } from './sqlite-install.ts'
import { isUsers, triggersOf } from './user-triggers.ts'

/** A sentence for each thing that stands against it; none if there is nothing. */
export function moveBlockers(
  connection: SqliteConnection,
  shard: string,
  tables: readonly TableSpec[],
  { role, capture }: { readonly role: 'source' | 'target'; readonly capture: CaptureKind },
): string[] {
  return [
    ...(capture === 'trigger' ? [] : [`SQLite captures changes by trigger, not by ${capture}`]),
    ...encodingBlockers(connection, shard),
    ...tables.flatMap((table) => tableBlockers(connection, shard, table, role)),
    ...triggerBlockers(connection, shard, tables),
  ]
}

/** Files of two encodings cannot be attached to each other. */
function encodingBlockers(connection: SqliteConnection, shard: string): string[] {
  const encoding = String(connection.get('pragma encoding')![0])
  if (encoding === 'UTF-8') return []
  return [`the file of shard ${shard} keeps text as ${encoding}; rows move between UTF-8 files`]
}

function tableBlockers(
  connection: SqliteConnection,
  shard: string,
  spec: TableSpec,
  role: 'source' | 'target',
): string[] {
  const table = readTable(connection, spec)
  if (table === undefined && role === 'target') return []
  try {
    checkTable(connection, spec)
  } catch (error) {
    if (!(error instanceof ShardError)) throw error
    return [`on shard ${shard}, ${error.message}`]
  }
  const isKnown = isInstalled(connection) && isInstalledAs(connection, spec)
  if (role === 'target' || isKnown) return []
  return [
    `table ${spec.name} was not installed on shard ${shard} as ${spec.kind}; install it first`,
  ]
}

function isInstalledAs(connection: SqliteConnection, { name, kind }: TableSpec): boolean {
  const sql = 'select 1 from ashlar_table where name = ? and kind = ?'
  return connection.get(sql, name, kind) !== undefined
}

/** Triggers do not fire for what a mover writes, which two kinds of them cannot go without. */
function triggerBlockers(
  connection: SqliteConnection,
  shard: string,
  tables: readonly TableSpec[],
): string[] {
  const names = tables.map(({ name }) => name)
  const virtual = connection
    .all("select name from pragma_table_list where schema = 'main' and type = 'virtual'")
    .map(({ name }) => String(name))
  const users = triggersOf(connection, names).filter(({ name }) => isUsers(name))
  return users.flatMap(({ name, sql }) => {
    const filled = virtual.find((table) => sql.toLowerCase().includes(table.toLowerCase()))
    if (filled === undefined) return []
    return [
      `trigger ${name} of shard ${shard} keeps the virtual table ${filled} up to date, which ` +
        'would not see rows that move; drop it for the time of the move and build it anew after',
    ]
  })
}
