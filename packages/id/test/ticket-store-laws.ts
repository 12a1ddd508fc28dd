// What every store of tickets must keep, as a suite that an implementation runs:
//
//   ticketStoreLaws('SqliteTicketStore', async () => ({ open, dispose }))
//
// `open` gives one more handle on the same numbers, as another process has.

import { describe, expect, test } from 'vitest'
import type { TicketSegment, TicketStore } from '../src/index.ts'
import { idRejectionOf } from './id-error-of.ts'

/** A place with numbers, fresh for each test, that counts by ones. */
export interface TicketStoreSubject {
  open(): Promise<TicketStore>
  dispose(): Promise<void>
}

/** Tests a store. */
export function ticketStoreLaws(name: string, make: () => Promise<TicketStoreSubject>): void {
  const law = (title: string, check: (subject: TicketStoreSubject) => Promise<void>) => {
    test(title, async () => {
      const subject = await make()
      try {
        await check(subject)
      } finally {
        await subject.dispose()
      }
    })
  }

  describe(`${name} keeps the laws of tickets:`, () => {
    law('segments of one are a fetch-and-add: each the next number', async ({ open }) => {
      const store = await open()
      const { first } = await store.fetch(1)
      for (let i = 1; i <= 20; i++) {
        expect(await store.fetch(1)).toMatchObject({ first: first + i, count: 1 })
      }
    })

    law('a segment has the numbers that were asked for, above all before', async ({ open }) => {
      const store = await open()
      let end = 0
      for (const count of [1, 1000, 7, 1_000_000, 2]) {
        const segment = await store.fetch(count)
        expect(segment.count).toBe(count)
        expect(segment.first).toBeGreaterThanOrEqual(end)
        end = segment.first + count
      }
    })

    law('processes that ask at the same moment get disjoint segments', async ({ open }) => {
      const stores = await Promise.all([open(), open(), open()])
      const asked = Array.from({ length: 60 }, (_, i) => stores[i % 3]!.fetch((i % 7) + 1))
      expectDisjointSegments(await Promise.all(asked))
    })

    law('a handle that comes later goes on above', async ({ open }) => {
      const store = await open()
      const before = await store.fetch(10)
      await store.close()
      await store.close()
      const after = await (await open()).fetch(10)
      expect(after.first).toBeGreaterThanOrEqual(before.first + before.count)
    })

    law('a wrong count is INVALID_OPTION and costs nothing', async ({ open }) => {
      const store = await open()
      const { first } = await store.fetch(1)
      for (const count of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) {
        expect((await idRejectionOf(store.fetch(count))).code).toBe('INVALID_OPTION')
      }
      expect((await store.fetch(1)).first).toBe(first + 1)
    })

    law('a closed store is STORE_UNAVAILABLE', async ({ open }) => {
      const store = await open()
      await store.close()
      expect((await idRejectionOf(store.fetch(1))).code).toBe('STORE_UNAVAILABLE')
    })
  })
}

/** The law of tickets: no number in two segments. */
export function expectDisjointSegments(segments: readonly TicketSegment[]): void {
  const sorted = segments.toSorted((a, b) => a.first - b.first)
  for (const [i, { first }] of sorted.entries()) {
    const before = sorted[i - 1]
    if (before) expect(before.first + before.count).toBeLessThanOrEqual(first)
  }
}
