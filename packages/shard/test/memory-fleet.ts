// Memory engines over two shards with a table and fences, as the tests of memory/ begin with.

import type { OpenTransaction, Row, ShardTx } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine, type MemoryEngineOptions } from '@ashlar/shard/memory'
import { expect } from 'vitest'

/** The table that most tests work on. */
export const PERSON = { name: 'person', kind: 'sharded', key: ['id'], primaryKey: ['id'] } as const
const COUNTRY = { name: 'country', kind: 'reference', key: [], primaryKey: ['code'] } as const

/** An engine on shards s1 and s2 with slots 1 and 2, with those options. */
export async function engineOf(options: Partial<MemoryEngineOptions> = {}): Promise<MemoryEngine> {
  const shards = { s1: new MemoryDatabase(), s2: new MemoryDatabase() }
  const plain = new MemoryEngine({ shards })
  for (const shard of plain.shards) {
    await plain.install(shard, { ddl: [], tables: [PERSON, COUNTRY] })
    const fences = [-1, 1, 2].map((slot) => ({ slot, state: 'owned', epoch: 1 }) as const)
    await plain.setFences(shard, fences)
  }
  return new MemoryEngine({ shards, ...options })
}

/** Opens a transaction at epoch 1. */
export function begin(
  engine: MemoryEngine,
  shard = 's1',
  slots: readonly number[] = [1],
): Promise<OpenTransaction<ShardTx>> {
  return engine.open(shard, { slots, epoch: 1 })
}

/** The rows of `person`, by id. */
export async function rowsOf(engine: MemoryEngine, shard = 's1'): Promise<Row[]> {
  const scan = await engine.scan(shard, { table: 'person', orderBy: [{ column: 'id' }] })
  const rows: Row[] = []
  for await (const batch of scan.rows()) rows.push(...batch)
  await scan.close()
  return rows
}

/** What an error with that code looks like. */
export const refusal = (code: string): unknown =>
  expect.objectContaining({ name: expect.any(String), code })
/** What a database holds once all has ended. */
export const NOTHING = { locks: 0, snapshots: 0, prepared: 0 }
