import { describe, expect, test } from 'vitest'
import { type IdError, layouts, MemoryLeaseStore, Snowflake, WorkerLease } from '../src/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { ManualTimers } from './manual-timers.ts'

const START = 1_750_000_000_000
const TICK = START - layouts.ashlar.epoch
const layout = { ...layouts.ashlar, datacenterBits: 0, workerBits: 1 }

/** A world with one clock and timers that fire when it moves. */
function world() {
  const timers = new ManualTimers(START)
  const store = new MemoryLeaseStore({ layout, now: timers.now })
  const options = { owner: 'p', ttlMs: 3000, timers }
  return { timers, store, options, now: timers.now }
}

describe('a leased generator', () => {
  test('makes ids of its worker within its ticks', async () => {
    const { store, options, now } = world()
    await store.acquire('other', 1000)
    const lease = await WorkerLease.acquire(store, options)
    const ids = new Snowflake({ lease, now })
    expect(ids.decode(ids.next())).toEqual({ timestamp: START, workerId: 1, sequence: 0 })
    expect([lease.fromTick, lease.untilTick]).toEqual([0, TICK + 3000])
  })

  test('renews its lease by itself, every third of its time', async () => {
    const { timers, store, options, now } = world()
    const lease = await WorkerLease.acquire(store, options)
    const ids = new Snowflake({ lease, now })
    for (let i = 0; i < 20; i++) {
      await timers.advance(1000)
      ids.next()
    }
    expect(lease.untilTick).toBe(TICK + 20_000 + 3000)
    await lease.close()
  })

  test('stops at untilTick while the store is out, and goes on when it is back', async () => {
    const { timers, store, options, now } = world()
    let isOut = false
    const flaky = {
      layout: store.layout,
      acquire: store.acquire.bind(store),
      release: store.release.bind(store),
      close: store.close.bind(store),
      renew: (...args: Parameters<typeof store.renew>) => {
        return isOut ? Promise.reject(new Error('out')) : store.renew(...args)
      },
    }
    const lease = await WorkerLease.acquire(flaky, options)
    const ids = new Snowflake({ lease, now })
    isOut = true
    await timers.advance(2999)
    ids.next()
    await timers.advance(1)
    expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'LEASE_LOST', waitMs: 1000 })
    isOut = false
    await timers.advance(1000)
    ids.next()
    expect(lease.isLost).toBe(false)
  })

  test('says when it is lost, and uses up the ticks that it still has', async () => {
    const { timers, store, options, now } = world()
    const losses: IdError[] = []
    const onLost = (error: IdError) => {
      losses.push(error)
    }
    const lease = await WorkerLease.acquire(store, { ...options, renewEveryMs: 0, onLost })
    const ids = new Snowflake({ lease, now, maxHoldMs: 1e9 })
    const last = ids.next()
    await timers.advance(3000)
    await store.acquire('a', 1000)
    await store.acquire('b', 1000)
    expect((await idRejectionOf(lease.renew())).code).toBe('LEASE_LOST')
    expect(losses.map((error) => error.code)).toEqual(['LEASE_LOST'])
    expect(lease.isLost).toBe(true)
    expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'LEASE_LOST', waitMs: undefined })
    timers.time = START + 10
    expect(ids.next()).toBeGreaterThan(last)
  })

  test('gives the worker back on close, from the tick after its last', async () => {
    const { timers, store, options, now } = world()
    await store.acquire('other', 100_000)
    const lease = await WorkerLease.acquire(store, options)
    const ids = new Snowflake({ lease, now })
    const last = ids.next()
    await Promise.all([lease.close(), lease.close()])
    expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'LEASE_LOST', waitMs: undefined })
    expect((await idRejectionOf(lease.renew())).code).toBe('LEASE_LOST')
    const next = await WorkerLease.acquire(store, options)
    expect([next.workerId, next.fromTick]).toEqual([lease.workerId, TICK + 1])
    const heir = new Snowflake({ lease: next, now })
    expect(heir.next()).toBeGreaterThan(last)
    expect(timers.pending).toBe(1)
  })

  test('makes no id after a close that reported its last tick, also in the same tick', async () => {
    const { store, options, now } = world()
    const lease = await WorkerLease.acquire(store, options)
    const ids = new Snowflake({ lease, now })
    ids.next()
    const closing = lease.close()
    expect(idErrorOf(() => ids.next()).code).toBe('LEASE_LOST')
    await closing
  })

  test('holds at the beginning of its ticks when its clock is slow', async () => {
    const { store, options } = world()
    await store.acquire('other', 100_000)
    const grant = await store.acquire('before', 3000)
    await store.release(grant, TICK + 40)
    const lease = await WorkerLease.acquire(store, options)
    const ids = new Snowflake({ lease, now: () => START })
    expect(ids.decode(ids.next())).toMatchObject({ timestamp: START + 41, sequence: 0 })
  })

  test('waits with nextAsync for its renewal', async () => {
    const { timers, store, options, now } = world()
    const lease = await WorkerLease.acquire(store, { ...options, renewEveryMs: 4000 })
    const ids = new Snowflake({ lease, now, timers })
    ids.next()
    await timers.advance(3500)
    const waiting = ids.nextAsync()
    await timers.advance(5000)
    expect(ids.decode(await waiting).timestamp).toBeGreaterThan(START + 3500)
  })

  test('is the only one of its lease', async () => {
    const { store, options, now } = world()
    const lease = await WorkerLease.acquire(store, options)
    new Snowflake({ lease, now })
    expect(idErrorOf(() => new Snowflake({ lease, now })).code).toBe('INVALID_WORKER')
    await lease.close()
    const late = await WorkerLease.acquire(store, options)
    await late.close()
    expect(idErrorOf(() => new Snowflake({ lease: late, now })).code).toBe('LEASE_LOST')
  })

  test('has the layout of its store', async () => {
    const { store, options, now } = world()
    const lease = await WorkerLease.acquire(store, options)
    for (const other of [{ layout: layouts.twitter }, { epoch: 0 }]) {
      expect(idErrorOf(() => new Snowflake({ lease, now, ...other })).code).toBe('INVALID_LAYOUT')
    }
    expect(idErrorOf(() => new Snowflake({ lease, workerId: 1 })).code).toBe('INVALID_WORKER')
    expect(new Snowflake({ lease, layout, now }).layout).toEqual(store.layout)
  })

  test('is disposed with its lease', async () => {
    const { store, options } = world()
    const lease = await WorkerLease.acquire(store, options)
    await lease[Symbol.asyncDispose]()
    expect(store.holders().size).toBe(0)
  })

  test('is given back when acquiring was given up meanwhile', async () => {
    const { store, options } = world()
    const controller = new AbortController()
    const acquiring = WorkerLease.acquire(store, { ...options, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(acquiring).rejects.toThrow('enough')
    expect(store.holders().size).toBe(0)
  })
})
