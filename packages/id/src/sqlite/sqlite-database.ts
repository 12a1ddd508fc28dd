// What the stores of this folder need of SQLite, and how they open a file: as a write-ahead log
// that is synced at each commit, so that neither a killed process nor a power loss takes back what
// was given out. Processes on one machine share a file; a network file system is no place for one.

import { IdError } from '../id-error.ts'

/** A `DatabaseSync` of node:sqlite fits; so does a `Database` of better-sqlite3. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** A prepared statement with named parameters. */
export interface SqliteStatement {
  get(parameters: Record<string, string | number>): unknown
  run(parameters: Record<string, string | number>): unknown
}

/** Opens a file, or takes a database that is open already and stays the caller's. */
export function openDatabase(given: string | SqliteDatabase): {
  readonly database: SqliteDatabase
  readonly close: () => void
} {
  if (typeof given !== 'string') return { database: given, close: () => {} }
  const database = new (sqlite().DatabaseSync)(given)
  database.exec('pragma busy_timeout = 10000; pragma synchronous = full')
  try {
    database.exec('pragma journal_mode = wal')
  } catch {
    // Somebody else is in the file: they set the mode, which stays, and the other one is safe too.
  }
  return { database, close: () => database.close() }
}

/**
 * Runs `change` as a transaction that nobody else writes in. In a transaction of the caller's it
 * fails, as it should: what that one rolled back would be given out again.
 */
export function exclusively<T>(database: SqliteDatabase, change: () => T): T {
  database.exec('begin immediate')
  try {
    const result = change()
    database.exec('commit')
    return result
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}

function sqlite(): typeof import('node:sqlite') {
  const found = process.getBuiltinModule('node:sqlite')
  if (found !== undefined) return found
  throw new IdError(
    'STORE_UNAVAILABLE',
    `@ashlar/id/sqlite needs node:sqlite, so Node 22.13 or later; this is ${process.version}`,
  )
}
