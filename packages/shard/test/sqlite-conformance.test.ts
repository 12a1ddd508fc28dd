// The kits of conformance/, over real files and over `:memory:`, for the engine and the map store.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, test } from 'vitest'
import {
  type EngineUnderTest,
  engineConformance,
  type MapStoreUnderTest,
  mapStoreConformance,
} from '../src/conformance/index.ts'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'

/** Shards in files of their own; what closing an engine leaves is what a crash leaves. */
async function openFiles(shards: readonly string[]): Promise<EngineUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-sqlite-'))
  const files = Object.fromEntries(shards.map((shard) => [shard, join(folder, `${shard}.db`)]))
  const make = () => new SqliteEngine({ shards: files, synchronous: 'off' })
  let engine = make()
  return {
    engine,
    reopen: async () => {
      await engine.close()
      engine = make()
      return engine
    },
    bypass: async (shard, sql) => {
      const other = new DatabaseSync(files[shard]!)
      try {
        return other.prepare(sql).all()
      } finally {
        other.close()
      }
    },
    close: async () => {
      await engine.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function openStore(): Promise<MapStoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-sqlite-'))
  const opened: SqliteMapStore[] = []
  const connect = async () => {
    const store = new SqliteMapStore(join(folder, 'map.db'), { pollMs: 10 })
    opened.push(store)
    return store
  }
  return {
    store: await connect(),
    connect,
    close: async () => {
      await Promise.all(opened.map((store) => store.close()))
      rmSync(folder, { recursive: true })
    },
  }
}

describe('the SQLite engine over files', () => {
  for (const { name, run } of engineConformance({ open: openFiles, sql: true })) test(name, run)
})

/** A crash takes a memory with it, so there a case ends. */
let hasCrashed = false

async function openMemory(shards: readonly string[]): Promise<EngineUnderTest> {
  const engine = new SqliteEngine({
    shards: Object.fromEntries(shards.map((shard) => [shard, ':memory:'])),
  })
  hasCrashed = false
  const reopen = () => {
    hasCrashed = true
    return Promise.reject(new Error('a crash takes a memory with it'))
  }
  return { engine, reopen, close: () => engine.close() }
}

describe('the SQLite engine in memory, up to the first crash', () => {
  for (const { name, run } of engineConformance({ open: openMemory, sql: true })) {
    test(name, () =>
      run().catch((error: unknown) => {
        if (!hasCrashed) throw error
      }),
    )
  }
})

describe('the SQLite engine on a Node before 22.16, whose rows are objects', () => {
  const { prototype } = StatementSync
  const { setReturnArrays, columns } = prototype
  beforeAll(() => Object.assign(prototype, { setReturnArrays: undefined, columns: undefined }))
  afterAll(() => Object.assign(prototype, { setReturnArrays, columns }))
  for (const { name, run } of engineConformance({ open: openFiles, sql: true })) test(name, run)
})

describe('the SQLite map store', () => {
  for (const { name, run } of mapStoreConformance({ open: openStore })) test(name, run)
})
