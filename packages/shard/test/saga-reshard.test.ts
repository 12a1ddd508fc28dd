// Sagas whose slots move under them: the names of their steps go along, and copies are no names.

import { expect, test } from 'vitest'
import type { ShardTx } from '../src/engine.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { Reshard } from '../src/reshard/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { refuseCopy } from '../src/slot-copies.ts'
import { by } from '../src/table-rule.ts'

interface Trip {
  readonly key: string
}

async function fleet() {
  const engine = new MemoryEngine({ shards: ['s1', 's2'] })
  const store = new MemoryMapStore()
  const map = ShardMap.create({
    slots: 16,
    shards: ['s1', 's2'],
    tables: { seats: by('id', { primaryKey: ['id'] }) },
  })
  const router = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
  return { engine, store, router }
}

function keyOn(router: ShardRouter, shard: string): string {
  const key = Array.from({ length: 100 }, (_, i) => `trip ${i}`)
  return key.find((one) => router.route(one, 'seats').shard === shard)!
}

const put = (id: string, n: number) => (tx: ShardTx) => tx.put('seats', { id, n })

test('a step that took effect before its slot moved is undone after it, once', async () => {
  const { engine, store, router } = await fleet()
  const key = keyOn(router, 's1')
  await router.withShard(key, put(key, 0), { table: 'seats' })
  let undone = 0
  const job = await Reshard.create({ engine, store, change: { weights: { s1: 0 } } })
  await job.run({ until: 'ready' })
  const saga = router.saga<Trip>('trip', [
    {
      name: 'reserve',
      key: (trip) => trip.key,
      table: 'seats',
      run: (tx, trip) => put(trip.key, 1)(tx),
      undo: async (tx, trip) => {
        undone += 1
        await put(trip.key, 0)(tx)
      },
    },
    {
      name: 'pay',
      key: () => keyOn(router, 's2'),
      table: 'seats',
      run: async () => {
        await job.cutover()
        await job.run({ until: 'reversible' })
        throw new Error('no money')
      },
      undo: async () => {},
    },
  ])
  await expect(saga.run({ key })).rejects.toThrow('no money')
  expect(undone).toBe(1)
  const found = await router.withShard(key, (tx) => tx.get('seats', { id: key }), {
    table: 'seats',
    readOnly: true,
  })
  expect(found).toMatchObject({ n: 0 })
  expect(router.route(key, 'seats').shard).toBe('s2')
  await job.finish()
  expect(await job.run()).toMatchObject({ state: 'done' })
})

test('what undone sagas leave on two shards can come to lie on one', async () => {
  const { engine, store, router } = await fleet()
  const keys = [keyOn(router, 's1'), keyOn(router, 's2')]
  const saga = router.saga<Trip>('trip', [
    ...keys.map((key, i) => ({
      name: `step ${i}`,
      key: () => key,
      table: 'seats',
      run: put(key, 1),
      undo: put(key, 0),
    })),
    {
      name: 'fail',
      key: () => keys[0]!,
      table: 'seats',
      run: async () => {
        throw new Error('no')
      },
      undo: async () => {},
    },
  ])
  await expect(saga.run({ key: keys[0]! })).rejects.toThrow('no')
  const change = { weights: { s1: 0 } }
  const job = await Reshard.create({
    engine,
    store,
    change,
    cutover: { auto: true },
    reversibleMs: 0,
  })
  expect(await job.run()).toMatchObject({ state: 'done' })
  expect(await router.verify()).toMatchObject({ ok: true })
})

test('a copy that a job holds is not taken for a name', async () => {
  const { engine, store, router } = await fleet()
  const key = keyOn(router, 's1')
  const route = router.route(key, 'seats')
  await refuseCopy(store.jobs, 's2', route)
  const job = await Reshard.create({ engine, store, change: { weights: { s1: 0 } } })
  await expect(refuseCopy(store.jobs, 's2', route)).rejects.toMatchObject({ code: 'SHARD_FROZEN' })
  await refuseCopy(store.jobs, 's2', { ...route, slot: 99 })
  await job.abort()
  await job.run()
  await refuseCopy(store.jobs, 's2', route)
})
