import { describe, expect, test } from 'vitest'
import type { Engine } from '../src/engine.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { Reshard, type ReshardOptions } from '../src/reshard/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { by, reference } from '../src/table-rule.ts'
import { VirtualTimers } from './memory-virtual-timers.ts'
import { but } from './transaction-fleet.ts'

const TABLES = {
  users: by('id', { primaryKey: ['id'] }),
  rates: reference({ primaryKey: ['id'] }),
}
const IDS = Array.from({ length: 40 }, (_, i) => `u${i}`)

/** Two shards in use and one to be, forty users, a reference row. */
async function fleet(options: Partial<ReshardOptions> = {}) {
  const timers = new VirtualTimers()
  const engine = new MemoryEngine({ shards: ['a', 'b', 'c'], timers, unitRows: 4 })
  const store = new MemoryMapStore({ timers, now: timers.now })
  const map = ShardMap.create({ slots: 24, shards: ['a', 'b'], tables: TABLES })
  const clock = { timers, now: timers.now, monotonic: timers.now }
  const router = await ShardRouter.open({ engine, store, map, sweepMs: 0, ...clock })
  for (const id of IDS) await router.withShard(id, (tx) => tx.put('users', { id, n: 1 }))
  await router.replicate((tx) => tx.put('rates', { id: 'x', n: 1 }))
  const tools = { engine, store, ...clock, leaseMs: 100 }
  const create = (more: Partial<ReshardOptions> = {}) =>
    Reshard.create({ ...tools, change: { add: ['c'] }, ...options, ...more })
  const traces = async () => {
    const all = await Promise.all(engine.shards.map((shard) => engine.mover.traces(shard)))
    return all.flat()
  }
  return { timers, engine, store, map, router, tools, create, traces }
}

/** A row of a slot that moves, as it lies where it is copied to. */
function aCopy(map: ShardMap): string {
  const { next } = map.change({ add: ['c'] })
  return IDS.find((id) => next.route(id).shard === 'c')!
}

