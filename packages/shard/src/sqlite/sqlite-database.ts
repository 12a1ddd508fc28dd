// How this folder opens SQLite: as a write-ahead log, so that readers keep their snapshot while one
// writer goes on, and synced at each commit unless told otherwise.
//
// node:sqlite is asked for when a file is opened, not when this module is imported, so that an
// older Node gets one clear line instead of a failing import.

import { ShardError } from '../shard-error.ts'
import type { Synchronous } from './synchronous.ts'

/** A connection of node:sqlite. */
export type Database = import('node:sqlite').DatabaseSync

/** A prepared statement of node:sqlite. */
export type Statement = import('node:sqlite').StatementSync

/** A value as node:sqlite takes it. */
export type SqlValue = import('node:sqlite').SQLInputValue

/** How long SQLite itself may hold the thread for a lock that another program has. */
const BUSY_MS = 1000

/**
 * Opens a file for writing, made if there is none.
 *
 * @throws {ShardError} `UNSUPPORTED` on a Node without node:sqlite; and what SQLite throws.
 */
export function openWriter(path: string, synchronous: Synchronous): Database {
  const database = new (sqlite().DatabaseSync)(path)
  database.exec(`pragma busy_timeout = ${BUSY_MS}; pragma synchronous = ${synchronous}`)
  database.exec('pragma journal_mode = wal')
  return database
}

/** Opens a file that a writer has open, for reading alone. */
export function openReader(path: string): Database {
  const database = new (sqlite().DatabaseSync)(path, { readOnly: true })
  database.exec(`pragma busy_timeout = ${BUSY_MS}`)
  return database
}

/** Opens a file that a writer has open, to edit its schema; gives way to other programs at once. */
export function openEditor(path: string): Database {
  const database = new (sqlite().DatabaseSync)(path)
  // Since Node 24.12, where edits of the schema are refused by default.
  database.enableDefensive?.(false)
  database.exec('pragma busy_timeout = 0')
  return database
}

/**
 * Runs `change` as a transaction that nobody else writes in; undone if it throws.
 */
export function exclusively<T>(database: Database, change: () => T): T {
  database.exec('begin immediate')
  try {
    const result = change()
    database.exec('commit')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Rolls back, where SQLite has not done so by itself (it does when a disk is full). */
export function rollBack(database: Database): void {
  try {
    database.exec('rollback')
  } catch {
    // There is no transaction to undo any more, which is what was wanted.
  }
}

/** The name as an identifier of SQL, whatever characters it has. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** The module, or one clear line on a Node that lacks it. */
export function sqlite(): typeof import('node:sqlite') {
  const found = process.getBuiltinModule('node:sqlite')
  if (found !== undefined) return found
  throw new ShardError(
    'UNSUPPORTED',
    `@ashlar/shard/sqlite needs node:sqlite, so Node 22.13 or later; this is ${process.version}`,
  )
}
