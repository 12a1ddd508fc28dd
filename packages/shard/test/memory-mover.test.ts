// What the memory mover does besides the contract of all movers: steps that a simulator takes hold
// of, waits that a crash ends, and refusals to write over what a shard owns.

import type { Fence, MoveLease, TableSpec } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine, type MemoryEngineOptions } from '@ashlar/shard/memory'
import { describe, expect, test } from 'vitest'
import { platformTimers } from '../src/timers.ts'
import { moment } from './memory-engine-twin.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'

const LEASE: MoveLease = { job: 'j', token: 1 }
const EPOCH = 1
const tables: readonly TableSpec[] = [
  { name: 't', kind: 'sharded', key: ['id'], primaryKey: ['id'] },
]

function fence(slot: number, state: Fence['state']): Fence {
  return { slot, state, epoch: EPOCH }
}

/** Two shards: `a` owns slots 1 and 2, of which 1 has a row; `b` owns slot 3. */
async function fleet(options: Partial<MemoryEngineOptions> = {}) {
  const shards = { a: new MemoryDatabase(), b: new MemoryDatabase() }
  const plain = new MemoryEngine({ shards })
  for (const shard of ['a', 'b']) await plain.install(shard, { ddl: [], tables })
  await plain.setFences('a', [fence(1, 'owned'), fence(2, 'owned')])
  await plain.setFences('b', [fence(3, 'owned')])
  const first = await plain.open('a', { slots: [1], epoch: EPOCH })
  await first.tx(1).put('t', { id: 1 })
  await first.commit()
  const timers = new VirtualTimers()
  const engine = new MemoryEngine({ timers, ...options, shards })
  return { engine, mover: engine.mover, shards, timers }
}

const start = { capture: 'trigger', slots: [1], tables, maxBarrierMs: 1_000 } as const

describe('the steps of a memory mover', () => {
  test('carry its name, and those that read another shard are two', async () => {
    const labels: string[] = []
    const { mover } = await fleet({
      delay: async (label, shard) => void labels.push(`${shard} ${label}`),
    })
    await mover.copy('a', 'b', LEASE, { slots: [1], position: 1 })
    await mover.apply('a', 'b', LEASE, [{ table: 't', primaryKey: { id: 1 }, slot: 1 }], [1])
    await mover.clean('b', LEASE, [1], 10)
    expect(labels).toEqual(
      [
        'a mover.copy.read',
        'b mover.copy',
        'a mover.apply.read',
        'b mover.apply',
        'b mover.clean',
      ].flatMap((label) => [`${label}:before`, `${label}:after`]),
    )
  })

  test('fail with UNREACHABLE before or after they took effect', async () => {
    let failing = 'mover.copy:before'
    const { mover } = await fleet({ buggify: (label) => label === failing })
    const copy = () => mover.copy('a', 'b', LEASE, { slots: [1], position: 1 })
    await expect(copy()).rejects.toMatchObject({ code: 'UNREACHABLE', shard: 'b' })
    expect(await mover.position('a', 'b', 'j')).toBe(0)
    failing = 'mover.copy:after'
    await expect(copy()).rejects.toMatchObject({ code: 'UNREACHABLE', shard: 'b' })
    expect(await mover.position('a', 'b', 'j')).toBe(1)
  })

  test('let a claim come between what is read and what is written', async () => {
    let isClaimed = false
    const { engine, mover } = await fleet({
      delay: async (label) => {
        if (label !== 'mover.copy:before' || isClaimed) return
        isClaimed = true
        await engine.mover.claim('b', { job: 'j', token: 2 })
      },
    })
    const late = mover.copy('a', 'b', LEASE, { slots: [1], position: 1 })
    await expect(late).rejects.toMatchObject({ code: 'FENCED', shard: 'b' })
    expect(await mover.count('b')).toEqual(new Map())
  })
})

