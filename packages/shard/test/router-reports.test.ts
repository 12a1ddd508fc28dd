import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { Capacity } from '../src/capacity.ts'
import type { Row } from '../src/engine.ts'
import { ShardMap } from '../src/shard-map.ts'
import { nameOn, openFleet, putUsers } from './router-fleet.ts'

const USERS = { table: 'users' }
const DAY_MS = 86_400_000

describe('hot', () => {
  test('counts each call once by key and table, and its slot', async () => {
    const { router, map } = await openFleet()
    for (let i = 0; i < 5; i++) await router.withShard('star', () => i, USERS)
    await router.withShard(['a', 'b'], () => 1)
    await router.transaction([{ key: 'star', ...USERS }, 'fan'], () => 1)
    router.route('star', 'users')
    const { total, keys, slots } = router.hot()
    expect(total).toBe(8)
    expect(keys[0]).toEqual({ table: 'users', key: 'star', count: 6, error: 0 })
    expect(keys).toContainEqual({ table: undefined, key: 'a\u0000b', count: 1, error: 0 })
    const { slot, shard } = map.route('star', 'users')
    expect(slots[0]).toMatchObject({ slot, shard })
    expect(router.hot({ k: 1 }).keys).toHaveLength(1)
  })

  test.prop([fc.array(fc.nat(30), { minLength: 1, maxLength: 200 })], { numRuns: 40 })(
    'has every key above its share, within the error of space-saving',
    async (uses) => {
      const { router } = await openFleet({ router: { hot: { capacity: 8 } } })
      for (const use of uses) await router.withShard(`key${use}`, () => 1)
      const counts = new Map<string, number>()
      for (const use of uses) counts.set(`key${use}`, (counts.get(`key${use}`) ?? 0) + 1)
      const { keys } = router.hot({ k: 8 })
      for (const [key, count] of counts) {
        const found = keys.find((one) => one.key === key)
        if (count > uses.length / 8) expect(found).toBeDefined()
        if (found === undefined) continue
        expect(found.count).toBeGreaterThanOrEqual(count)
        expect(found.count - found.error).toBeLessThanOrEqual(count)
      }
    },
  )
})

describe('capacity', () => {
  /** Shards that hold what they are told. */
  function gauge(limits: ConstructorParameters<typeof Capacity>[0]) {
    let nowMs = 1_700_000_000_000
    const rows = new Map<string, number>()
    const capacity = new Capacity(limits, () => nowMs)
    const map = ShardMap.create({ slots: 8, shards: ['a', { id: 'b', weight: 3 }] })
    const engine = {
      measure: async (shard: string) => {
        const count = rows.get(shard)!
        return [{ table: 't', rows: count, bytes: count * 100 }]
      },
    }
    const measure = (afterMs: number, a: number, b: number) => {
      nowMs += afterMs
      rows.set('a', a).set('b', b)
      return capacity.measure(engine, map)
    }
    return { measure }
  }

  test('tells rows and bytes by shard and table, and knows no growth at first', async () => {
    const { measure } = gauge({ maxRows: 1_000 })
    const { shards, missing, imbalance } = await measure(0, 100, 300)
    expect(shards[0]).toEqual({
      shard: 'a',
      rows: 100,
      bytes: 10_000,
      tables: [{ table: 't', rows: 100, bytes: 10_000 }],
      rowsPerDay: undefined,
      bytesPerDay: undefined,
      daysLeft: undefined,
    })
    expect(missing).toEqual([])
    // Three times the weight, three times the rows: even.
    expect(imbalance).toEqual({ rows: 1, bytes: 1 })
  })

  test('tells growth a day, and days until the first limit', async () => {
    const { measure } = gauge({ maxRows: 1_000, maxBytes: 50_000 })
    await measure(0, 100, 0)
    const { shards, imbalance } = await measure(DAY_MS / 2, 150, 0)
    expect(shards[0]!.rowsPerDay).toBeCloseTo(100, 9)
    expect(shards[0]!.bytesPerDay).toBeCloseTo(10_000, 9)
    // 850 rows at 100 a day; 35,000 bytes at 10,000 a day.
    expect(shards[0]!.daysLeft).toBeCloseTo(3.5, 9)
    expect(shards[1]!.daysLeft).toBe(Number.POSITIVE_INFINITY)
    expect(imbalance.rows).toBe(4)
    expect((await measure(0, 1_200, 0)).shards[0]!.daysLeft).toBe(0)
  })

  test.prop([
    fc.double({ min: -50, max: 50, noNaN: true }),
    fc.array(fc.integer({ min: 1, max: DAY_MS }), { minLength: 2, maxLength: 20 }),
  ])('finds the slope of a line that is straight', async (perDay, steps) => {
    const { measure } = gauge({})
    let days = 0
    let report = await measure(0, 10_000, 10_000)
    for (const step of steps) {
      days += step / DAY_MS
      report = await measure(step, 10_000 + perDay * days, 10_000)
    }
    expect(report.shards[0]!.rowsPerDay).toBeCloseTo(perDay, 3)
    expect(report.shards[1]!.rowsPerDay).toBeCloseTo(0, 6)
    expect(report.shards[0]!.daysLeft).toBeUndefined()
  })

  test('keeps the growth over all of time, in memory for a thousand samples', async () => {
    const { measure } = gauge({})
    let report = await measure(0, 0, 0)
    for (let i = 1; i <= 1_200; i++) report = await measure(DAY_MS, i * 5, 0)
    expect(report.shards[0]!.rowsPerDay).toBeCloseTo(5, 9)
  })

  test('goes through the router, and names shards that do not answer', async () => {
    const { router, engine, map } = await openFleet()
    await putUsers(router, [{ name: nameOn(map, 's1'), id: 1 }])
    engine.down('s2')
    const { shards, missing, imbalance } = await router.capacity()
    expect(shards.map(({ shard, rows }) => [shard, rows])).toEqual([
      ['s1', 1],
      ['s3', 0],
    ])
    expect(missing).toEqual(['s2'])
    expect(imbalance.rows).toBe(2)
  })
})

