// What the examples of @ashlar/shard have at hand: a fleet on SQLite in memory with a table of
// users, a database that was never sharded, a job that waits for an old transaction in vain.

import { DatabaseSync } from 'node:sqlite'
import {
  BarrierTimeout,
  by,
  ShardMap,
  ShardRouter,
  type SqlTx,
  type TransactionScope,
} from '@ashlar/shard'
import type { EngineUnderTest, MapStoreUnderTest } from '@ashlar/shard/conformance'
import { MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'
import { SqliteEngine, SqliteMapStore } from '@ashlar/shard/sqlite'

export const ddl = ['CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT)']
export const map: ShardMap = ShardMap.create({
  shards: ['oak', 'ash'],
  tables: { users: by('id') },
})
export const engine: SqliteEngine = new SqliteEngine({
  shards: { oak: ':memory:', ash: ':memory:', elm: ':memory:' },
})
export const store: SqliteMapStore = new SqliteMapStore(':memory:')
export const router: ShardRouter<SqlTx> = await ShardRouter.open({ engine, store, map, ddl })

/** The file of the database that was never sharded. */
export const file = 'live.db'
const live = new DatabaseSync(file)
for (const statement of ddl) live.exec(statement)
live.exec("INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Ken')")
live.close()

export const job = {
  async run(): Promise<void> {
    throw new BarrierTimeout('oak', 30_000, ['session 4711'])
  },
}

export async function transfer(t: TransactionScope<SqlTx>): Promise<void> {
  await t.on('ada').mark('paid')
  await t.on('ken').mark('paid')
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** An engine and a store in memory for the conformance kits. */
export async function open(
  shards: readonly string[] = [],
): Promise<EngineUnderTest & MapStoreUnderTest> {
  const tried = new MemoryEngine({ shards })
  const kept = new MemoryMapStore()
  return {
    engine: tried,
    store: kept,
    reopen: async () => tried,
    connect: async () => kept,
    close: async () => {
      await tried.close()
      await kept.close()
    },
  }
}

/** Stands for the runner's. */
export function test(_name: string, _run: () => Promise<void>): void {}
