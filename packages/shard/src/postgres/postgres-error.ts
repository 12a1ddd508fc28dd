// How PostgreSQL's errors become this package's. The functions and triggers that `install` makes
// raise SQLSTATEs of a class of their own, with slot and epoch as the detail; errors of the user's
// statements (a duplicate key, say) pass as they are.
//
//   AS001 moved   AS002 stale   AS003 frozen   AS004 no slot declared   AS005 another slot's row
//   AS006 not allowed on a table that is guarded   AS007 a job's token that is out of date

import {
  CrossShard,
  Fenced,
  ShardError,
  ShardFrozen,
  ShardMoved,
  StaleEpoch,
} from '../shard-error.ts'

/** The connection went, or was refused: classes of SQLSTATE and single ones. */
const LOST = /^(08...|57P0.|25P03|28...|53300)$/

/** The five characters by which PostgreSQL names an error. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { readonly code?: unknown; severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}

/** Whether after this error the connection is of no use any more. */
export function isLoss(error: unknown): boolean {
  const code = sqlStateOf(error)
  if (code === undefined || LOST.test(code)) return true
  const { severity } = error as { readonly severity: string }
  return severity === 'FATAL' || severity === 'PANIC'
}

/** The error that a caller sees for one that a shard, or the way to it, gave. */
export function explain(shard: string, error: unknown): unknown {
  if (error instanceof ShardError) return error
  const code = sqlStateOf(error)
  const { message, detail } = error as { readonly message: string; readonly detail?: string }
  const [slot, epoch] = (detail ?? '').split(' ').map(Number) as [number, number]
  switch (code) {
    case 'AS001':
      return new ShardMoved(shard, slot, epoch)
    case 'AS002':
      return new StaleEpoch(shard, slot, epoch)
    case 'AS003':
      return new ShardFrozen(shard, slot, epoch)
    case 'AS004':
      return new ShardError('NO_SLOT', message, { shard, cause: error })
    case 'AS005':
      return new CrossShard(message, { shard, slot, cause: error })
    case 'AS006':
      return new ShardError('UNSUPPORTED', message, { shard, cause: error })
    case 'AS007':
      return new Fenced((detail ?? '').slice(String(slot).length + 1), slot, {
        shard,
        cause: error,
      })
    case '25006':
      return new ShardError(
        'INVALID_OPTION',
        'this transaction was opened with readOnly: it cannot write',
        { shard, cause: error },
      )
    default:
      return isLoss(error) ? unreachable(shard, error) : error
  }
}

/** Whether what `install` makes is not there. */
export function isNotInstalled(error: unknown): boolean {
  const code = sqlStateOf(error)
  return code === '3F000' || code === '42883' || code === '42P01'
}

/** The error of a shard that does not answer. */
export function unreachable(shard: string, cause: unknown): ShardError {
  return new ShardError(
    'UNREACHABLE',
    `shard ${shard} does not answer (${reasonOf(cause)}); check that it runs and try again`,
    { shard, cause },
  )
}

/** Node reports a refusal on several addresses as an error without a message. */
function reasonOf(cause: unknown): string {
  const { message, code } = cause as { readonly message?: string; readonly code?: string }
  return message || code || String(cause)
}
