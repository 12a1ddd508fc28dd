// Whether a server can be a shard.

import { ShardError } from '../shard-error.ts'
import { isNotInstalled } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { unnamed } from './statement.ts'

const MIN_VERSION = 150_000

const SETTINGS = `select
  current_setting('server_version_num')::int as version,
  current_setting('server_version') as version_text,
  current_setting('max_prepared_transactions')::int as prepared,
  pg_catalog.pg_is_in_recovery() as is_standby`

/** @throws {ShardError} `UNSUPPORTED`, saying what to change. */
export async function checkShard(session: PostgresSession, shard: string): Promise<void> {
  const { rows } = await session.run(unnamed(SETTINGS))
  const { version, version_text, prepared, is_standby } = rows[0]!
  const refuse = (problem: string): never => {
    throw new ShardError('UNSUPPORTED', `shard ${shard} ${problem}`, { shard })
  }
  if (Number(version) < MIN_VERSION) {
    refuse(`runs PostgreSQL ${version_text}; this engine needs 15 or later`)
  }
  if (is_standby) refuse('is a standby, which takes no writes: give the address of its primary')
  if (prepared === 0) {
    refuse(
      'has max_prepared_transactions = 0, so transactions over shards cannot be atomic: set ' +
        'max_prepared_transactions = 100 (max_connections, say) in postgresql.conf, and restart it',
    )
  }
  const id = await idOf(session)
  if (id !== undefined && id !== shard) {
    refuse(
      `is at the address of a database that is shard ${id}: correct the addresses, or, if it was ` +
        'renamed, update ashlar.shard there',
    )
  }
}

/** Which shard the database was made; undefined before that. */
async function idOf(session: PostgresSession): Promise<unknown> {
  try {
    const { rows } = await session.run(unnamed('select id from ashlar.shard'))
    return rows[0]?.id
  } catch (error) {
    if (isNotInstalled(error)) return undefined
    throw error
  }
}
