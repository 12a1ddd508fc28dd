import { expect, test } from 'vitest'
import type { Engine } from '../src/engine.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { Reshard, type ReshardOptions } from '../src/reshard/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import type { ShardHealth, SlotMover } from '../src/slot-mover.ts'
import { by } from '../src/table-rule.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'
import { but } from './transaction-fleet.ts'

const WELL: ShardHealth = { latencyMs: 1, replicaLagMs: 0 }

/** A job that moves about sixty rows in units of four; `health` is what shards are said to be. */
async function jobWith(
  throttle: ReshardOptions['throttle'],
  health: (nowMs: number) => ShardHealth = () => WELL,
) {
  const timers = new VirtualTimers()
  const clock = { timers, now: timers.now, monotonic: timers.now }
  const real = new MemoryEngine({ shards: ['a', 'b', 'c'], timers, unitRows: 4 })
  const mover = but<SlotMover>(real.mover, { health: async () => health(timers.now()) })
  const engine: Engine = but<Engine>(real, { mover })
  const store = new MemoryMapStore({ timers, now: timers.now })
  const tables = { users: by('id', { primaryKey: ['id'] }) }
  const map = ShardMap.create({ slots: 96, shards: ['a', 'b'], tables })
  await using router = await ShardRouter.open({ engine, store, map, sweepMs: 0, ...clock })
  for (let i = 0; i < 240; i++) {
    await router.withShard(`u${i}`, (tx) => tx.put('users', { id: `u${i}` }))
  }
  const job = await Reshard.create({ engine, store, ...clock, change: { add: ['c'] }, throttle })
  await job.run({ until: 'prepared' })
  const startedAtMs = timers.now()
  const copied = async () => (await job.status()).rows.copied
  const copy = async () => {
    await job.run({ until: 'catching-up' })
    return { rows: await copied(), spentMs: timers.now() - startedAtMs }
  }
  return { timers, job, copied, copy, startedAtMs }
}

test('a job without a throttle waits for nothing', async () => {
  const { copy } = await jobWith(undefined)
  const { rows, spentMs } = await copy()
  expect(rows).toBeGreaterThan(40)
  expect(spentMs).toBe(0)
})

test('a job copies so many rows a second over all its shards, and no fewer', async () => {
  const { copy } = await jobWith({ rowsPerS: 10 })
  const { rows, spentMs } = await copy()
  // The last units of the two sources go out before their time is due.
  expect(spentMs).toBeGreaterThanOrEqual(((rows - 16) / 10) * 1_000)
  expect(spentMs).toBeLessThanOrEqual((rows / 10) * 1_000)
})

test.each([
  ['a shard answers slowly', { maxSourceP99Ms: 20 }, { latencyMs: 50, replicaLagMs: 0 }],
  ['a replica is behind', { maxReplicaLagMs: 100 }, { latencyMs: 1, replicaLagMs: 5_000 }],
])('while %s nothing is copied, and then all is', async (_, throttle, badly) => {
  const { timers, job, copied, copy, startedAtMs } = await jobWith(throttle, (nowMs) =>
    nowMs < 60_000 ? badly : WELL,
  )
  expect(startedAtMs).toBeLessThan(60_000)
  const copying = copy()
  let most = 0
  while (timers.now() < 60_000) {
    most = Math.max(most, await copied())
    await new Promise(setImmediate)
  }
  expect(most).toBe(0)
  const { rows, spentMs } = await copying
  expect(rows).toBe((await job.status()).rows.total)
  expect(spentMs).toBeLessThan(70_000)
})

test('one slow answer among many holds nothing up', async () => {
  let asked = 0
  const { copy } = await jobWith({ maxSourceP99Ms: 20 }, () => {
    asked += 1
    return asked === 30 ? { latencyMs: 500, replicaLagMs: undefined } : WELL
  })
  expect((await copy()).spentMs).toBe(0)
  expect(asked).toBeGreaterThan(30)
})

test('a pause ends the wait', async () => {
  const { timers, job } = await jobWith({ maxReplicaLagMs: 1 }, () => {
    return { latencyMs: 1, replicaLagMs: 9_999 }
  })
  const stop = new AbortController()
  const working = job.run({ until: 'catching-up', signal: stop.signal })
  const stopped = working.catch((error: unknown) => error)
  while (timers.now() < 1_000) await new Promise(setImmediate)
  await job.pause()
  while ((await job.status()).paused === undefined) await new Promise(setImmediate)
  expect(await job.status()).toMatchObject({ state: 'copying', rows: { copied: 0 } })
  stop.abort(new Error('enough'))
  expect(await stopped).toBe(stop.signal.reason)
})
