// The memory engine and map store under the kits that every engine and store must pass.

import { engineConformance, mapStoreConformance } from '@ashlar/shard/conformance'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'
import { describe, test } from 'vitest'
import { VirtualTimers } from './memory-virtual-timers.ts'

async function openEngine(shards: readonly string[]) {
  const databases = Object.fromEntries(shards.map((shard) => [shard, new MemoryDatabase()]))
  let engine = new MemoryEngine({ shards: databases })
  const reopen = async () => {
    await engine.close()
    engine = new MemoryEngine({ shards: databases })
    return engine
  }
  const leaks = async () =>
    Object.values(databases)
      .flatMap((database) => Object.entries(database.held))
      .flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
  return { engine, reopen, close: () => engine.close(), leaks }
}

const timers = new VirtualTimers()

async function openStore() {
  const store = new MemoryMapStore({ now: timers.now, timers })
  const handles = [store]
  const connect = async () => {
    const handle = store.connect()
    handles.push(handle)
    return handle
  }
  const close = async () => {
    for (const handle of handles) await handle.close()
  }
  return { store, connect, close }
}

describe('MemoryEngine', () => {
  for (const { name, run } of engineConformance({ open: openEngine, patienceMs: 5 })) {
    test(name, run)
  }
})

describe('MemoryMapStore', () => {
  for (const { name, run } of mapStoreConformance({ open: openStore, timers })) {
    test(name, run)
  }
})
