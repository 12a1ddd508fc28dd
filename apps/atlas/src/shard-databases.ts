// The databases that the cities are stored in: one a shard and one for the map, by the engine that
// the command line names. All of it is made for this run, and gone when it ends.

import type { Engine, MapStore, SqlTx } from '@ashlar/shard'
import type { Closers } from './closers.ts'

/** The engines there are. */
export const ENGINES = ['sqlite', 'postgres'] as const

/** One of {@link ENGINES}. */
export type EngineKind = (typeof ENGINES)[number]

/** What the command line says about the databases. */
export interface DatabaseOptions {
  readonly engine: EngineKind
  /** PostgreSQL servers of the user's own; none: servers are started for this run. */
  readonly postgres: readonly string[]
}

/** The databases, open. */
export interface ShardDatabases {
  readonly engine: Engine<SqlTx>
  readonly store: MapStore
  /** What they are, in words. */
  readonly where: string
}

/**
 * Makes databases for these shards and opens them; what `closers` is given closes and removes them,
 * also if this fails half-way.
 */
export async function openDatabases(
  shards: readonly string[],
  { engine, postgres }: DatabaseOptions,
  closers: Closers,
): Promise<ShardDatabases> {
  // Loaded when asked for: who stores in SQLite needs no driver of PostgreSQL.
  if (engine === 'sqlite') {
    const { openSqlite } = await import('./sqlite-databases.ts')
    return openSqlite(shards, closers)
  }
  const { openPostgres } = await import('./postgres-databases.ts')
  return openPostgres(shards, postgres, closers)
}
