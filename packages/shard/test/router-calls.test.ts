import { describe, expect, test } from 'vitest'
import type { Engine, QueryResult, ShardTx, SqlTx } from '../src/engine.ts'
import type { MemoryEngine } from '../src/memory/memory-engine.ts'
import { CrossShard, ShardMoved } from '../src/shard-error.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { HandTimers, nameOn, openFleet, putUsers, turn } from './router-fleet.ts'

const USERS = { table: 'users' }

describe('a transaction on the shard of a key', () => {
  test('commits when its function resolves, and gives what it gave', async () => {
    const { router } = await openFleet()
    const given = await router.withShard(
      'ada',
      async (tx) => {
        await tx.put('users', { name: 'ada', id: 1 })
        await tx.put('orders', { id: 7, user: 'ada' })
        return 'done'
      },
      USERS,
    )
    expect(given).toBe('done')
    const orders = await router.withShard('ada', (tx) => tx.select({ table: 'orders' }), USERS)
    expect(orders).toEqual([{ id: 7, user: 'ada' }])
  })

  test('rolls back when its function throws, at once or later', async () => {
    const { router, engine } = await openFleet()
    const error = new Error('changed my mind')
    const later = router.withShard(
      'ada',
      async (tx) => {
        await tx.put('users', { name: 'ada', id: 1 })
        throw error
      },
      USERS,
    )
    await expect(later).rejects.toBe(error)
    const atOnce = router.withShard('ada', () => {
      throw error
    })
    await expect(atOnce).rejects.toBe(error)
    expect((await router.scatter(USERS)).rows).toEqual([])
    expectNothingHeld(engine)
  })

  test('is refused, not half done, once it has ended', async () => {
    const { router } = await openFleet()
    let kept: ShardTx | undefined
    await router.withShard('ada', (tx) => {
      kept = tx
    })
    await expect(kept!.put('users', { name: 'ada', id: 1 })).rejects.toThrow(/has ended/u)
    expect((await router.scatter(USERS)).rows).toEqual([])
  })

  test('follows its key to the shard that it moved to, in at most two refreshes', async () => {
    const { router, engine, store, map } = await openFleet()
    const name = nameOn(map, 's1')
    const { slot } = map.route(name, 'users')
    const { next } = map.change({ moves: [{ slot, to: 's2' }] })
    await store.compareAndSet(1, next.toJSON())
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: 2 }])
    await engine.setFences('s2', [{ slot, state: 'owned', epoch: 2 }])
    let runs = 0
    const write = (tx: ShardTx) => {
      runs += 1
      return tx.put('users', { name, id: 1 })
    }
    await router.withShard(name, write, USERS)
    expect(runs).toBe(1)
    expect((await router.status()).refreshes).toBeLessThanOrEqual(2)
    expect(engine.database('s2').table('users').versions.all).toBeDefined()
    expect(router.route(name, 'users')).toEqual({ slot, shard: 's2', epoch: 2 })
  })

  test('waits for a slot that is frozen, and writes when it thaws', async () => {
    const timers = new HandTimers()
    const { monotonic } = timers
    const { router, engine, map } = await openFleet({ router: { timers, monotonic } })
    const { shard, slot } = map.route('ada', 'users')
    await engine.setFences(shard, [{ slot, state: 'frozen', epoch: 1 }])
    const writing = router.withShard('ada', (tx) => tx.put('users', { name: 'ada', id: 1 }), USERS)
    for (let i = 0; i < 3; i++) {
      while (timers.pending === 0) await turn()
      timers.fire()
    }
    await engine.setFences(shard, [{ slot, state: 'owned', epoch: 1 }])
    await timers.drive(writing)
    expect((await router.status()).frozenWaits).toBeGreaterThanOrEqual(3)
    expect(timers.pending).toBe(0)
  })

  test('rejects with the fence’s refusal where the newest map is refused', async () => {
    const { router, engine, map } = await openFleet()
    const { shard, slot } = map.route('ada', 'users')
    await engine.setFences(shard, [{ slot, state: 'moved', epoch: 9 }])
    const read = router.withShard('ada', (tx) => tx.get('users', { name: 'ada', id: 1 }), USERS)
    await expect(read).rejects.toBeInstanceOf(ShardMoved)
    await expect(read).rejects.toMatchObject({ shard, slot, epoch: 9 })
  })

  test('is called off anywhere: before, in its function, and while it waits itself', async () => {
    const { router, engine, map } = await openFleet()
    const reason = new Error('enough')
    const gone = router.withShard('ada', () => 1, { signal: AbortSignal.abort(reason) })
    await expect(gone).rejects.toBe(reason)
    const hanging = new AbortController()
    const write = async (tx: ShardTx) => {
      await tx.put('users', { name: 'ada', id: 1 })
      hanging.abort(reason)
      await new Promise(() => {})
    }
    const never = router.withShard('ada', write, { ...USERS, signal: hanging.signal })
    await expect(never).rejects.toBe(reason)
    const { shard, slot } = map.route('ada', 'users')
    await engine.setFences(shard, [{ slot, state: 'frozen', epoch: 1 }])
    const frozen = new AbortController()
    const waiting = router.withShard('ada', (tx) => tx.put('users', { name: 'ada', id: 1 }), {
      ...USERS,
      signal: frozen.signal,
    })
    setImmediate(() => frozen.abort(reason))
    await expect(waiting).rejects.toBe(reason)
    expect((await router.scatter(USERS)).rows).toEqual([])
    expectNothingHeld(engine)
  })

  test('of keys and tables that there are not rejects, and throws nothing', async () => {
    const { router } = await openFleet()
    const read = (key: never, table?: string) => router.withShard(key, () => 1, { table })
    await expect(read(1.5 as never)).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(read(null as never)).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(read('a' as never, 'x')).rejects.toMatchObject({ code: 'UNKNOWN_TABLE' })
  })
})

