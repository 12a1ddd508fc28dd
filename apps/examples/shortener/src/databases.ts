// The databases: one a shard, the map of who holds what, and the leases of worker ids. SQLite files
// belong to one process; PostgreSQL is shared by any number of them.

import { join } from 'node:path'
import type { WorkerLeaseStore } from '@ashlar/id'
import { SqliteLeaseStore } from '@ashlar/id/sqlite'
import type { Engine, MapStore, SqlTx } from '@ashlar/shard'
import { SqliteEngine, SqliteMapStore } from '@ashlar/shard/sqlite'
import type { Settings } from './settings.ts'

/** The databases, open. */
export interface Databases {
  /** Also reaches databases that are not shards yet. */
  readonly engine: Engine<SqlTx>
  readonly store: MapStore
  readonly leases: WorkerLeaseStore
  close(): Promise<void>
}

/** Opens what the settings name. Nobody is asked for anything yet, but the map's file is made. */
export async function openDatabases(settings: Settings): Promise<Databases> {
  const { dataDir, databaseUrls } = settings
  if (databaseUrls.length > 0) return openPostgres(databaseUrls)
  const file = (name: string) => join(dataDir, `${name}.db`)
  const store = new SqliteMapStore(file('map'))
  const leases = new SqliteLeaseStore({ database: file('map') })
  // One more than there are: the next to join, an empty file until then.
  const inUse = (await store.load())?.shards.length ?? 0
  const shards = Array.from({ length: Math.max(inUse, settings.shards) + 1 }, (_, i) =>
    shardName(i),
  )
  const engine = new SqliteEngine({
    shards: Object.fromEntries(shards.map((id) => [id, file(id)])),
  })
  return { engine, store, leases, close: () => closeAll(leases, store, engine) }
}

/** The names of shards, in the order in which they join. */
export function shardName(index: number): string {
  return `shard-${index + 1}`
}

async function openPostgres(urls: readonly string[]): Promise<Databases> {
  // Loaded when asked for: who stores in SQLite needs no driver of PostgreSQL.
  const [{ default: pg }, { PostgresEngine, PostgresMapStore }, { PostgresLeaseStore }] =
    await Promise.all([
      import('pg'),
      import('@ashlar/shard/postgres'),
      import('@ashlar/id/postgres'),
    ])
  const shards = Object.fromEntries(urls.map((url, i) => [shardName(i), url]))
  const engine = new PostgresEngine({ shards })
  const store = new PostgresMapStore(urls[0]!)
  const pool = new pg.Pool({ connectionString: urls[0], max: 1 })
  // A connection that breaks while it is idle: the next renewal makes another.
  pool.on('error', () => {})
  const leases = new PostgresLeaseStore({ client: pool })
  const end = { close: () => pool.end() }
  try {
    await leases.createTable()
  } catch (error) {
    await closeAll(leases, end, store, engine).catch(Boolean)
    throw error
  }
  return { engine, store, leases, close: () => closeAll(leases, end, store, engine) }
}

async function closeAll(...parts: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close()
}