describe('verify', () => {
  async function filled() {
    const fleet = await openFleet()
    const users: Row[] = Array.from({ length: 30 }, (_, id) => ({ name: `user${id}`, id }))
    await putUsers(fleet.router, users)
    await fleet.router.withShard(5, (tx) => tx.put('jobs', { id: 5 }), { table: 'jobs' })
    await fleet.router.replicate((tx) => tx.put('countries', { code: 'ua', size: 1n }))
    return fleet
  }

  test('of a fleet where all is well says so', async () => {
    const { router } = await filled()
    expect(await router.verify()).toEqual({
      ok: true,
      rows: 31,
      misplaced: [],
      misplacedCount: 0,
      leftovers: [],
      leftoverCount: 0,
      fences: [],
      fenceCount: 0,
      references: [],
      missing: [],
    })
    expect(await router.verify({ tables: ['jobs'] })).toMatchObject({ ok: true, rows: 1 })
    const unknown = router.verify({ tables: ['x'] })
    await expect(unknown).rejects.toMatchObject({ code: 'UNKNOWN_TABLE' })
  })

  test('finds a row whose slot is not that of its key', async () => {
    const { router, engine, map } = await filled()
    const [slot = 0] = map.slotsOf('s2')
    const open = await engine.open('s2', { slots: [slot], epoch: 1 })
    const name = nameOn(map, 's1', 50)
    await open.tx(slot).put('users', { name, id: 99 })
    await open.commit()
    const { ok, misplaced, misplacedCount } = await router.verify()
    expect([ok, misplacedCount]).toEqual([false, 1])
    const primaryKey = { name, id: 99 }
    expect(misplaced).toEqual([{ shard: 's2', table: 'users', slot, key: [name], primaryKey }])
    expect(await router.verify({ maxListed: 0 })).toMatchObject({
      misplaced: [],
      misplacedCount: 1,
    })
  })

  test('finds rows that are nobody’s, and fences that disagree with the map', async () => {
    const { router, engine, map } = await filled()
    const { slot, shard } = map.route('user7', 'users')
    const epoch = 1
    await engine.setFences(shard, [{ slot, state: 'moved', epoch }])
    const { leftovers, leftoverCount, fences } = await router.verify()
    expect(leftovers).toEqual([{ shard, table: 'users', slot, rows: leftoverCount }])
    expect(leftoverCount).toBeGreaterThan(0)
    const fence = { slot, state: 'moved', epoch }
    expect(fences).toEqual([{ shard, slot, problem: 'missing', fence }])
    await engine.setFences(shard, [{ slot, state: 'frozen', epoch }])
    const other = shard === 's1' ? 's2' : 's1'
    await engine.setFences(other, [{ slot, state: 'owned', epoch }])
    const foreign = { shard: other, slot, problem: 'foreign' }
    expect((await router.verify()).fences).toMatchObject([foreign])
    await engine.setFences(other, [{ slot, state: 'moved', epoch }])
    await engine.setFences(shard, [{ slot, state: 'owned', epoch: 7 }])
    expect((await router.verify()).fences).toMatchObject([{ problem: 'later', slot }])
  })

  test('finds reference tables that differ, and takes equal ones for equal', async () => {
    const { router, engine } = await filled()
    // The same row with its columns in another order, the number of another type.
    const same = await engine.open('s3', { slots: [-1], epoch: 1 })
    await same.tx(-1).put('countries', { size: 1, code: 'ua' })
    await same.commit()
    expect((await router.verify()).references).toEqual([])
    const open = await engine.open('s2', { slots: [-1], epoch: 1 })
    await open.tx(-1).put('countries', { code: 'no', size: 2 })
    await open.commit()
    const { ok, references } = await router.verify()
    expect(ok).toBe(false)
    expect(references).toHaveLength(1)
    const [{ table, copies }] = references as [(typeof references)[number]]
    expect(table).toBe('countries')
    expect(copies.map(({ shard, rows }) => [shard, rows])).toEqual([
      ['s1', 1],
      ['s2', 2],
      ['s3', 1],
    ])
    expect(copies[0]!.digest).toBe(copies[2]!.digest)
    expect(copies[0]!.digest).not.toBe(copies[1]!.digest)
  })

  test('names the shards of which it knows nothing', async () => {
    const { router, engine } = await filled()
    engine.down('s3')
    expect(await router.verify()).toMatchObject({ ok: false, missing: ['s3'] })
  })

  test('can be called off', async () => {
    const { router } = await filled()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(router.verify({ signal })).rejects.toThrow('enough')
    const wrong = router.verify({ maxListed: -1 })
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('status', () => {
  test('tells the epoch, the shards with their slots, and what is wrong with them', async () => {
    const { router, engine } = await openFleet({ slots: 12 })
    engine.down('s3')
    const status = await router.status()
    expect(status).toMatchObject({ epoch: 1, inForce: 1, engine: 'memory', pins: 0, running: 0 })
    expect(status.shards.map(({ shard, problem }) => [shard, problem === undefined])).toEqual([
      ['s1', true],
      ['s2', true],
      ['s3', false],
    ])
    // The slot of the table that lies whole on s2 is there as well.
    expect(status.shards.reduce((sum, { slots }) => sum + slots, 0)).toBe(13)
  })
})
