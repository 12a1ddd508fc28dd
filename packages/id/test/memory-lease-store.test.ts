import { describe, expect, test } from 'vitest'
import { type LeaseGrant, layouts, MemoryLeaseStore, type WorkerLeaseStore } from '../src/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { expectDisjoint, leaseStoreLaws } from './lease-store-laws.ts'

const layout = { ...layouts.ashlar, datacenterBits: 1, workerBits: 1 }

leaseStoreLaws(
  'MemoryLeaseStore',
  async () => {
    let now = 1_750_000_000_000
    const store = new MemoryLeaseStore({ layout, maxTtlMs: 5000, now: () => now })
    return {
      open: async () => store.connect(),
      advance: async (ms) => {
        now += ms
      },
      dispose: () => store.close(),
    }
  },
  5000,
)

describe('MemoryLeaseStore', () => {
  test('names the holders', async () => {
    const store = new MemoryLeaseStore()
    const grant = await store.acquire('pod-7', 1000)
    expect([...store.holders()]).toEqual([[0, 'pod-7']])
    await store.release(grant, grant.fromTick)
    expect([...store.holders()]).toEqual([])
  })

  test('refuses a layout that does not add up and a clock before the epoch', async () => {
    const wide = { ...layouts.ashlar, timeBits: 60 }
    expect(idErrorOf(() => new MemoryLeaseStore({ layout: wide })).code).toBe('INVALID_LAYOUT')
    const early = new MemoryLeaseStore({ now: () => 0 })
    expect((await idRejectionOf(early.acquire('p', 1000))).code).toBe('BEFORE_EPOCH')
  })

  test('prefers a worker whose ticks are over to one that was released ahead of time', async () => {
    let now = 1_750_000_000_000
    const store = new MemoryLeaseStore({ layout, now: () => now })
    const [a, b] = [await store.acquire('a', 1000), await store.acquire('b', 1000)]
    await store.release(a, a.untilTick - 1)
    await store.release(b, b.fromTick)
    expect((await store.acquire('c', 1000)).workerId).toBe(b.workerId)
    now += 2000
    expect((await store.acquire('d', 1000)).workerId).toBe(a.workerId)
  })
})

describe('a broken lease store is caught', () => {
  test('one that grants by wall time instead of by what was granted', async () => {
    // The store's clock steps back after the first lease ended: the same ticks are granted again.
    let tick = 1000
    const grants: LeaseGrant[] = []
    const byWallTime: Pick<WorkerLeaseStore, 'acquire'> = {
      acquire: async (_, ttlMs) => {
        return { workerId: 0, fromTick: tick, untilTick: tick + ttlMs, token: tick }
      },
    }
    for (const jump of [0, 150, -100]) {
      tick += jump
      grants.push(await byWallTime.acquire('p', 100))
    }
    expect(() => expectDisjoint(grants)).toThrow()
  })
})
