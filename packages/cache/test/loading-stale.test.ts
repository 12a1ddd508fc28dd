// Old values: answered while they are loaded again, after a failure, or loaded early by chance.

import { describe, expect, test, vi } from 'vitest'
import { calmUntil, ENDLESS, isDueEarly } from '../src/loading/early-refresh.ts'
import { fateOf, Rig, settle } from './loading-rig.ts'

describe('a stale value', () => {
  const stale = async () => {
    const rig = new Rig({ ttlMs: 100, staleMs: 50 })
    rig.cache.set('a', 'old')
    rig.time.pass(100)
    return rig
  }

  test('is answered at once to all, and loaded again once', async () => {
    const { cache, loads } = await stale()
    const reads = Array.from({ length: 100 }, () => cache.get('a'))
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['old']))
    expect([loads.length, cache.peek('a')]).toEqual([1, 'old'])
    expect(loads[0]!.context.stale).toBe('old')
    await loads[0]!.bring('new')
    expect(await cache.get('a')).toBe('new')
    expect(cache.stats()).toMatchObject({ staleHits: 100, refreshes: 1, hits: 1, misses: 0 })
  })

  test('is waited for when its time is over, by way of the same load', async () => {
    const { cache, loads, time } = await stale()
    await cache.get('a')
    time.pass(50)
    const read = cache.get('a')
    expect([await fateOf(read), loads.length]).toEqual(['waiting', 1])
    await loads[0]!.bring('new')
    expect(await read).toBe('new')
  })

  test('is loaded again although who joined that load has left', async () => {
    const { cache, loads, time } = await stale()
    await cache.get('a')
    time.pass(50)
    const controller = new AbortController()
    const left = fateOf(cache.get('a', { signal: controller.signal }))
    controller.abort('bye')
    expect(await left).toEqual({ error: 'bye' })
    expect(loads[0]!.context.signal.aborted).toBe(false)
    await loads[0]!.bring('new')
    expect(cache.peek('a')).toBe('new')
  })

  test('stays if the load in the background fails, which is told and nothing more', async () => {
    const { cache, loads, events } = await stale()
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    await cache.get('a')
    await loads[0]!.fail('down')
    await new Promise((resolve) => setTimeout(resolve))
    process.removeListener('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    const failed = { key: 'a', error: 'down', isBackground: true, isStaleServed: true }
    expect(events).toEqual([{ type: 'failed', ...failed }])
    expect(await cache.get('a')).toBe('old')
    expect(loads).toHaveLength(2)
  })

  test('is left alone for negativeTtlMs after such a failure', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 100, staleMs: 50, negativeTtlMs: 20 })
    cache.set('a', 'old')
    time.pass(100)
    await cache.get('a')
    await loads[0]!.fail('down')
    time.pass(19)
    expect([await cache.get('a'), cache.peek('a'), loads.length]).toEqual(['old', 'old', 1])
    time.pass(1)
    expect([await cache.get('a'), loads.length]).toEqual(['old', 2])
  })
})

describe('stale if error', () => {
  test('answers with an old value until its window ends, also during the load', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 10, staleIfErrorMs: 50 })
    cache.set('a', 'old')
    time.pass(59)
    const inTime = cache.get('a')
    await loads[0]!.fail('down')
    expect(await inTime).toBe('old')
    const tooLate = cache.get('a')
    time.pass(1)
    await loads[1]!.fail('down')
    expect(await fateOf(tooLate)).toEqual({ error: 'down' })
  })

  test('answers nothing that was invalidated while the load was under way', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 10, staleIfErrorMs: 50 })
    cache.set('a', 'old', { tags: ['t'] })
    time.pass(10)
    const read = cache.get('a')
    cache.invalidateTag('t')
    await loads[0]!.fail('down')
    expect(await fateOf(read)).toEqual({ error: 'down' })
  })

  test('reaches as far as staleMs at least', async () => {
    const { cache, loads, time } = new Rig({ ttlMs: 10, staleMs: 50, negativeTtlMs: 5 })
    cache.set('a', 'old')
    time.pass(59)
    await cache.get('a')
    await loads[0]!.fail('down')
    expect(await cache.get('a')).toBe('old')
  })
})