/** An engine that speaks SQL as far as these tests need, and writes down what it is asked. */
function sqlEngine(engine: MemoryEngine, log: string[], answer: () => Promise<QueryResult>) {
  const open: Engine<SqlTx>['open'] = async (shard, claim, options) => {
    log.push('open')
    const opened = await engine.open(shard, claim, options)
    const query = (text: string, params: readonly unknown[] = []) => {
      log.push(`${text} ${params.join()}`)
      return answer()
    }
    return {
      tx: (slot) => ({ ...opened.tx(slot), query }),
      commit: () => {
        log.push('commit')
        return opened.commit()
      },
      rollback: () => {
        log.push('rollback')
        return opened.rollback()
      },
      prepare: (transaction) => opened.prepare(transaction),
    }
  }
  const sql: Engine<SqlTx> = {
    kind: engine.kind,
    shards: engine.shards,
    open,
    check: (...args) => engine.check(...args),
    install: (...args) => engine.install(...args),
    scan: (...args) => engine.scan(...args),
    fences: (...args) => engine.fences(...args),
    setFences: (...args) => engine.setFences(...args),
    prepared: (...args) => engine.prepared(...args),
    resolve: (shard, transaction, outcome) => engine.resolve(shard, transaction, outcome),
    measure: (...args) => engine.measure(...args),
    placements: (...args) => engine.placements(...args),
    close: () => engine.close(),
  }
  return sql
}

