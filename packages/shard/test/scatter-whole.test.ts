import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { Row } from '../src/engine.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import type { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { HandTimers, nameOn, openFleet, putUsers, turn } from './router-fleet.ts'

const ALL = { table: 'users' }
const BY_ID = { orderBy: [{ column: 'id' }] }

/** Reads all rows one way or another; the law is what it must give. */
type Reader = (router: ShardRouter, engine: MemoryEngine) => Promise<readonly Row[]>

const byScatter: Reader = async (router) => (await router.scatter(ALL, BY_ID)).rows

/** The twin that trusts the map: it asks every shard, and does not add up what they own. */
const withoutCheck: Reader = async (router, engine) => {
  const { shards } = router.map
  const scans = await Promise.all(shards.map(({ id }) => engine.scan(id, ALL)))
  const rows: Row[] = []
  for (const scan of scans) for await (const batch of scan.rows()) rows.push(...batch)
  return rows.sort((a, b) => (a.id as number) - (b.id as number))
}

const USERS = Array.from({ length: 20 }, (_, id) => ({ name: `user ${id}`, id }))

/** Reads while slots change hands, at moments that the numbers decide; every slot has its rows. */
async function readsAllOnce(reader: Reader, waits: readonly number[], moves: readonly number[]) {
  const delay = pausing(waits)
  const { engine, store, map } = await openFleet({ slots: 4, names: ['s1', 's2'] })
  // Copies of all rows lie on both shards, so that a slot changes hands by its fences alone.
  const everywhere = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
  await putUsers(everywhere, USERS)
  await copyAll(engine, map)
  const slow = new MemoryEngine({ shards: databasesOf(engine), delay })
  const timers = new HandTimers()
  const { monotonic } = timers
  const router = await ShardRouter.open({ engine: slow, store, sweepMs: 0, timers, monotonic })
  let isMoving = true
  const moving = moveInTurn(engine, store, moves, delay).finally(() => {
    isMoving = false
  })
  const reading = async () => {
    do expect(await reader(router, slow)).toEqual(USERS)
    while (isMoving)
  }
  await timers.drive(reading())
  await moving
}

/** Lets other things run, as often as the numbers say in turn. */
function pausing(waits: readonly number[]): () => Promise<void> {
  let at = 0
  return async () => {
    for (let i = waits[at++ % waits.length]!; i > 0; i--) await null
  }
}

function databasesOf(engine: MemoryEngine) {
  return Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
}

async function copyAll(engine: MemoryEngine, map: ShardMap): Promise<void> {
  for (const slot of map.liveSlots()) {
    const from = map.ownerOf(slot)
    const to = from === 's1' ? 's2' : 's1'
    if (!['s1', 's2'].includes(from)) continue
    const claim = { slots: [slot], epoch: 1 }
    const source = await engine.open(from, claim)
    const rows = await source.tx(slot).select({ table: 'users' })
    await source.commit()
    await engine.setFences(to, [{ slot, state: 'owned', epoch: 1 }])
    const target = await engine.open(to, claim)
    for (const row of rows) await target.tx(slot).put('users', row)
    await target.commit()
    await engine.setFences(to, [{ slot, state: 'moved', epoch: 1 }])
  }
}

/** Frozen on its owner, the map in force, owned by the next, moved from the last. */
async function moveInTurn(
  engine: MemoryEngine,
  store: MemoryMapStore,
  moves: readonly number[],
  delay: () => Promise<void>,
): Promise<void> {
  for (const slot of moves) {
    const map = ShardMap.fromJSON(await store.load())
    const from = map.ownerOf(slot)
    const to = from === 's1' ? 's2' : 's1'
    const { next } = map.change({ moves: [{ slot, to }] })
    const { epoch } = next
    await engine.setFences(from, [{ slot, state: 'frozen', epoch: map.epoch }])
    await delay()
    await store.compareAndSet(map.epoch, next.toJSON())
    await delay()
    await engine.setFences(to, [{ slot, state: 'owned', epoch }])
    await delay()
    await engine.setFences(from, [{ slot, state: 'moved', epoch }])
    await delay()
  }
}