describe('a wait for writers', () => {
  test('ends when the shard crashes, and leaves nothing held', async () => {
    const { engine, mover, shards } = await fleet({ timers: platformTimers })
    const writer = await engine.open('a', { slots: [1], epoch: EPOCH })
    const frozen = mover.freeze('a', LEASE, [fence(1, 'frozen')], { maxMs: 100_000 })
    const started = mover.startCapture('a', LEASE, { ...start, maxBarrierMs: 100_000 })
    const refused = Promise.all(
      [frozen, started].map((wait) => expect(wait).rejects.toMatchObject({ code: 'UNREACHABLE' })),
    )
    await moment()
    engine.crash('a')
    await refused
    await expect(writer.commit()).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(shards.a.held).toEqual({ locks: 0, snapshots: 0, prepared: 0 })
    expect(await mover.traces('a')).toEqual([])
  })

  test('takes as long as it may on the injected timers, and names who is in the way', async () => {
    const { engine, mover, timers } = await fleet()
    const one = await engine.open('a', { slots: [1], epoch: EPOCH })
    await one.prepare('t1')
    const two = await engine.open('a', { slots: [1, 2], epoch: EPOCH })
    const began = timers.now()
    const blocked = mover.startCapture('a', LEASE, start)
    await expect(blocked).rejects.toMatchObject({
      code: 'BARRIER_TIMEOUT',
      blockers: ['prepared transaction t1', 'a transaction'],
    })
    expect(timers.now() - began).toBe(1_000)
    const frozen = mover.freeze('a', LEASE, [fence(2, 'frozen')], { maxMs: 250 })
    await expect(frozen).rejects.toMatchObject({ code: 'FREEZE_TIMEOUT', shard: 'a' })
    expect(timers.now() - began).toBe(1_250)
    await two.rollback()
    await mover.freeze('a', LEASE, [fence(2, 'frozen')], { maxMs: 250 })
  })

  test('ends when its signal is aborted', async () => {
    const { engine, mover } = await fleet()
    await engine.open('a', { slots: [1], epoch: EPOCH })
    const control = new AbortController()
    const { signal } = control
    const started = mover.startCapture('a', LEASE, { ...start, maxBarrierMs: 1e9, signal })
    control.abort('enough')
    await expect(started).rejects.toBe('enough')
    await expect(mover.startCapture('a', LEASE, { ...start, signal })).rejects.toBe('enough')
  })

  test('does not hold up writers that come after it began', async () => {
    const { engine, mover } = await fleet()
    const old = await engine.open('a', { slots: [1], epoch: EPOCH })
    const started = mover.startCapture('a', LEASE, start)
    const young = await engine.open('a', { slots: [1], epoch: EPOCH })
    await young.tx(1).put('t', { id: 2 })
    await old.commit()
    await started
    await young.commit()
    const { keys } = await mover.changes('a', LEASE, 10)
    expect(keys).toEqual([{ table: 't', primaryKey: { id: 2 }, slot: 1 }])
  })
})

describe('what a shard owns', () => {
  test.each(['owned', 'frozen'] as const)('is not copied over while it is %s', async (state) => {
    const { mover } = await fleet()
    await mover.setFences('b', LEASE, [fence(1, state)])
    const copy = () => mover.copy('a', 'b', LEASE, { slots: [2, 1], position: 2 })
    await expect(copy()).rejects.toMatchObject({ code: 'PLAN_CONFLICT', shard: 'b', slot: 1 })
    const apply = () =>
      mover.apply('a', 'b', LEASE, [{ table: 't', primaryKey: { id: 1 }, slot: 1 }], [1])
    await expect(apply()).rejects.toMatchObject({ code: 'PLAN_CONFLICT', shard: 'b', slot: 1 })
  })
})

test('capture by logical decoding is refused, and so says inspect', async () => {
  const { mover } = await fleet()
  const logical = { ...start, capture: 'logical' } as const
  await expect(mover.startCapture('a', LEASE, logical)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  })
  const [more] = await mover.inspect('a', tables, { role: 'source', capture: 'logical' })
  expect(more).toContain('cannot capture changes by logical')
})

test('a source without one of the tables is reported, a target gets it later', async () => {
  const { mover } = await fleet()
  const missing = [{ ...tables[0]!, name: 'u' }]
  const source = await mover.inspect('a', missing, { role: 'source', capture: 'trigger' })
  expect(source).toEqual(['shard a has no table u; install it first'])
  expect(await mover.inspect('a', missing, { role: 'target', capture: 'trigger' })).toEqual([])
})

test('health is measured by the injected clock', async () => {
  let now = 0
  const monotonic = () => now
  const delay = async () => {
    now += 5
  }
  const { mover } = await fleet({ monotonic, delay })
  expect(await mover.health('a')).toEqual({ latencyMs: 10, replicaLagMs: undefined })
})