describe('a query of one statement', () => {
  test('sends the statement and the commit without waiting in between', async () => {
    const { engine, store } = await openFleet()
    const log: string[] = []
    let reply: (result: QueryResult) => void = () => {}
    const answer = () => new Promise<QueryResult>((resolve) => (reply = resolve))
    const sql = sqlEngine(engine, log, answer)
    const router = await ShardRouter.open({ engine: sql, store, sweepMs: 0 })
    const querying = router.query('ada', 'select $1', [5], USERS)
    await turn()
    expect(log).toEqual(['open', 'select $1 5', 'commit'])
    reply({ rows: [{ a: 5 }], rowCount: 1 })
    expect(await querying).toEqual({ rows: [{ a: 5 }], rowCount: 1 })
    expect(router.hot().keys).toEqual([{ table: 'users', key: 'ada', count: 1, error: 0 }])
  })

  test('rolls back when the statement fails', async () => {
    const { engine, store } = await openFleet()
    const log: string[] = []
    const error = new Error('syntax')
    const sql = sqlEngine(engine, log, () => Promise.reject(error))
    const router = await ShardRouter.open({ engine: sql, store, sweepMs: 0 })
    await expect(router.query('ada', 'selec')).rejects.toBe(error)
    expect(log.at(-1)).toBe('rollback')
  })

  test('on an engine without SQL says which way to go', async () => {
    const { router, engine } = await openFleet()
    const querying = router.query('ada', 'select 1')
    await expect(querying).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    expectNothingHeld(engine)
  })
})

describe('transactions over shards, sagas and pins', () => {
  test('go through the router', async () => {
    const { router, map } = await openFleet()
    const [one, two] = [nameOn(map, 's1'), nameOn(map, 's2')]
    const keys = [one, two].map((key) => ({ key, ...USERS }))
    await router.transaction(keys, async (t) => {
      await t.on(one, 'users').put('users', { name: one, id: 1 })
      await t.on(two, 'users').put('users', { name: two, id: 2 })
    })
    expect((await router.scatter(USERS)).rows).toHaveLength(2)
    const foreign = router.transaction([{ key: one, ...USERS }], (t) => t.on(two, 'users'))
    await expect(foreign).rejects.toBeInstanceOf(CrossShard)
    await expect(router.transaction([], () => 1)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect(router.hot().total).toBe(3)
    await router.pin(one, 's3', USERS)
    expect(router.route(one, 'users').shard).toBe('s3')
    await router.unpin(one, USERS)
    expect(router.route(one, 'users').shard).toBe('s1')
    expect((await router.scatter(USERS)).rows).toHaveLength(2)
    expect(await router.verify()).toMatchObject({ ok: true })
  })

  test('run sagas, whose names are unique, and undo them', async () => {
    const { router, map } = await openFleet()
    const [one, two] = [nameOn(map, 's1'), nameOn(map, 's2')]
    const step = (name: string, fails: boolean) => ({
      name,
      key: () => name,
      ...USERS,
      run: async (tx: ShardTx) => {
        await tx.put('users', { name, id: 1 })
        if (fails) throw new Error('no')
      },
      undo: async (tx: ShardTx) => {
        await tx.delete('users', { name, id: 1 })
      },
    })
    const good = router.saga('good', [step(one, false), step(two, false)])
    await good.run({})
    expect((await router.scatter(USERS)).rows).toHaveLength(2)
    const bad = router.saga('bad', [step(one, false), step(two, true)])
    await expect(bad.run({})).rejects.toMatchObject({ code: 'ROLLED_BACK' })
    expect(() => router.saga('good', [step(one, false)])).toThrow(/defined here already/u)
    expect((await router.recover()).sagas).toEqual({ done: [], undone: [], waiting: [] })
  })

  test('find a shard that moved through the store’s watch, without being refused', async () => {
    const { router, store, map } = await openFleet()
    const { next } = map.change({ weights: { s1: 2 } })
    await store.compareAndSet(1, next.toJSON())
    await expect.poll(() => router.map.epoch, { interval: 1 }).toBe(2)
    expect((await router.status()).refreshes).toBe(0)
    await putUsers(router, [])
  })
})

function expectNothingHeld(engine: MemoryEngine): void {
  for (const shard of engine.shards) {
    expect(engine.database(shard).held).toEqual({ locks: 0, snapshots: 0, prepared: 0 })
  }
}