const waits = fc.array(fc.nat(30), { minLength: 3, maxLength: 12 })
// Some as long as a whole move takes.
const longWaits = fc.array(fc.oneof(fc.nat(30), fc.constantFrom(0, 300, 1_000)), {
  minLength: 3,
  maxLength: 12,
})
const moves = fc.array(fc.nat(3), { maxLength: 6 })

describe('each row counts once, whatever moves', () => {
  test.prop([waits, moves], { numRuns: 150 })('in a scatter', (pauses, slots) =>
    readsAllOnce(byScatter, pauses, slots),
  )

  test('which a scatter that does not check who owns what breaks', async () => {
    const check = fc.check(
      fc.asyncProperty(waits, moves, (pauses, slots) => readsAllOnce(withoutCheck, pauses, slots)),
      { seed: 11, numRuns: 150 },
    )
    expect((await check).failed).toBe(true)
  })

  test.prop([longWaits, waits], { numRuns: 100 })(
    'and while a key moves to a slot of its own, and back',
    async (readerWaits, moverWaits) => {
      const { engine, store, router } = await openFleet({ slots: 4 })
      await putUsers(router, USERS)
      const timers = new HandTimers()
      const open = (pauses: readonly number[]) => {
        const slow = new MemoryEngine({ shards: databasesOf(engine), delay: pausing(pauses) })
        const { monotonic } = timers
        return ShardRouter.open({ engine: slow, store, sweepMs: 0, timers, monotonic })
      }
      const [reader, mover] = [await open(readerWaits), await open(moverWaits)]
      let isMoving = true
      const move = async () => {
        for (const shard of ['s2', 's3', 's1']) await mover.pin('user 3', shard, ALL)
        await mover.unpin('user 3', ALL)
        isMoving = false
      }
      const read = async () => {
        do expect((await reader.scatter(ALL, BY_ID)).rows).toEqual(USERS)
        while (isMoving)
      }
      await timers.drive(Promise.all([move(), read()]))
      expect(await router.verify()).toMatchObject({ ok: true })
    },
  )

  test('and while a key moves wholly between two snapshots', async () => {
    const { engine, store, router, map } = await openFleet()
    await putUsers(router, USERS)
    const home = map.route('user 3', 'users').shard
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const delay = async (label: string, shard: string | undefined) => {
      if (label === 'scan:before' && shard === home) await gate
    }
    const slow = new MemoryEngine({ shards: databasesOf(engine), delay })
    const reader = await ShardRouter.open({ engine: slow, store, sweepMs: 0 })
    const reading = reader.scatter(ALL, BY_ID)
    await turn()
    await router.pin('user 3', home === 's1' ? 's2' : 's1', ALL)
    go()
    expect((await reading).rows).toEqual(USERS)
  })
})

describe('a scatter whose fences do not add up', () => {
  test('to the newest map ends with an error, never with rows', async () => {
    const { router, engine, map } = await openFleet({ router: { frozenWaitMs: 20 } })
    const name = nameOn(map, 's1')
    const { slot } = map.route(name, 'users')
    await putUsers(router, [{ name, id: 1 }])
    await engine.setFences('s2', [{ slot, state: 'owned', epoch: 1 }])
    await expect(router.scatter(ALL)).rejects.toMatchObject({ code: 'SHARD_MOVED', slot })
    await engine.setFences('s2', [{ slot, state: 'moved', epoch: 1 }])
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: 1 }])
    await expect(router.scatter(ALL)).rejects.toThrow(/owned by none/u)
    await engine.setFences('s1', [{ slot, state: 'frozen', epoch: 1 }])
    expect((await router.scatter(ALL)).rows).toEqual([{ name, id: 1 }])
    await engine.setFences('s3', [{ slot: 99, state: 'owned', epoch: 1 }])
    await expect(router.scatter(ALL)).rejects.toMatchObject({ code: 'STALE_EPOCH', slot: 99 })
  })

  test('to an old map loads the new one and goes on, with one refresh', async () => {
    const { router, engine, store, map } = await openFleet({ names: ['s1', 's2'] })
    const [slot = 0] = map.slotsOf('s1')
    const { next } = map.change({ moves: [{ slot, to: 's2' }] })
    await store.compareAndSet(1, next.toJSON())
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: 2 }])
    await engine.setFences('s2', [{ slot, state: 'owned', epoch: 2 }])
    expect((await router.scatter(ALL)).rows).toEqual([])
    expect((await router.status()).refreshes).toBeLessThanOrEqual(1)
    expect(router.map.epoch).toBe(2)
  })
})