describe('a plan', () => {
  test('counts what would move and changes nothing', async () => {
    const { engine, store, map } = await fleet()
    const plan = await Reshard.plan({ engine, store, change: { add: ['c'] } })
    const { moves } = map.change({ add: ['c'] })
    expect(plan.moves).toEqual(moves)
    const moving = new Set(moves.map(({ slot }) => slot))
    expect(plan.rows).toBe(IDS.filter((id) => moving.has(map.slotOf(id))).length)
    expect(plan.pairs.flatMap(({ slots }) => slots)).toHaveLength(moves.length)
    expect(plan.admit).toEqual([{ id: 'c' }])
    expect(plan.blockers).toEqual([])
    expect(await store.jobs.current()).toBeUndefined()
  })

  test('names another job, and that nothing would move, as what stands against it', async () => {
    const { engine, store, create } = await fleet()
    const job = await create()
    const again = await Reshard.plan({ engine, store, change: { add: ['c'] } })
    expect(again.blockers[0]).toContain(job.id)
    await expect(create()).rejects.toMatchObject({ code: 'PLAN_CONFLICT' })
    const idle = await Reshard.plan({ engine, store, change: { weights: { a: 1 } } })
    expect(idle.blockers).toContain('nothing would move')
  })

  test('refuses changes that move no slots, shards unknown, engines without a mover', async () => {
    const { engine, store } = await fleet()
    const change = { splits: [{ key: 'u1', parts: 2 }] } as ReshardOptions['change']
    const plan = (over: object) => Reshard.plan({ engine, store, change: { add: ['c'] }, ...over })
    await expect(plan({ change })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(plan({ change: { add: ['z'] } })).rejects.toMatchObject({ code: 'UNKNOWN_SHARD' })
    await expect(plan({ capture: 'logical' })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    const still: Engine = but<Engine>(engine, { mover: undefined })
    await expect(plan({ engine: still })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('a job', () => {
  test('adds a shard: rows, fences, reference tables, and no trace of itself', async () => {
    const { router, create, traces, map } = await fleet()
    const job = await create()
    await job.run({ until: 'ready' })
    expect(router.map.slotsOf('a').length).toBe(map.slotsOf('a').length)
    await job.cutover()
    await job.run({ until: 'reversible' })
    await job.finish()
    const { state, slots, rows } = await job.run()
    expect(state).toBe('done')
    expect(slots.flipped).toBe(slots.total)
    expect(rows.copied).toBe(rows.total)
    const report = await router.verify()
    expect(report).toMatchObject({ ok: true, rows: IDS.length, leftoverCount: 0 })
    const { owners } = map.change({ add: ['c'] }).next.toJSON()
    expect((await router.refresh()).toJSON().owners).toEqual(owners)
    expect(await traces()).toEqual([])
  })

  test('removes a shard, which leaves the map with nothing on it', async () => {
    const { router, create, engine } = await fleet({ change: { remove: ['b'] } })
    const job = await create({ cutover: { auto: true }, reversibleMs: 0 })
    expect(await job.run()).toMatchObject({ state: 'done' })
    const map = await router.refresh()
    expect(map.shards).toEqual([{ id: 'a' }])
    expect([...(await engine.mover.count('b'))]).toEqual([])
    expect((await router.verify()).ok).toBe(true)
  })

  test('gives shards their new weight when slots have moved by it', async () => {
    const { router, create, map } = await fleet({ change: { weights: { a: 5 } } })
    const job = await create({ cutover: { auto: true }, reversibleMs: 0 })
    await job.run()
    const { shards, owners } = (await router.refresh()).toJSON()
    const wanted = map.change({ weights: { a: 5 } }).next.toJSON()
    expect({ shards, owners }).toEqual({ shards: wanted.shards, owners: wanted.owners })
  })

  test('leaves nothing behind when it is aborted, in whichever state', async () => {
    for (const until of ['planned', 'prepared', 'copying', 'ready', 'reversible'] as const) {
      const { router, create, traces, engine, map } = await fleet()
      const job = await create({ cutover: { auto: until === 'reversible' } })
      await job.run({ until })
      await job.abort()
      expect(await job.run()).toMatchObject({ state: 'aborted' })
      expect(await traces()).toEqual([])
      expect([...(await engine.mover.count('c'))]).toEqual([])
      const after = await router.refresh()
      expect(after.toJSON().owners).toEqual(map.toJSON().owners)
      expect(after.shards).toEqual(map.shards)
      expect((await router.verify()).ok).toBe(true)
    }
  })

  test('keeps what was written after the cutover when it is reversed', async () => {
    const { router, create, map } = await fleet()
    const job = await create({ cutover: { auto: true } })
    await job.run({ until: 'reversible' })
    const id = aCopy(map)
    await router.withShard(id, (tx) => tx.put('users', { id, n: 2 }))
    expect(router.route(id).shard).toBe('c')
    await job.reverse()
    expect(await job.run({ until: 'ready' })).toMatchObject({ state: 'ready' })
    await router.refresh()
    expect(router.route(id).shard).not.toBe('c')
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 2 })
  })

  test('stands still while it is paused, and goes on from there', async () => {
    const { create, timers } = await fleet()
    const job = await create()
    await job.pause()
    const running = job.run({ until: 'ready' })
    await new Promise<void>((wake) => timers.setTimeout(wake, 5_000))
    expect(await job.status()).toMatchObject({ state: 'planned', paused: { code: undefined } })
    await job.resume()
    expect(await running).toMatchObject({ state: 'ready', paused: undefined })
  })

  test('tells its progress until it has ended', async () => {
    const { create } = await fleet()
    const job = await create({ cutover: { auto: true, batchSlots: 2 }, reversibleMs: 1_000 })
    const running = job.run()
    const states: string[] = []
    for await (const { state, freezeMs, slots } of job.progress()) {
      if (states.at(-1) !== state) states.push(state)
      expect(freezeMs.max).toBeGreaterThanOrEqual(freezeMs.last)
      expect(slots.flipped).toBeLessThanOrEqual(slots.total)
    }
    await running
    expect(states.at(-1)).toBe('done')
  })

  test('refuses what it cannot do in its state, and says why', async () => {
    const { create, tools } = await fleet()
    await expect(Reshard.open(tools)).rejects.toMatchObject({ code: 'INVALID_JOB' })
    const job = await create()
    await expect(job.reverse()).rejects.toThrow(/cannot reverse: it is planned/)
    await expect(job.finish()).rejects.toMatchObject({ code: 'INVALID_JOB' })
    await job.abort()
    await job.run()
    await expect(job.resume()).rejects.toThrow(/it is aborted/)
    await expect(Reshard.open({ ...tools, id: 'none' })).rejects.toThrow(/no resharding job none/)
    expect((await Reshard.open({ ...tools, id: job.id })).id).toBe(job.id)
  })

  test('lets others have the job when its handle is closed', async () => {
    const { create, tools } = await fleet()
    const job = await create()
    const running = job.run()
    running.catch(Boolean)
    await job.close()
    await expect(running).rejects.toMatchObject({ code: 'CLOSED' })
    const other = await Reshard.open({ ...tools, worker: 'other' })
    expect(await other.run({ until: 'ready' })).toMatchObject({ state: 'ready' })
  })
})

describe('verification', () => {
  test('refuses a copy whose row was changed, pauses the job and cuts nothing over', async () => {
    for (const verify of ['checksum', 'full'] as const) {
      const { create, engine, map, router } = await fleet()
      const job = await create({ cutover: { verify, auto: true } })
      await job.run({ until: 'verifying' })
      const id = aCopy(map)
      const slot = map.slotOf(id)
      const { versions } = engine.database('c').table('users')
      const [key] = [...versions.all(engine.database('c').commit)].find(([, row]) => {
        return row.values.id === id
      })!
      const row = { slot, values: { id, n: 99 } }
      engine.database('c').write([{ versions, key, row }])
      const mismatch = { code: 'VERIFY_MISMATCH', slots: [slot] }
      await expect(job.run()).rejects.toMatchObject(mismatch)
      const { state, paused } = await job.status()
      expect([state, paused?.code]).toEqual(['verifying', 'VERIFY_MISMATCH'])
      expect(router.route(id).shard).not.toBe('c')
      await job.abort()
      expect(await job.run()).toMatchObject({ state: 'aborted' })
    }
  })

  test('looks again before the freeze: what was changed while it was ready is found', async () => {
    const { create, engine, map } = await fleet()
    const job = await create()
    await job.run({ until: 'ready' })
    const id = aCopy(map)
    const { versions } = engine.database('c').table('users')
    for (const [key, { slot, values }] of versions.all(engine.database('c').commit)) {
      if (values.id !== id) continue
      engine.database('c').write([{ versions, key, row: undefined }])
      expect(slot).toBe(map.slotOf(id))
    }
    await job.cutover()
    await expect(job.run()).rejects.toMatchObject({ code: 'VERIFY_MISMATCH' })
  })
})

describe('a freeze', () => {
  test('lets writers go on when one of them holds the slots for too long', async () => {
    const { create, engine, map, timers, router } = await fleet()
    const job = await create({ cutover: { maxFreezeMs: 50, auto: true } })
    await job.run({ until: 'ready' })
    const id = aCopy(map)
    const { shard, slot, epoch } = (await router.refresh()).route(id)
    const slow = await engine.open(shard, { slots: [slot], epoch })
    const running = job.run({ until: 'reversible' })
    running.catch(Boolean)
    await new Promise<void>((wake) => timers.setTimeout(wake, 400))
    expect((await job.status()).state).toBe('freezing')
    await slow.tx(slot).put('users', { id, n: 7 })
    await slow.commit()
    const { thaws } = await running
    expect(thaws).toBeGreaterThan(0)
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 7 })
  })

  test('waits for a transaction over shards, decided or not', async () => {
    const { create, map, router } = await fleet()
    const job = await create({ cutover: { auto: true } })
    await job.run({ until: 'ready' })
    const id = aCopy(map)
    const other = IDS.find((one) => map.route(one).shard !== map.route(id).shard)!
    const both = router.transaction([id, other], async (t) => {
      await t.on(id).put('users', { id, n: 5 })
      await t.on(other).put('users', { id: other, n: 5 })
    })
    await Promise.all([both, job.run({ until: 'reversible' })])
    for (const one of [id, other]) {
      const row = await router.withShard(one, (tx) => tx.get('users', { id: one }))
      expect(row).toEqual({ id: one, n: 5 })
    }
  })
})

describe('a key that is pinned onto a shard that has a copy of it', () => {
  test('is refused, stays where it was, and holds no job up', async () => {
    const { create, map, router } = await fleet()
    const job = await create()
    await job.run({ until: 'ready' })
    const id = aCopy(map)
    await expect(router.pin(id, 'c')).rejects.toMatchObject({ code: 'CROSS_SHARD' })
    expect(router.map.pinOf(id)).toBeUndefined()
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 1 })
    await job.cutover()
    expect(await job.run({ until: 'reversible' })).toMatchObject({ state: 'reversible' })
    await job.finish()
    await job.run()
    await router.pin(id, 'c')
    expect(router.map.pinOf(id)?.state).toBe('pinned')
    expect((await router.verify()).ok).toBe(true)
  })

  test('is freed where whoever pinned it died', async () => {
    const { create, map, router, store } = await fleet()
    const job = await create()
    await job.run({ until: 'ready' })
    const id = aCopy(map)
    const { next, epoch } = await router.refresh().then((now) => {
      return { ...now.change({ pins: [{ key: id, shard: 'c' }] }), epoch: now.epoch }
    })
    expect(await store.compareAndSet(epoch, next.toJSON())).toBe(true)
    await router.unpin(id)
    expect(router.map.pinOf(id)).toBeUndefined()
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 1 })
    await job.cutover()
    expect(await job.run({ until: 'reversible' })).toMatchObject({ state: 'reversible' })
  })
})