describe('early refresh', () => {
  test('is due by the formula of XFetch', () => {
    const entry = { freshUntilMs: 1000, loadMs: 100 }
    const due = (now: number, u: number, beta = 1) => isDueEarly(entry, now, beta, () => 1 - u)
    expect(due(900, Math.exp(-1.001))).toBe(true)
    expect(due(900, Math.exp(-0.999))).toBe(false)
    expect(due(800, Math.exp(-1.001), 2)).toBe(true)
    expect(due(999.9, 1)).toBe(false)
    expect(due(1000, 1)).toBe(true)
    // The earliest moment at which the largest draw makes it due, down to a whole millisecond.
    expect(due(calmUntil(1000, 100, 1), 2 ** -53)).toBe(false)
    expect(due(calmUntil(1000, 100, 1) + 1, 2 ** -53)).toBe(true)
    expect(calmUntil(1000.7, 100, 0)).toBe(1000)
    expect(calmUntil(Number.POSITIVE_INFINITY, 100, 1)).toBe(ENDLESS)
    expect(calmUntil(2 ** 40, 0, 0)).toBe(ENDLESS - 1)
    expect(calmUntil(-(2 ** 40), 0, 0)).toBe(-(2 ** 30))
  })

  test('and time limits work at any reading of the clock', async () => {
    for (const start of [-(2 ** 40), -0.5, 2 ** 30 - 10.5, 2 ** 40]) {
      const { cache, time } = new Rig({ ttlMs: 20.25 })
      time.nowMs = start
      cache.set('a', 'x')
      time.pass(20)
      expect(await cache.get('a')).toBe('x')
      time.pass(0.5)
      expect(await fateOf(cache.get('a'))).toBe('waiting')
    }
  })

  test('loads in the background, never what was set, never twice at once', async () => {
    const draws = vi.fn(() => 1 - Math.exp(-2))
    const rig = new Rig({ ttlMs: 1000, earlyRefresh: true, random: draws, negativeTtlMs: 10 })
    const { cache, loads, time } = rig
    cache.set('set', 'x')
    void cache.get('a')
    time.pass(10)
    await loads[0]!.bring('1')
    time.pass(969)
    expect(await cache.get('a')).toBe('1')
    expect(await cache.get('set')).toBe('x')
    expect([loads.length, draws.mock.calls.length]).toEqual([1, 1])
    time.pass(2)
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('a')])).toContain('1')
    expect(loads).toHaveLength(2)
    await loads[1]!.fail('down')
    expect([await cache.get('a'), loads.length]).toEqual(['1', 2])
    time.pass(10)
    await cache.get('a')
    await loads[2]!.bring('2')
    expect(await cache.get('a')).toBe('2')
  })

  test('spreads the loads of many processes: few come early, most never at the end', async () => {
    let seed = 7
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed / 2 ** 32
    }
    const beganAt: number[] = []
    for (let process = 0; process < 300; process++) {
      const { cache, loads, time } = new Rig({ ttlMs: 10_000, earlyRefresh: true, random })
      void cache.get('a')
      time.pass(100)
      await loads[0]!.bring('1')
      while (loads.length === 1) {
        time.pass(10)
        void cache.get('a')
      }
      beganAt.push(time.nowMs)
    }
    const mean = beganAt.reduce((sum, at) => sum + at, 0) / beganAt.length
    // Reads at 100 a second and a load of 100 ms: the first of them draws it some 330 ms early.
    expect(mean).toBeGreaterThan(9500)
    expect(mean).toBeLessThan(9800)
    expect(Math.max(...beganAt)).toBeLessThanOrEqual(10_000)
  })
})

test('what a listener throws becomes an unhandled rejection, and disturbs nobody', async () => {
  const failure = new Error('listener')
  const heard: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error) => heard.push(error))
  const { cache, loads } = new Rig({
    onEvent: () => {
      throw failure
    },
  })
  const read = cache.get('a')
  await loads[0]!.bring('1')
  expect(await read).toBe('1')
  await settle()
  await new Promise((resolve) => setTimeout(resolve))
  process.removeAllListeners('unhandledRejection')
  for (const listener of listeners) process.on('unhandledRejection', listener)
  expect(heard).toEqual([failure])
})
