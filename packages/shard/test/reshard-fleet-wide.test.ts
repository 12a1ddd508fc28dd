// Jobs on the whole fleet other than resharding: a schema changed everywhere, a database adopted.

import { describe, expect, test } from 'vitest'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { type AdoptingEngine, adopt, migrate, Reshard } from '../src/reshard/index.ts'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'
import { by } from '../src/table-rule.ts'
import { but } from './transaction-fleet.ts'

const TABLES = { users: by('id', { primaryKey: ['id'] }) }
const DDL = ['CREATE TABLE users (id TEXT PRIMARY KEY, n INTEGER)']

async function sqliteFleet() {
  const engine = new SqliteEngine({ shards: { a: ':memory:', b: ':memory:', c: ':memory:' } })
  const store = new SqliteMapStore(':memory:')
  const map = ShardMap.create({ slots: 16, shards: ['a', 'b'], tables: TABLES })
  const router = await ShardRouter.open({ engine, store, map, ddl: DDL, sweepMs: 0 })
  const close = async () => {
    await router.close()
    await engine.close()
    await store.close()
  }
  return { engine, store, map, router, close }
}

describe('a migration', () => {
  const column = { name: 'mail', ddl: ['ALTER TABLE users ADD COLUMN mail TEXT'] }

  test('changes every shard once, however often it is called', async () => {
    const { engine, store, router, close } = await sqliteFleet()
    expect(await migrate({ engine, store, ...column })).toEqual({
      changed: ['a', 'b'],
      present: [],
    })
    expect(await migrate({ engine, store, ...column })).toEqual({
      changed: [],
      present: ['a', 'b'],
    })
    await router.query('ada', 'INSERT INTO users (id, mail) VALUES ($1, $2)', ['ada', 'a@x'])
    const { rows } = await router.query('ada', 'SELECT mail FROM users WHERE id = $1', ['ada'])
    expect(rows).toEqual([{ mail: 'a@x' }])
    expect(await store.jobs.current()).toBeUndefined()
    await close()
  })

  test('goes on where it failed, and no other begins before', async () => {
    const { engine, store, close } = await sqliteFleet()
    const failing = but(engine, {
      open: (shard, claim, options) => {
        if (shard === 'b') throw new ShardError('UNREACHABLE', 'b does not answer')
        return engine.open(shard, claim, options)
      },
    })
    const failed = migrate({ engine: failing, store, ...column })
    await expect(failed).rejects.toMatchObject({ code: 'UNREACHABLE' })
    const other = migrate({ engine, store, name: 'other', ddl: [] })
    await expect(other).rejects.toMatchObject({ code: 'PLAN_CONFLICT' })
    expect(await migrate({ engine, store, ...column })).toEqual({ changed: ['b'], present: ['a'] })
    await close()
  })

  test('does not begin while slots move, nor slots while it runs', async () => {
    const { engine, store, close } = await sqliteFleet()
    const job = await Reshard.create({ engine, store, change: { add: ['c'] }, ddl: DDL })
    const refused = migrate({ engine, store, ...column })
    await expect(refused).rejects.toThrow(new RegExp(`job ${job.id} \\(reshard\\) is under way`))
    await job.abort()
    await job.run()
    await migrate({ engine, store, ...column })
    await close()
  })
})

describe('a database that is adopted', () => {
  const first = ShardMap.create({ slots: 16, shards: ['s1'], tables: TABLES })

  /** An engine that only notes what it is given. */
  function adopting() {
    const seen: number[] = []
    const engine = new MemoryEngine({ shards: ['s1', 's2'] })
    const whole: MemoryEngine & AdoptingEngine = Object.assign(engine, {
      adopt: async (
        shard: string,
        spec: object,
        options: Parameters<AdoptingEngine['adopt']>[2],
      ) => {
        seen.push(options.slotOf('users', ['ada']))
        await engine.install(shard, { ddl: [], tables: first.specs(), ...spec })
        expect(() => options.slotOf('users', [null])).toThrow(
          expect.objectContaining({ code: 'INVALID_KEY' }),
        )
      },
    })
    return { engine: whole, store: new MemoryMapStore(), seen }
  }

  test('is the first shard of a map, by which routers open', async () => {
    const { engine, store, seen } = adopting()
    await adopt({ engine, store, map: first })
    expect(seen).toEqual([first.slotOf('ada')])
    const router = await ShardRouter.open({ engine, store, sweepMs: 0 })
    await router.withShard('ada', (tx) => tx.put('users', { id: 'ada', n: 1 }))
    expect(await router.verify()).toMatchObject({ ok: true, rows: 1 })
    await adopt({ engine, store, map: first })
    await router.close()
  })

  test('is refused where another map is in force, or the engine cannot', async () => {
    const { engine, store } = adopting()
    const other = ShardMap.create({ slots: 8, shards: ['s2'], tables: TABLES })
    await store.compareAndSet(undefined, other.toJSON())
    const taken = adopt({ engine, store, map: first })
    await expect(taken).rejects.toMatchObject({ code: 'MAP_CONFLICT' })
    const plain = new MemoryEngine({ shards: ['s1'] })
    const unable = adopt({ engine: plain, store: new MemoryMapStore(), map: first })
    await expect(unable).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const two = ShardMap.create({ slots: 8, shards: ['s1', 's2'], tables: TABLES })
    const wrong = adopt({ engine, store: new MemoryMapStore(), map: two })
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})
