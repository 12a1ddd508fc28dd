// What SQLite says, in this package's words where it has some: the refusals of our triggers, writes
// to a snapshot, and a file that cannot be used. A user's own mistakes, constraints among them,
// pass through as they are.

import { CrossShard, ShardError } from '../shard-error.ts'
import { REFUSAL } from './sqlite-install.ts'

const READ_ONLY = 8
/** SQLITE_BUSY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const UNUSABLE = new Set([5, 10, 11, 13, 14, 26])

/** The error to give for one that a statement on a shard threw. */
export function refusalOf(error: unknown, shard: string, slot?: number): unknown {
  if (error instanceof ShardError || !(error instanceof Error)) return error
  if (error.message.startsWith(REFUSAL)) return guardRefusal(error.message, shard, slot)
  if ('code' in error && error.code === 'ERR_INVALID_STATE') {
    return new ShardError('CLOSED', `shard ${shard} was closed under a statement`, {
      shard,
      cause: error,
    })
  }
  const code = 'errcode' in error ? Number(error.errcode) & 0xff : undefined
  if (code === READ_ONLY) {
    return new ShardError(
      'INVALID_OPTION',
      `a read-only transaction on shard ${shard} was asked to write; open it without readOnly`,
      { shard, slot, cause: error },
    )
  }
  if (code === undefined || !UNUSABLE.has(code)) return error
  return unreachable(shard, error)
}

/** The shard's file cannot be used. */
export function unreachable(shard: string, cause: unknown): ShardError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ShardError('UNREACHABLE', `shard ${shard} cannot be used: ${why}`, { shard, cause })
}

function guardRefusal(message: string, shard: string, slot: number | undefined): ShardError {
  const [code, ...rest] = message.slice(REFUSAL.length).split(':')
  const table = rest.join(':')
  switch (code) {
    case 'NULL_KEY':
      return new ShardError(
        'INVALID_KEY',
        `a row of table ${table} has NULL in its primary key; give it a value`,
        { shard, slot },
      )
    case 'REFERENCE':
      return new CrossShard(
        `table ${table} is a reference table, equal on all shards; write it by replicate()`,
        { shard, slot },
      )
    default:
      return new CrossShard(
        `a row of table ${table} belongs to no slot that this transaction on shard ${shard} ` +
          `writes under slot ${slot}; name its key in transaction() and use the handle of that key`,
        { shard, slot },
      )
  }
}
