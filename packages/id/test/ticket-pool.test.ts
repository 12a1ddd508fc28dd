import { describe, expect, test } from 'vitest'
import { failover, MemoryTicketStore, strided, type TicketFetch, TicketPool } from '../src/index.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { settle } from './manual-timers.ts'

const half = () => 0.5

/** A store that can be out, with what was asked of it. */
function flakyStore() {
  const store = new MemoryTicketStore()
  const asked: number[] = []
  const state = { isOut: false, asked }
  const fetch: TicketFetch = async (count) => {
    asked.push(count)
    if (state.isOut) throw new Error('out')
    return store.fetch(count)
  }
  return Object.assign(state, { fetch, store })
}

const takeMany = (pool: TicketPool, count: number) =>
  Array.from({ length: count }, () => pool.next())

describe('a ticket pool', () => {
  test('gives numbers in order, synchronously once a segment is there', async () => {
    const { fetch } = flakyStore()
    const pool = new TicketPool({ fetch, size: { min: 10 } })
    expect(idErrorOf(() => pool.next()).code).toBe('NOT_READY')
    expect(await pool.take()).toBe(1)
    expect(takeMany(pool, 9)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
    await settle()
    expect(pool.next()).toBe(11)
  })

  test('fetches nothing before it is used, and the spare at low water, once', async () => {
    const flaky = flakyStore()
    const pool = new TicketPool({ fetch: flaky.fetch, size: { min: 10, max: 10 }, lowWater: 0.3 })
    expect(flaky.asked).toEqual([])
    await pool.take()
    takeMany(pool, 6)
    expect(flaky.asked).toEqual([10])
    pool.next()
    pool.next()
    expect(flaky.asked).toEqual([10, 10])
    await settle()
    expect(pool.available).toBe(11)
  })

  test('maps the numbers of its store to offset and step', async () => {
    const { fetch } = flakyStore()
    const pool = new TicketPool({ fetch, step: 10, offset: 3, size: { min: 4 } })
    expect([await pool.take(), pool.next(), pool.next()]).toEqual([13, 23, 33])
    expect(await pool.close()).toEqual([
      { first: 4, count: 1, step: 1 },
      { first: 5, count: 4, step: 1 },
    ])
  })

  test('serves many that wait for the same segment', async () => {
    const flaky = flakyStore()
    const pool = new TicketPool({ fetch: flaky.fetch, size: { min: 7, max: 7 } })
    const taken = await Promise.all(Array.from({ length: 50 }, () => pool.take()))
    expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })

  test('doubles its segments while used up too quickly, halves them when slow', async () => {
    let now = 0
    const flaky = flakyStore()
    const size = { min: 4, max: 16, targetMs: 1000 }
    const pool = new TicketPool({ fetch: flaky.fetch, size, monotonic: () => now, lowWater: 0 })
    const useUp = async (lastsMs: number) => {
      await pool.take()
      now += lastsMs
      takeMany(pool, pool.available)
    }
    for (const lastsMs of [10, 10, 10, 1500, 2000, 2000, 2000, 2000]) await useUp(lastsMs)
    expect(flaky.asked).toEqual([4, 8, 16, 16, 16, 8, 4, 4])
  })

  test('works through an outage until both segments are used, then says what to do', async () => {
    let now = 0
    const flaky = flakyStore()
    const options = { size: { min: 10, max: 10 }, monotonic: () => now, random: half }
    const pool = new TicketPool({ fetch: flaky.fetch, ...options })
    await pool.take()
    takeMany(pool, 5)
    await settle()
    flaky.isOut = true
    takeMany(pool, 14)
    await settle()
    const error = idErrorOf(() => pool.next())
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', waitMs: 75 })
    expect(error.cause).toEqual(new Error('out'))
    expect((await idRejectionOf(pool.take())).code).toBe('STORE_UNAVAILABLE')
    flaky.isOut = false
    now += 75
    expect(await pool.take()).toBe(21)
  })

  test('asks a failing store less and less often, and again while numbers last', async () => {
    let now = 0
    const flaky = flakyStore()
    const backoff = { minMs: 100, maxMs: 400 }
    const options = { size: { min: 1000 }, backoff, monotonic: () => now, random: () => 1 }
    const pool = new TicketPool({ fetch: flaky.fetch, ...options })
    await pool.take()
    takeMany(pool, 499)
    flaky.isOut = true
    const tries: number[] = []
    for (; now < 2000; now += 10) {
      const before = flaky.asked.length
      pool.next()
      await settle()
      if (flaky.asked.length > before) tries.push(now)
    }
    expect(tries).toEqual([0, 100, 300, 700, 1100, 1500, 1900])
    flaky.isOut = false
    now += 400
    pool.next()
    await settle()
    expect(pool.available).toBeGreaterThan(1000)
  })

  test('treats an answer that is no segment as a failure', async () => {
    for (const answer of [{}, { first: 1, count: 0 }, { first: -1, count: 1 }, null]) {
      const pool = new TicketPool({ fetch: async () => answer as never })
      expect((await idRejectionOf(pool.take())).code).toBe('STORE_UNAVAILABLE')
    }
    const end = { first: Number.MAX_SAFE_INTEGER, count: 1 }
    const pool = new TicketPool({ fetch: async () => end })
    expect((await idRejectionOf(pool.take())).code).toBe('STORE_UNAVAILABLE')
  })

  test('takes what the store gives, be it less or more than asked', async () => {
    const segments = [
      { first: 5, count: 1 },
      { first: 100, count: 3, step: 2 },
    ]
    const pool = new TicketPool({ fetch: async () => segments.shift()! })
    const taken = [await pool.take(), await pool.take(), await pool.take(), await pool.take()]
    expect(taken).toEqual([5, 100, 102, 104])
  })

  test('returns what was not used when it is closed, and is then STORE_UNAVAILABLE', async () => {
    const flaky = flakyStore()
    const pool = new TicketPool({ fetch: flaky.fetch, size: { min: 4, max: 4 } })
    await pool.take()
    pool.next()
    pool.next()
    const rest = await pool.close()
    expect(rest).toEqual([
      { first: 4, count: 1, step: 1 },
      { first: 5, count: 4, step: 1 },
    ])
    expect(await pool.close()).toBe(rest)
    expect(pool.available).toBe(0)
    expect(idErrorOf(() => pool.next()).code).toBe('STORE_UNAVAILABLE')
    expect((await idRejectionOf(pool.take())).code).toBe('STORE_UNAVAILABLE')
  })

  test('stops waiting when the signal says so, and loses no number by it', async () => {
    const flaky = flakyStore()
    const pool = new TicketPool({ fetch: flaky.fetch, size: { min: 4 } })
    const controller = new AbortController()
    const waiting = pool.take({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(pool.take({ signal: controller.signal })).rejects.toThrow('enough')
    expect(await pool.take()).toBe(1)
  })

  test.each([
    { step: 0 },
    { offset: -1 },
    { size: { min: 0 } },
    { size: { min: 10, max: 9 } },
    { size: { targetMs: -1 } },
    { lowWater: Number.NaN },
    { backoff: { minMs: -1 } },
  ])('with %o is INVALID_OPTION', (option) => {
    const { fetch } = flakyStore()
    expect(idErrorOf(() => new TicketPool({ fetch, ...option })).code).toBe('INVALID_OPTION')
  })
})

describe('two masters', () => {
  const two = () => {
    const [left, right] = [flakyStore(), flakyStore()]
    const fetch = failover([
      strided(left.fetch, { offset: 1, step: 2 }),
      strided(right.fetch, { offset: 2, step: 2 }),
    ])
    return { left, right, fetch }
  }

  test('take turns, and one goes on alone when the other dies', async () => {
    const { left, right, fetch } = two()
    expect([await fetch(2), await fetch(2)]).toEqual([
      { first: 3, count: 2, step: 2 },
      { first: 4, count: 2, step: 2 },
    ])
    left.isOut = true
    expect([await fetch(2), await fetch(2)]).toEqual([
      { first: 8, count: 2, step: 2 },
      { first: 12, count: 2, step: 2 },
    ])
    right.isOut = true
    const error = await idRejectionOf(fetch(2))
    expect(error.code).toBe('STORE_UNAVAILABLE')
    expect((error.cause as AggregateError).errors).toHaveLength(2)
  })

  test('feed one pool without a repeated number', async () => {
    const { left, fetch } = two()
    const pool = new TicketPool({ fetch, size: { min: 5, max: 5 }, random: half })
    const seen = new Set<number>()
    for (let i = 0; i < 200; i++) {
      left.isOut = i % 60 > 30
      seen.add(await pool.take())
    }
    expect(seen.size).toBe(200)
  })

  test('must be there, and must count', () => {
    expect(idErrorOf(() => failover([])).code).toBe('INVALID_OPTION')
    const { fetch } = flakyStore()
    expect(idErrorOf(() => strided(fetch, { offset: -1, step: 1 })).code).toBe('INVALID_OPTION')
    expect(idErrorOf(() => strided(fetch, { offset: 0, step: 0 })).code).toBe('INVALID_OPTION')
  })

  test('are not asked further once the caller has given up', async () => {
    const controller = new AbortController()
    const { right } = two()
    const leaving: TicketFetch = async () => {
      controller.abort(new Error('enough'))
      throw new Error('out')
    }
    const fetch = failover([leaving, right.fetch])
    await expect(fetch(1, { signal: controller.signal })).rejects.toThrow('enough')
    expect(right.asked).toEqual([])
  })
})