describe('a table that is not spread', () => {
  test('whole on one shard is asked for there alone, and its slot must be there', async () => {
    const { router, engine, map } = await openFleet({ router: { frozenWaitMs: 5 } })
    const write = { table: 'jobs' }
    await router.withShard(1, (tx) => tx.put('jobs', { id: 1 }), write)
    engine.down('s1')
    expect(await router.scatter(write)).toEqual({ rows: [{ id: 1 }], missing: [] })
    const { slot } = map.route(1, 'jobs')
    await engine.setFences('s2', [{ slot, state: 'moved', epoch: 1 }])
    await expect(router.scatter(write)).rejects.toMatchObject({ code: 'SHARD_MOVED', slot })
  })

  test('copied to all shards is read from any that answers', async () => {
    let random = 0
    const { router, engine } = await openFleet({ router: { random: () => random } })
    await router.replicate((tx) => tx.put('countries', { code: 'ua', name: 'Ukraine' }))
    engine.down('s1')
    engine.down('s2')
    for (random of [0, 0.4, 0.9]) {
      const found = await router.scatter({ table: 'countries' })
      expect(found).toEqual({ rows: [{ code: 'ua', name: 'Ukraine' }], missing: [] })
    }
    engine.down('s3')
    const missing = ['s3', 's1', 's2']
    const refused = router.scatter({ table: 'countries' })
    await expect(refused).rejects.toMatchObject({ code: 'SCATTER_PARTIAL', missing })
    const allowed = await router.scatter({ table: 'countries' }, { partial: 'allow' })
    expect(allowed).toEqual({ rows: [], missing })
  })
})

describe('gather', () => {
  test('gives the rows of one key only, under all of its parts', async () => {
    const { router, map } = await openFleet()
    const others = Array.from({ length: 30 }, (_, i) => ({ name: `name${i}`, id: i }))
    await putUsers(router, [...others, { name: 'star', id: 100 }])
    expect((await router.gather('star', ALL)).rows).toEqual([{ name: 'star', id: 100 }])
    await router.split('star', 3, ALL)
    await putUsers(router, [{ name: 'star\u00011', id: 101 }])
    await putUsers(router, [{ name: 'star\u00012', id: 102 }])
    const { rows } = await router.gather('star', ALL, BY_ID)
    expect(rows.map(({ id }) => id)).toEqual([100, 101, 102])
    const counted = await router.gather('star', {
      ...ALL,
      where: [{ column: 'id', is: '>', value: 100 }],
      aggregates: { rows: { op: 'count' } },
    })
    expect(counted.rows).toEqual([{ rows: 2 }])
    expect(map.parts('star', 'users')).toHaveLength(1)
  })

  test('hears of parts that its map does not know', async () => {
    const { router, engine, store } = await openFleet()
    const deaf = await ShardRouter.open({
      engine,
      store: {
        ...store,
        load: () => store.load(),
        epoch: () => store.epoch(),
        watch: () => () => {},
      } as never,
      sweepMs: 0,
    })
    await router.split('star', 4, ALL)
    for (const part of [1, 2, 3]) await putUsers(router, [{ name: `star\u0001${part}`, id: part }])
    expect(deaf.map.epoch).toBe(1)
    expect((await deaf.gather('star', ALL)).rows).toHaveLength(3)
    await turn()
  })

  test('refuses tables without a shard key, and keys of another number of columns', async () => {
    const { router } = await openFleet()
    const whole = router.gather(1, { table: 'jobs' })
    await expect(whole).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    const pair = router.gather(['a', 'b'], ALL)
    await expect(pair).rejects.toMatchObject({ code: 'INVALID_KEY' })
  })
})
