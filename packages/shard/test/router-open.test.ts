import { describe, expect, test } from 'vitest'
import { REFERENCE_SLOT } from '../src/engine.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { by, reference } from '../src/table-rule.ts'
import { bareFleet, nameOn, openFleet, TABLES } from './router-fleet.ts'

describe('opening a router on shards without a map', () => {
  test('puts the first map in force: tables, fences, then the store', async () => {
    const { engine, store, map, router } = await openFleet()
    expect(await store.load()).toEqual(map.toJSON())
    for (const shard of engine.shards) {
      const fences = await engine.fences(shard)
      const slots = [REFERENCE_SLOT, ...map.slotsOf(shard)]
      expect(fences).toEqual(slots.map((slot) => ({ slot, state: 'owned', epoch: 1 })))
    }
    expect(await router.verify()).toMatchObject({ ok: true, rows: 0 })
  })

  test('without a map to put in force is refused with NO_MAP', async () => {
    const { engine, store } = bareFleet()
    await expect(ShardRouter.open({ engine, store })).rejects.toMatchObject({ code: 'NO_MAP' })
  })

  test('names every shard that is not fit in one error, and writes nothing', async () => {
    const { engine, store } = bareFleet()
    engine.down('s1')
    engine.down('s3')
    const map = ShardMap.create({ slots: 16, shards: ['s1', 's2', 's3', 's9'], tables: TABLES })
    const opening = ShardRouter.open({ engine, store, map, sweepMs: 0 })
    const error = await opening.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ShardError)
    expect(error).toMatchObject({ code: 'UNREACHABLE', missing: ['s1', 's3', 's9'] })
    expect((error as Error).message).toMatch(/3 shards are not fit:\ns1: .+\ns3: .+\ns9: /u)
    expect(await store.load()).toBeUndefined()
    expect(await engine.fences('s2')).toEqual([])
  })

  test('with a table that no shard can lay out is refused, with no fence written', async () => {
    const { engine, store } = bareFleet()
    const map = ShardMap.create({ shards: ['s1', 's2'], tables: { users: by('name') } })
    const opening = ShardRouter.open({ engine, store, map, sweepMs: 0 })
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_TABLE' })
    expect(await engine.fences('s1')).toEqual([])
    expect(await store.load()).toBeUndefined()
  })

  test('can crash at any step, and be done again', async () => {
    const steps = ['check', 'install', 'fences', 'setFences', 'compareAndSet'].flatMap((step) =>
      [1, 2, 3].flatMap((nth) => [`${step}:before`, `${step}:after`].map((at) => ({ at, nth }))),
    )
    for (const { at, nth } of steps) {
      let left = nth
      const buggify = (label: string) => label === at && --left === 0
      const { engine, map } = bareFleet({ buggify })
      const store = new MemoryMapStore({ buggify })
      const first = ShardRouter.open({ engine, store, map, sweepMs: 0 })
      const outcome = await first.then(Boolean, () => false)
      expect(outcome, `${at} ${nth}`).toBe(left > 0)
      const router = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
      expect(await router.verify()).toMatchObject({ ok: true })
    }
  })

  test('at a later epoch than 1 is refused: the store of those before is missing', async () => {
    const { engine, store, map } = bareFleet()
    const { next } = map.change({ weights: { s1: 0 } })
    const late = ShardRouter.open({ engine, store, map: next })
    await expect(late).rejects.toMatchObject({ code: 'MAP_CONFLICT' })
    await engine.setFences('s1', [{ slot: 3, state: 'owned', epoch: 7 }])
    const early = ShardRouter.open({ engine, store, map })
    await expect(early).rejects.toMatchObject({ code: 'MAP_CONFLICT', shard: 's1', slot: 3 })
  })

  test('by two processes at once leaves one map, which both go by', async () => {
    for (let lag = 0; lag < 12; lag++) {
      const { engine, store, map } = bareFleet({ names: ['s1', 's2'] })
      const other = ShardMap.create({
        slots: 16,
        shards: [{ id: 's1', weight: 3 }, 's2'],
        tables: TABLES,
      })
      const first = ShardRouter.open({ engine, store, map, sweepMs: 0 })
      for (let i = 0; i < lag * 3; i++) await null
      const second = ShardRouter.open({ engine, store, map: other, sweepMs: 0 })
      const [a, b] = await Promise.all([first, second])
      expect(a.map.toJSON()).toEqual(b.map.toJSON())
      expect(await store.load()).toEqual(a.map.toJSON())
      expect(await a.verify(), `lag ${lag}`).toMatchObject({ ok: true })
    }
  })
})

