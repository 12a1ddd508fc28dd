// The memory map store beyond the contract of map stores: injected clocks, timers and faults.

import type { ShardMapJson } from '@ashlar/shard'
import { MemoryMapStore } from '@ashlar/shard/memory'
import { expect, test } from 'vitest'

const mapAt = (epoch: number): ShardMapJson => ({
  format: '@ashlar/shard/map',
  version: 1,
  epoch,
  slots: 1,
  shards: [{ id: 's1' }],
  owners: [[1, 0]],
  extra: [],
  nextSlot: 1,
  tables: {},
  pins: [],
  splits: [],
})

const refusal = (code: string) => expect.objectContaining({ code })
const decision = { transaction: 't1', outcome: 'commit', shards: [] } as const

test('a map that was given or loaded is not shared with the store', async () => {
  const store = new MemoryMapStore()
  const given = { ...mapAt(1), shards: [{ id: 's1' }] }
  await store.compareAndSet(undefined, given)
  given.shards[0]!.id = 'changed'
  const loaded = await store.load()
  expect(loaded).toEqual(mapAt(1))
  expect(await store.load()).not.toBe(loaded)
})

test('an epoch never goes back', async () => {
  const store = new MemoryMapStore()
  await store.compareAndSet(undefined, mapAt(5))
  await expect(store.compareAndSet(5, mapAt(5))).rejects.toEqual(refusal('INVALID_MAP'))
  await expect(store.compareAndSet(5, mapAt(4))).rejects.toEqual(refusal('INVALID_MAP'))
  expect((await store.load())?.epoch).toBe(5)
})

test('a watch is called by the timers, once for several changes, with the last epoch', async () => {
  const calls: { callback: () => void; delayMs: number }[] = []
  const timers = {
    setTimeout: (callback: () => void, delayMs: number) => calls.push({ callback, delayMs }),
    clearTimeout: () => undefined,
  }
  const store = new MemoryMapStore({ timers, watchDelayMs: 7 })
  const seen: number[] = []
  store.watch((epoch) => seen.push(epoch))
  await store.compareAndSet(undefined, mapAt(1))
  await store.compareAndSet(1, mapAt(2))
  expect(calls.map((call) => call.delayMs)).toEqual([7])
  expect(seen).toEqual([])
  calls[0]!.callback()
  expect(seen).toEqual([2])
  await store.compareAndSet(2, mapAt(3))
  calls[1]!.callback()
  expect(seen).toEqual([2, 3])
})

test('a settled decision is dropped after keepMs, one that is not settled never', async () => {
  let now = 0
  const store = new MemoryMapStore({ now: () => now })
  const { decisions } = store
  await decisions.decide(decision)
  await decisions.decide({ ...decision, transaction: 't2' })
  await decisions.settle('t1', 100)
  now = 100
  await decisions.unsettled()
  expect(await decisions.find('t1')).toEqual(decision)
  now = 101
  await decisions.unsettled()
  expect(await decisions.find('t1')).toBeUndefined()
  expect(await decisions.find('t2')).toBeDefined()
})

test('a settled decision is kept for a day by default', async () => {
  let now = 0
  const { decisions } = new MemoryMapStore({ now: () => now })
  await decisions.decide(decision)
  await decisions.settle('t1')
  now = 86_400_000
  await decisions.unsettled()
  expect(await decisions.decide({ ...decision, outcome: 'rollback' })).toBe('commit')
})

test('a lease runs on the clock that was given', async () => {
  let now = 1_000
  const { sagas } = new MemoryMapStore({ now: () => now })
  await sagas.begin({ id: 'a', name: 'move', input: '1', leaseMs: 50 })
  now = 1_049
  expect(await sagas.abandoned()).toEqual([])
  now = 1_050
  const record = { id: 'a', name: 'move', input: '1', state: 'running', leaseUntil: 1_050 }
  expect(await sagas.abandoned()).toEqual([record])
  expect(await sagas.takeToUndo('a', 50)).toBe(true)
  now = 1_099
  expect(await sagas.takeToUndo('a', 50)).toBe(false)
  now = 1_100
  expect(await sagas.takeToUndo('a', 50)).toBe(true)
  const again = sagas.begin({ id: 'a', name: 'move', input: '2', leaseMs: 50 })
  await expect(again).rejects.toEqual(refusal('INVALID_OPTION'))
})

test.each([
  ['decide:before', undefined],
  ['decide:after', 'commit'],
])('a decision that fails at %s is found as %s', async (label, outcome) => {
  const store = new MemoryMapStore({ buggify: (at) => at === label })
  await expect(store.decisions.decide(decision)).rejects.toEqual(refusal('UNREACHABLE'))
  expect((await store.decisions.find('t1'))?.outcome).toBe(outcome)
})

test.each([
  ['compareAndSet:before', undefined],
  ['compareAndSet:after', 1],
])('a map whose change fails at %s is at epoch %s', async (label, epoch) => {
  const store = new MemoryMapStore({ buggify: (at) => at === label })
  const set = store.compareAndSet(undefined, mapAt(1))
  await expect(set).rejects.toEqual(refusal('UNREACHABLE'))
  expect((await store.load())?.epoch).toBe(epoch)
})

test('another handle has its own faults, and is not closed with the first', async () => {
  const store = new MemoryMapStore()
  const broken = store.connect({ buggify: () => true })
  await expect(broken.load()).rejects.toEqual(refusal('UNREACHABLE'))
  await store.compareAndSet(undefined, mapAt(1))
  await store.close()
  expect((await store.connect().load())?.epoch).toBe(1)
  await expect(store.load()).rejects.toEqual(refusal('CLOSED'))
})
