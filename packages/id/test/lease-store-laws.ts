// What every store of worker leases must keep, as a suite that an implementation runs:
//
//   leaseStoreLaws('SqliteLeaseStore', async () => ({ open, advance, dispose }))
//
// `open` gives one more handle on the same leases, as another process has; `advance` lets time
// pass for the store's clock, by moving it or by waiting.

import { describe, expect, test } from 'vitest'
import type { LeaseGrant, WorkerLeaseStore } from '../src/index.ts'
import { workersOf } from '../src/layout.ts'
import { idRejectionOf } from './id-error-of.ts'

/** A place with leases, fresh for each test; its layout has four workers and ticks of 1 ms. */
export interface LeaseStoreSubject {
  open(): Promise<WorkerLeaseStore>
  advance(ms: number): Promise<void>
  dispose(): Promise<void>
}

const TTL_MS = 400
/** Longer than what any store of these laws may grant. */
const FOREVER_MS = 1e9

/** Tests a store; `maxTtlMs` is what the subject's stores cap leases at. */
export function leaseStoreLaws(
  name: string,
  make: () => Promise<LeaseStoreSubject>,
  maxTtlMs: number,
): void {
  const law = (title: string, check: (subject: LeaseStoreSubject) => Promise<void>) => {
    test(title, async () => {
      const subject = await make()
      try {
        await check(subject)
      } finally {
        await subject.dispose()
      }
    })
  }

  describe(`${name} keeps the laws of leases:`, () => {
    law('processes that start at the same moment get different workers', async ({ open }) => {
      const stores = await Promise.all([open(), open(), open(), open()])
      const grants = await Promise.all(stores.map((store, i) => store.acquire(`p${i}`, TTL_MS)))
      expect(grants.map((grant) => grant.workerId).toSorted()).toEqual([0, 1, 2, 3])
      for (const grant of grants) expect(grant.untilTick).toBeGreaterThan(grant.fromTick)
    })

    law('when all workers are taken it says for how long', async ({ open, advance }) => {
      const store = await open()
      await fillUp(store)
      const error = await idRejectionOf(store.acquire('late', TTL_MS))
      expect(error.code).toBe('NOT_READY')
      expect(error.waitMs).toBeGreaterThan(0)
      expect(error.waitMs).toBeLessThanOrEqual(TTL_MS + 1)
      await advance(error.waitMs!)
      expect((await store.acquire('late', TTL_MS)).workerId).toBeLessThan(4)
    })

    law('the ranges of one worker are disjoint, in order', async ({ open, advance }) => {
      const store = await open()
      const other = await open()
      const grants: LeaseGrant[] = []
      for (let i = 0; i < 8; i++) {
        const grant = await (i % 2 ? other : store).acquire(`p${i}`, TTL_MS / 8)
        const renewed = await store.renew(grant, TTL_MS / 4)
        const isReleased = i % 3 === 0
        grants.push(isReleased ? { ...renewed, untilTick: renewed.fromTick + 2 } : renewed)
        if (isReleased) await other.release(grant, grant.fromTick + 1)
        else await advance(TTL_MS / 4 + 1)
      }
      expectDisjoint(grants)
    })

    law(
      'a grant reaches as far as the store’s clock plus the time asked for, and the cap',
      async ({ open }) => {
        const store = await open()
        const short = await store.acquire('short', TTL_MS)
        const long = await store.acquire('long', FOREVER_MS)
        const difference = long.untilTick - short.untilTick
        expect(difference).toBeGreaterThan(maxTtlMs - TTL_MS - 1)
        expect(difference).toBeLessThan(maxTtlMs + 1000)
        expect((await store.renew(short, FOREVER_MS)).untilTick).toBeLessThan(
          long.untilTick + maxTtlMs / 2,
        )
      },
    )

    law(
      'renewing makes a grant longer, never shorter, and keeps its beginning',
      async ({ open, advance }) => {
        const store = await open()
        const grant = await store.acquire('p', TTL_MS)
        await advance(10)
        const longer = await store.renew(grant, TTL_MS)
        expect(longer).toMatchObject({ workerId: grant.workerId, fromTick: grant.fromTick })
        expect(longer.untilTick).toBeGreaterThan(grant.untilTick)
        const same = await store.renew(longer, 1)
        expect(same.untilTick).toBe(longer.untilTick)
        expect((await store.renew(grant, 1)).untilTick).toBe(longer.untilTick)
      },
    )

    law(
      'a grant that ran out can be renewed while nobody else has the worker',
      async ({ open, advance }) => {
        const store = await open()
        const grant = await store.acquire('p', 10)
        await advance(50)
        const renewed = await store.renew(grant, TTL_MS)
        expect(renewed.untilTick).toBeGreaterThan(grant.untilTick)
        expectDisjoint([renewed, await store.acquire('q', TTL_MS)])
      },
    )

    law('a worker that changed hands is lost to the one before', async ({ open, advance }) => {
      const [store, other] = [await open(), await open()]
      const [first] = await fillUp(store)
      await advance(TTL_MS + 1)
      const heirs = await fillUp(other)
      const heir = heirs.find((grant) => grant.workerId === first!.workerId)!
      expect(heir.fromTick).toBeGreaterThanOrEqual(first!.untilTick)
      expect((await idRejectionOf(store.renew(first!, TTL_MS))).code).toBe('LEASE_LOST')
      await store.release(first!, first!.fromTick)
      expect((await other.renew(heir, TTL_MS)).token).toBe(heir.token)
      expect((await idRejectionOf(other.acquire('late', TTL_MS))).code).toBe('NOT_READY')
    })

    law('a released worker is free at once, from the tick after its last', async ({ open }) => {
      const store = await open()
      const grants = await fillUp(store)
      const given = grants[2]!
      const lastTick = given.fromTick + 3
      await store.release(given, lastTick)
      expect((await idRejectionOf(store.renew(given, TTL_MS))).code).toBe('LEASE_LOST')
      const next = await store.acquire('next', TTL_MS)
      expect(next).toMatchObject({ workerId: given.workerId, fromTick: lastTick + 1 })
      await store.release(given, lastTick)
      expect((await store.renew(next, TTL_MS)).token).toBe(next.token)
    })

    law('a release cannot reach past the grant, or before it', async ({ open }) => {
      const store = await open()
      const grants = await fillUp(store)
      const [late, early] = [grants[0]!, grants[1]!]
      await store.release(late, late.untilTick + 1000)
      expect((await store.acquire('a', TTL_MS)).fromTick).toBe(late.untilTick)
      await store.release(early, early.fromTick - 1000)
      expect((await store.acquire('b', TTL_MS)).fromTick).toBe(early.fromTick)
    })

    law('leases outlive the handle that made them', async ({ open }) => {
      const store = await open()
      const grant = await store.acquire('p', TTL_MS)
      await store.close()
      await store.close()
      const other = await open()
      expect((await other.acquire('q', TTL_MS)).workerId).not.toBe(grant.workerId)
      expect((await other.renew(grant, TTL_MS)).workerId).toBe(grant.workerId)
    })

    law(
      'a closed store is STORE_UNAVAILABLE, a ttl below a tick INVALID_OPTION',
      async ({ open }) => {
        const store = await open()
        const grant = await store.acquire('p', TTL_MS)
        for (const ttlMs of [0, -1, Number.NaN]) {
          expect((await idRejectionOf(store.acquire('p', ttlMs))).code).toBe('INVALID_OPTION')
        }
        await store.close()
        const calls = [store.acquire('q', TTL_MS), store.renew(grant, TTL_MS)]
        for (const call of [...calls, store.release(grant, 0)]) {
          expect((await idRejectionOf(call)).code).toBe('STORE_UNAVAILABLE')
        }
      },
    )
  })
}

/** Acquires every worker of the store. */
async function fillUp(store: WorkerLeaseStore): Promise<LeaseGrant[]> {
  const count = workersOf(store.layout)
  expect(count).toBe(4)
  return Promise.all(Array.from({ length: count }, (_, i) => store.acquire(`p${i}`, TTL_MS)))
}

/** The law of leases: two grants of one worker share no tick. */
export function expectDisjoint(grants: readonly LeaseGrant[]): void {
  for (const [i, a] of grants.entries()) {
    for (const b of grants.slice(i + 1)) {
      if (a.workerId !== b.workerId) continue
      const isApart = a.untilTick <= b.fromTick || b.untilTick <= a.fromTick
      expect(isApart, `${JSON.stringify(a)} and ${JSON.stringify(b)}`).toBe(true)
    }
  }
}
