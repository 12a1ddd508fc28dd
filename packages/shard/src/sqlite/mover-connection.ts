// The connection that a mover writes a shard with, in the shard's turn to write. It is apart from
// the shard's own writer, so that guards and capture let it pass (the functions they ask answer
// otherwise here), foreign keys are off (rows come in no order that they would like), and the files
// of other shards are attached, from which it only reads.
//
// A transaction begins with a write to the shard's own file. BEGIN IMMEDIATE would lock the
// attached files as well, whose shards are at work.

import { CAPTURED_FUNCTION } from './sqlite-capture.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { openWriter, quoted, rollBack } from './sqlite-database.ts'
import { CLAIMED_FUNCTION, MOVER_FUNCTION, SLOT_FUNCTION } from './sqlite-install.ts'
import type { Synchronous } from './synchronous.ts'

/** SQLite attaches 10 at most. */
const MAX_ATTACHED = 8

/** In KB, for each file: a unit's pages, its indexes' among them, stay until they are written. */
const CACHE_KB = 65_536

/** A connection that moves rows into a shard. */
export class MoverConnection {
  readonly connection: SqliteConnection
  /** The schemas of the shards that are attached; who was attached first is first. */
  readonly #attached = new Map<string, string>()
  #count = 0

  constructor(path: string, synchronous: Synchronous) {
    const database = openWriter(path, synchronous)
    this.connection = new SqliteConnection(database)
    // REFERENCE_SLOT, which is what reference tables are guarded with.
    database.function(SLOT_FUNCTION, () => -1)
    database.function(CLAIMED_FUNCTION, (_slot) => 1)
    database.function(MOVER_FUNCTION, () => 1)
    database.function(CAPTURED_FUNCTION, (_slot) => 0)
    database.exec(`pragma foreign_keys = off; pragma cache_size = -${CACHE_KB}`)
  }

  /** The schema under which another shard's file is read. */
  attach(shard: string, path: string): string {
    const found = this.#attached.get(shard)
    if (found !== undefined) return found
    const { database } = this.connection
    if (this.#attached.size >= MAX_ATTACHED) {
      const [[oldest, schema]] = [...this.#attached] as [[string, string]]
      this.#attached.delete(oldest)
      database.exec(`detach ${quoted(schema)}`)
    }
    this.#count += 1
    const schema = `ashlar_source_${this.#count}`
    this.connection.run(`attach ? as ${quoted(schema)}`, path)
    this.#attached.set(shard, schema)
    database.exec(`pragma ${quoted(schema)}.cache_size = -${CACHE_KB}`)
    return schema
  }

  /** Runs a change, which begins with a write, as one transaction; undone if it throws. */
  change<R>(action: (connection: SqliteConnection) => R): R {
    const { connection } = this
    // Tables may have been changed since.
    connection.tables.clear()
    connection.database.exec('begin')
    try {
      const result = action(connection)
      connection.database.exec('commit')
      return result
    } catch (error) {
      rollBack(connection.database)
      throw error
    }
  }

  close(): void {
    this.connection.close()
  }
}
