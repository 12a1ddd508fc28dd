import { expect, test } from 'vitest'
import {
  base32,
  MemoryLeaseStore,
  MemoryTicketStore,
  namespaces,
  Snowflake,
  TicketPool,
  ulid,
  v4,
  v5,
  v7,
  validate,
  WorkerLease,
} from '../src/index.ts'

test('every kind of id is made in a browser', async () => {
  const lease = await WorkerLease.acquire(new MemoryLeaseStore(), { owner: 'tab' })
  const ids = new Snowflake({ lease })
  const made = [ids.next(), await ids.nextAsync(), ...ids.many(5000)]
  expect(new Set(made).size).toBe(made.length)
  expect(base32.decode(ids.nextBase32())).toBeGreaterThan(made.at(-1)!)
  await lease.close()

  const store = new MemoryTicketStore()
  const pool = new TicketPool({ fetch: (count) => store.fetch(count) })
  expect([await pool.take(), pool.next()]).toEqual([1, 2])

  expect([v4(), v7()].every(validate)).toBe(true)
  expect(v5('www.example.com', namespaces.dns)).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2')
  const [first, second] = [ulid(), ulid()]
  expect(first < second).toBe(true)
})

test('waiting uses the timers of the browser', async () => {
  const ids = new Snowflake({ workerId: 1, onExhausted: 'throw' })
  const made = await Promise.all(Array.from({ length: 10_000 }, () => ids.nextAsync()))
  expect(new Set(made).size).toBe(10_000)
})
