// The names of prepared transactions. PostgreSQL knows them in the whole server, where several
// shards may be databases beside each other, so the shard is a part:  ashlar:<transaction>@<shard>

import { ShardError } from '../shard-error.ts'

const PREFIX = 'ashlar:'
const MAX_BYTES = 199

/**
 * The name under which PostgreSQL keeps a prepared transaction.
 *
 * @throws {ShardError} `INVALID_OPTION` where it would be too long.
 */
export function preparedName(transaction: string, shard: string): string {
  const name = `${PREFIX}${transaction}@${shard}`
  if (new TextEncoder().encode(name).length <= MAX_BYTES && !name.includes('\0')) return name
  throw new ShardError(
    'INVALID_OPTION',
    `${JSON.stringify(name)} cannot name what is prepared: at most ${MAX_BYTES} bytes, no NUL`,
    { shard, transaction },
  )
}

/** The transaction that a name stands for on this shard; undefined for a name of something else. */
export function preparedTransactionOf(name: string, shard: string): string | undefined {
  const suffix = `@${shard}`
  if (!name.startsWith(PREFIX) || !name.endsWith(suffix)) return undefined
  return name.slice(PREFIX.length, name.length - suffix.length)
}
