// What a transaction must not have done to be prepared: changes that a changeset leaves out, so
// that a crash between decision and commit would lose them, and keys that could still refuse the
// commit.

import { ShardError } from '../shard-error.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { tablesOf } from './sqlite-redo.ts'

/** What of a schema matters here; looked up once a version of it. */
export interface SchemaLimits {
  /** A table without a primary key. */
  readonly unrecorded: string | undefined
  /** Tables that virtual tables keep their rows in. */
  readonly shadows: readonly string[]
  /** Tables with foreign keys that wait for the commit. */
  readonly deferred: readonly string[]
}

/**
 * Refuses a transaction that could not be done again, or not be committed.
 *
 * @throws {ShardError} `UNSUPPORTED`, `ROLLED_BACK`
 */
export function checkPreparable(
  connection: SqliteConnection,
  shard: string,
  changeset: Uint8Array,
): void {
  connection.limits ??= readLimits(connection)
  const { unrecorded, shadows, deferred } = connection.limits
  if (unrecorded !== undefined) {
    throw new ShardError(
      'UNSUPPORTED',
      `table ${unrecorded} of shard ${shard} has no primary key, and transactions over shards on ` +
        'SQLite cannot do such rows again after a crash; declare one',
      { shard },
    )
  }
  if (shadows.length > 0) refuseVirtual(shard, tablesOf(connection, changeset), shadows)
  for (const table of deferred) checkDeferredKeys(connection, shard, table)
}

function readLimits(connection: SqliteConnection): SchemaLimits {
  const names = (sql: string) => connection.all(sql).map(({ name }) => String(name))
  const [unrecorded] = names(
    `select name from pragma_table_list as t where schema = 'main' and type = 'table'
      and name not like 'sqlite|_%' escape '|' and name not like 'ashlar|_log|_%' escape '|'
      and name <> 'ashlar_fence_version'
      and not exists (select 1 from pragma_table_info(t.name) where pk > 0) limit 1`,
  )
  return {
    unrecorded,
    shadows: names(`select name from pragma_table_list where schema = 'main' and type = 'shadow'`),
    deferred: names(
      `select name from sqlite_schema where type = 'table' and sql like '%initially%deferred%'`,
    ),
  }
}

/** Full-text and other virtual tables keep a state beside their rows, which a changeset has not. */
function refuseVirtual(
  shard: string,
  changed: readonly string[],
  shadows: readonly string[],
): void {
  const found = shadows.find((name) => changed.includes(name))
  if (found === undefined) return
  throw new ShardError(
    'UNSUPPORTED',
    `table ${found} of shard ${shard} belongs to a virtual table, and transactions over shards ` +
      'on SQLite cannot do such changes again after a crash; make them by withShard',
    { shard },
  )
}

/** Foreign keys that wait for the commit are looked at now: a prepared transaction must commit. */
function checkDeferredKeys(connection: SqliteConnection, shard: string, table: string): void {
  const sql = 'select "parent" from pragma_foreign_key_check(?) limit 1'
  const broken = connection.get(sql, table)
  if (broken === undefined) return
  throw new ShardError(
    'ROLLED_BACK',
    `a row of table ${table} on shard ${shard} refers to no row of ${broken[0]}`,
    { shard },
  )
}