describe('opening a router on a fleet that has a map', () => {
  test('takes the map in force, whatever owners the one given has', async () => {
    const { engine, store, router, map } = await openFleet()
    const { next } = map.change({ weights: { s1: 3 } })
    expect(await store.compareAndSet(1, next.toJSON())).toBe(true)
    const other = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
    expect(other.map.epoch).toBe(2)
    expect(router.map.epoch).toBeGreaterThanOrEqual(1)
  })

  test.each([
    ['another key', { users: by('id') }],
    ['another rule', { users: reference() }],
    ['a table that it does not have', { houses: by('id') }],
  ])('refuses a map with %s for a table', async (_, tables) => {
    const { engine, store } = await openFleet()
    const map = ShardMap.create({ slots: 16, shards: ['s1', 's2', 's3'], tables })
    const opening = ShardRouter.open({ engine, store, map })
    await expect(opening).rejects.toMatchObject({ code: 'MAP_CONFLICT', epoch: 1 })
  })

  test('refuses a map with another number of slots, takes one with fewer tables', async () => {
    const { engine, store } = await openFleet()
    const shards = ['s1', 's2', 's3']
    const { users } = TABLES
    const more = ShardMap.create({ slots: 32, shards, tables: TABLES })
    const fewer = ShardMap.create({ slots: 16, shards, tables: { users } })
    const opening = ShardRouter.open({ engine, store, map: more })
    await expect(opening).rejects.toMatchObject({ code: 'MAP_CONFLICT' })
    await (await ShardRouter.open({ engine, store, map: fewer })).close()
  })

  test('needs all shards, unless told that some may be silent', async () => {
    const { engine, store, map } = await openFleet()
    engine.down('s2')
    const opening = ShardRouter.open({ engine, store })
    await expect(opening).rejects.toMatchObject({ code: 'UNREACHABLE', shard: 's2' })
    const router = await ShardRouter.open({ engine, store, sweepMs: 0, unreachable: 'allow' })
    const name = nameOn(map, 's1')
    await router.withShard(name, (tx) => tx.put('users', { name, id: 1 }), { table: 'users' })
    expect((await router.status()).shards.map(({ problem }) => problem === undefined)).toEqual([
      true,
      false,
      true,
    ])
  })

  test('puts fences right that a process left which lost the race and crashed', async () => {
    const { engine, store, map } = await openFleet()
    const [slot = 0] = map.slotsOf('s1')
    await engine.setFences('s2', [{ slot, state: 'owned', epoch: 1 }])
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: 1 }])
    const router = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
    expect(await router.verify()).toMatchObject({ ok: true })
  })

  test('can be called off', async () => {
    const { engine, store, map } = bareFleet({ delay: () => new Promise(() => {}) })
    const reason = new Error('no longer wanted')
    const controller = new AbortController()
    const opening = ShardRouter.open({ engine, store, map, signal: controller.signal })
    setImmediate(() => controller.abort(reason))
    await expect(opening).rejects.toBe(reason)
  })
})

describe('options', () => {
  test.each([
    { maxRefreshes: -1 },
    { maxRefreshes: 1.5 },
    { frozenWaitMs: Number.NaN },
    { sweepMs: -1 },
    { inDoubtMs: Number.POSITIVE_INFINITY },
    { limits: { maxRows: 0 } },
    { limits: { maxBytes: -5 } },
    { unreachable: 'maybe' as 'allow' },
    { hot: { capacity: 0 } },
  ])('out of range are refused: %o', async (wrong) => {
    const { engine, store, map } = bareFleet()
    const opening = ShardRouter.open({ engine, store, map, ...wrong })
    await expect(opening).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('with engines of their own, two routers in two processes share one fleet', async () => {
    const { engine, store, map, router } = await openFleet()
    const databases = Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
    const other = await ShardRouter.open({
      engine: new MemoryEngine({ shards: databases }),
      store: store.connect(),
      map,
      sweepMs: 0,
    })
    const options = { table: 'users' }
    await router.withShard('ada', (tx) => tx.put('users', { name: 'ada', id: 1 }), options)
    const found = await other.withShard(
      'ada',
      (tx) => tx.get('users', { name: 'ada', id: 1 }),
      options,
    )
    expect(found).toEqual({ name: 'ada', id: 1 })
  })
})
