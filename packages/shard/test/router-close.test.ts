import { describe, expect, test } from 'vitest'
import type { ShardTx } from '../src/engine.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { bareFleet, HandTimers, openFleet, putUsers, turn } from './router-fleet.ts'

const USERS = { table: 'users' }

/** A fleet whose sweeps and watches are timed by hand. */
async function timedFleet() {
  const timers = new HandTimers()
  const { monotonic } = timers
  const fleet = await openFleet({ router: { timers, monotonic, sweepMs: 1_000 } })
  return { ...fleet, timers }
}

describe('closing a router', () => {
  test('leaves no timer and no watch, and the engine and the store open', async () => {
    const { router, engine, store, timers, map } = await timedFleet()
    expect(timers.pending).toBe(1)
    await router.close()
    expect(timers.pending).toBe(0)
    await store.compareAndSet(1, map.change({ weights: { s1: 2 } }).next.toJSON())
    for (let i = 0; i < 5; i++) await turn()
    expect(router.map.epoch).toBe(1)
    const other = await ShardRouter.open({ engine, store, sweepMs: 0 })
    expect(other.map.epoch).toBe(2)
  })

  test('waits for the calls under way, and refuses new ones with CLOSED', async () => {
    const { router } = await timedFleet()
    let finish = () => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const write = async (tx: ShardTx) => {
      await held
      await tx.put('users', { name: 'ada', id: 1 })
    }
    const writing = router.withShard('ada', write, USERS)
    await turn()
    let isClosed = false
    const closing = router.close().then(() => {
      isClosed = true
    })
    await turn()
    expect(isClosed).toBe(false)
    const calls = [
      router.withShard('ada', () => 1),
      router.query('ada', 'select 1'),
      router.scatter(USERS),
      router.gather('ada', USERS),
      router.transaction(['ada'], () => 1),
      router.replicate(() => 1),
      router.capacity(),
      router.verify(),
      router.recover(),
      router.refresh(),
      router.status(),
      router.pin('ada', 's1'),
      router.unpin('ada'),
      router.split('ada', 2),
      router.stream(USERS).next(),
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CLOSED' })
    finish()
    await writing
    await closing
    expect(isClosed).toBe(true)
  })

  test('waits no longer than its signal, and can be done again', async () => {
    const { router } = await timedFleet()
    let finish = () => {}
    const call = router.withShard('ada', () => new Promise<void>((resolve) => (finish = resolve)))
    await turn()
    const controller = new AbortController()
    const closing = router.close({ signal: controller.signal })
    controller.abort(new Error('too long'))
    await expect(closing).rejects.toThrow('too long')
    const again = router.close()
    finish()
    await Promise.all([again, call, router.close(), router[Symbol.asyncDispose]()])
  })

  test('ends streams with CLOSED, on every shard', async () => {
    const { router, engine } = await timedFleet()
    await putUsers(router, [
      { name: 'ada', id: 1 },
      { name: 'bob', id: 2 },
    ])
    const stream = router.stream(USERS, { batchRows: 1 })
    await stream.next()
    await router.close()
    const rest = (async () => {
      for await (const row of stream) expect(row).toBeDefined()
    })()
    await expect(rest).rejects.toMatchObject({ code: 'CLOSED' })
    for (const shard of engine.shards) expect(engine.database(shard).held.snapshots).toBe(0)
  })

  test('waits for a sweep that is under way', async () => {
    const timers = new HandTimers()
    const { monotonic } = timers
    let isSlow = false
    let finish = () => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const delay = async (label: string) => {
      if (isSlow && label === 'prepared:before') await held
    }
    const { engine, store, map } = bareFleet({ delay, names: ['s1', 's2'] })
    const options = { timers, monotonic, sweepMs: 1_000 }
    const router = await ShardRouter.open({ engine, store, map, ...options })
    isSlow = true
    timers.fire()
    await turn()
    let isClosed = false
    const closing = router.close().then(() => {
      isClosed = true
    })
    await turn()
    expect(isClosed).toBe(false)
    finish()
    await closing
    expect(timers.pending).toBe(0)
  })
})

describe('the sweeper', () => {
  test('looks every sweepMs, and tells how it went', async () => {
    const { router, timers, store } = await timedFleet()
    expect((await router.status()).lastSweep).toBeUndefined()
    for (let sweep = 1; sweep <= 3; sweep++) {
      timers.fire()
      while (timers.pending === 0) await turn()
      expect(timers.nowMs).toBe(sweep * 1_000)
    }
    const { lastSweep } = await router.status()
    expect(lastSweep).toMatchObject({ error: undefined, recovery: { committed: [] } })
    await store.close()
    timers.fire()
    while (timers.pending === 0) await turn()
    const failed = await router.status()
    expect(failed.lastSweep).toMatchObject({ error: { code: 'CLOSED' } })
    expect(failed.inForce).toBeUndefined()
    await router.close()
    expect(timers.pending).toBe(0)
  })

  test('rolls back what was prepared and never decided', async () => {
    const { router, engine, timers, map } = await timedFleet()
    const { shard, slot, epoch } = map.route('ada', 'users')
    const open = await engine.open(shard, { slots: [slot], epoch })
    await open.tx(slot).put('users', { name: 'ada', id: 1 })
    await open.prepare('left-behind')
    expect((await router.status()).shards.find((one) => one.shard === shard)?.prepared).toBe(1)
    const recovery = await router.recover({ inDoubtMs: 0 })
    expect(recovery.rolledBack).toEqual(['left-behind'])
    expect(engine.database(shard).held).toEqual({ locks: 0, snapshots: 0, prepared: 0 })
    await router.close()
    expect(timers.pending).toBe(0)
  })
})