describe('a pinned key that is freed onto a shard that has a copy of it', () => {
  test('stays on its way until a job before its cutover is aborted', async () => {
    const { create, map, router } = await fleet()
    const id = IDS.find((one) => map.route(one).shard === 'b')!
    await router.pin(id, 'a')
    const job = await create({ change: { moves: [{ slot: router.route(id).slot, to: 'b' }] } })
    await job.run({ until: 'ready' })
    await expect(router.unpin(id)).rejects.toMatchObject({ code: 'CROSS_SHARD' })
    expect(router.map.pinOf(id)?.state).toBe('moving')
    await job.abort()
    expect(await job.run()).toMatchObject({ state: 'aborted' })
    await router.unpin(id)
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 1 })
  })

  test('stays on its way until a job after its cutover is finished', async () => {
    const { create, map, router } = await fleet()
    const id = IDS.find((one) => map.route(one).shard === 'a')!
    await router.pin(id, 'a')
    const moves = [{ slot: router.route(id).slot, to: 'b' }]
    const job = await create({ change: { moves }, cutover: { auto: true } })
    await job.run({ until: 'reversible' })
    await expect(router.unpin(id)).rejects.toMatchObject({ code: 'CROSS_SHARD' })
    await job.finish()
    expect(await job.run()).toMatchObject({ state: 'done' })
    await router.unpin(id)
    expect(await router.withShard(id, (tx) => tx.get('users', { id }))).toEqual({ id, n: 1 })
  })
})

describe('a scatter', () => {
  test('equals the same query on one table at every step of a job', async () => {
    const { create, engine, store, timers, router } = await fleet()
    const wanted = [...IDS].sort().map((id) => ({ id }))
    let looks = 0
    let isLooking = false
    const look = async () => {
      if (isLooking) return
      isLooking = true
      const query = { table: 'users', columns: ['id'] } as const
      const { rows } = await router.scatter(query, { orderBy: [{ column: 'id' }] })
      expect(rows).toEqual(wanted)
      looks += 1
      isLooking = false
    }
    const looking: Promise<void>[] = []
    const delay = async () => {
      looking.push(look())
    }
    const shards = Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
    const watched = new MemoryEngine({ shards, timers, unitRows: 4, delay })
    const log = store.connect({ timers, now: timers.now, delay })
    const cutover = { auto: true, batchSlots: 1 }
    const job = await create({ engine: watched, store: log, cutover, reversibleMs: 0 })
    await job.run()
    await Promise.all(looking)
    expect(looks).toBeGreaterThan(20)
  })
})
