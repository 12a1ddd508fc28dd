// Who owns a shard's file: one process at a time, since fences and prepared transactions are kept
// in that process. The owner holds an exclusive transaction on an empty database beside the file,
// `<file>-ashlar-lock`: a lock of the operating system, which ends with the process however it
// ends. SQLite's `locking_mode = exclusive` would do the same but shut out our own readers.

import { ShardError } from '../shard-error.ts'
import { type Database, sqlite } from './sqlite-database.ts'

/**
 * Takes the lock of a file and returns what gives it back.
 *
 * @throws {ShardError} `UNREACHABLE` while somebody else holds it, this process included.
 */
export function lockFile(shard: string, path: string): () => void {
  const lock: Database = new (sqlite().DatabaseSync)(`${path}-ashlar-lock`)
  try {
    lock.exec('pragma busy_timeout = 0; begin exclusive')
  } catch (cause) {
    lock.close()
    throw new ShardError(
      'UNREACHABLE',
      `shard ${shard}: ${path} is open in another engine, of this or another process; ` +
        'one owns a file at a time, so close that one or take the PostgreSQL engine',
      { shard, cause },
    )
  }
  return () => lock.close()
}
