// A SQLite file a shard and one for the map, in a temporary folder that is removed at the end.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteEngine, SqliteMapStore } from '@ashlar/shard/sqlite'
import type { Closers } from './closers.ts'
import type { ShardDatabases } from './shard-databases.ts'

/** Makes a folder with the files of these shards, and opens them. */
export async function openSqlite(
  shards: readonly string[],
  closers: Closers,
): Promise<ShardDatabases> {
  const folder = await mkdtemp(join(tmpdir(), 'ashlar-atlas-'))
  closers.add(() => rm(folder, { recursive: true, force: true }))
  const files = Object.fromEntries(shards.map((shard) => [shard, join(folder, `${shard}.db`)]))
  // No syncs: the files do not outlive the run, so there is nothing to save from a power loss.
  const engine = new SqliteEngine({ shards: files, synchronous: 'off' })
  closers.add(() => engine.close())
  const store = new SqliteMapStore(join(folder, 'map.db'))
  closers.add(() => store.close())
  return { engine, store, where: 'SQLite files in a temporary folder, removed at the end' }
}
