// A job over memory whose time is virtual: as fast as its throttle, its shards and its store let
// it.

import type { Engine } from '../src/engine.ts'
import type { JobLog } from '../src/job-log.ts'
import type { MapStore } from '../src/map-store.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { Reshard, type ReshardOptions } from '../src/reshard/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import type { ShardHealth, SlotMover } from '../src/slot-mover.ts'
import { by } from '../src/table-rule.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'
import { but } from './transaction-fleet.ts'

/** How shards are that nothing is wrong with. */
export const WELL: ShardHealth = { latencyMs: 1, replicaLagMs: 0 }

/** A job that moves about sixty rows from two shards in units of four. */
export async function jobWith(
  throttle: ReshardOptions['throttle'],
  {
    health = () => WELL,
    saveMs = 0,
  }: {
    /** What shards are said to be. */
    readonly health?: (nowMs: number) => ShardHealth
    /** How long it takes to save the job. */
    readonly saveMs?: number
  } = {},
) {
  const timers = new VirtualTimers()
  const clock = { timers, now: timers.now, monotonic: timers.now }
  const real = new MemoryEngine({ shards: ['a', 'b', 'c'], timers, unitRows: 4 })
  /** Each unit copied: where from, and how far the copy has come with it. */
  const units: string[] = []
  const mover = but<SlotMover>(real.mover, {
    health: async () => health(timers.now()),
    copy: (from, to, lease, unit, options) => {
      units.push(`${from} ${unit.position}`)
      return real.mover.copy(from, to, lease, unit, options)
    },
  })
  const engine: Engine = but<Engine>(real, { mover })
  const plain = new MemoryMapStore({ timers, now: timers.now })
  const jobs = but<JobLog>(plain.jobs, {
    save: async (...what) => {
      if (saveMs > 0) await new Promise<void>((wake) => timers.setTimeout(wake, saveMs))
      return plain.jobs.save(...what)
    },
  })
  const store: MapStore = but<MapStore>(plain, { jobs })
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
  return { timers, job, units, copied, copy, startedAtMs }
}
