// The file of a map store: one connection, every call a transaction of its own, synced before it
// resolves unless that is said. Unlike shards, a store may be open in several processes at once.

import { ShardError } from '../shard-error.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { exclusively, openWriter } from './sqlite-database.ts'
import { unreachable } from './sqlite-refusal.ts'

/** How long a call may hold the thread while other processes write. */
const BUSY_MS = 10_000

const TABLES = `
create table if not exists ashlar_map
  (one integer primary key check (one = 1), epoch integer not null, json text not null) strict;
create table if not exists ashlar_saga
  (id text primary key, name text not null, input text not null, state text not null,
  lease_until integer not null) strict, without rowid;`

/** The file of a map store, open. */
export class StoreFile {
  readonly #connection: SqliteConnection
  #isClosed = false

  /** @throws {ShardError} `UNREACHABLE`, `UNSUPPORTED` */
  constructor(path: string) {
    try {
      const files = process.getBuiltinModule('node:fs')
      const { dirname } = process.getBuiltinModule('node:path')
      if (path !== ':memory:') files.mkdirSync(dirname(path), { recursive: true })
      this.#connection = new SqliteConnection(openWriter(path, 'full'))
      const { database } = this.#connection
      database.exec(`pragma busy_timeout = ${BUSY_MS}`)
      exclusively(database, () => database.exec(TABLES))
    } catch (error) {
      throw explained(error)
    }
  }

  /** Reads. */
  async read<R>(action: (connection: SqliteConnection) => R): Promise<R> {
    return this.readNow(action)
  }

  /** Reads, at once. */
  readNow<R>(action: (connection: SqliteConnection) => R): R {
    this.#refuseClosed()
    try {
      return action(this.#connection)
    } catch (error) {
      throw explained(error)
    }
  }

  /** Changes, wholly or not at all, and durably once it resolves. */
  async change<R>(action: (connection: SqliteConnection) => R): Promise<R> {
    return this.readNow((connection) => exclusively(connection.database, () => action(connection)))
  }

  /**
   * Changes what a power loss may take back, though nothing less: not synced. What is changed later
   * is synced with it.
   */
  async changeLightly<R>(action: (connection: SqliteConnection) => R): Promise<R> {
    return this.readNow(({ database }) => {
      database.exec('pragma synchronous = normal')
      try {
        return exclusively(database, () => action(this.#connection))
      } finally {
        database.exec('pragma synchronous = full')
      }
    })
  }

  /** Safe to call twice. */
  close(): void {
    if (!this.#isClosed) this.#connection.close()
    this.#isClosed = true
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new ShardError('CLOSED', 'this map store was closed; make another')
  }
}

function explained(error: unknown): unknown {
  return error instanceof ShardError ? error : unreachable('map store', error)
}
