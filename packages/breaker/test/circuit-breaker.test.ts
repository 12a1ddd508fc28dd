import { describe, expect, test, vi } from 'vitest'
import { BreakerOpenError, consecutive, countWindow, failureRate } from '../src/index.ts'
import { down, fail, failing, setUp } from './breaker-set-up.ts'

describe('a refused call', () => {
  test('gets an error without a stack, unless the breaker captures it', async () => {
    const { breaker, time } = setUp()
    const limit = Error.stackTraceLimit
    await fail(breaker, 2)
    time.pass(2_000)
    const error = await breaker.run(() => 1).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BreakerOpenError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'BreakerOpenError',
      code: 'BREAKER_OPEN',
      retryAfterMs: 3_000,
      breaker: 'billing',
      message: 'breaker "billing" admits no call: it is open for 3000 ms more',
    })
    expect((error as Error).stack).not.toContain('\n')
    expect(Error.stackTraceLimit).toBe(limit)
    const traced = setUp({ openErrorStack: true }).breaker
    traced.openFor(1_000)
    expect(() => traced.runSync(() => 1)).toThrow(BreakerOpenError)
    expect(traced.openError().stack).toContain('\n')
  })

  test('does not reach the function', async () => {
    const { breaker } = setUp()
    const fn = vi.fn(async () => 1)
    using _ = breaker.isolate()
    await expect(breaker.run(fn)).rejects.toMatchObject({ retryAfterMs: Infinity })
    expect(() => breaker.runSync(fn)).toThrow(BreakerOpenError)
    expect(breaker.tryAcquire()).toBeNull()
    expect(fn).not.toHaveBeenCalled()
    expect(breaker.counts()).toMatchObject({ admitted: 0, rejected: 3 })
  })
})

describe('half-open', () => {
  test('closes when the probes’ failure rate is below the trip’s, and reopens otherwise', () => {
    const trip = failureRate({ minCalls: 1, rate: 0.5 })
    for (const [ends, state] of [
      [['ok', 'fail', 'ok'], 'closed'],
      [['fail', 'fail', 'ok'], 'open'],
      [['ok', 'ok', 'fail'], 'closed'],
    ] as const) {
      const { breaker, time } = setUp({ trip, halfOpen: { probes: 3 } })
      breaker.openFor(10)
      time.pass(10)
      for (const end of ends) {
        expect(breaker.state).toBe('half-open')
        breaker.tryAcquire()?.[end]()
      }
      expect(breaker.state).toBe(state)
    }
  })

  test('of consecutive failures reopens at one failure, for longer each time', async () => {
    const { breaker, time } = setUp({ halfOpen: { probes: 3 } })
    await fail(breaker, 2)
    for (const openMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(breaker.remainingOpenMs).toBe(openMs)
      time.pass(openMs)
      breaker.tryAcquire()?.fail()
    }
    time.pass(60_000)
    for (let i = 0; i < 3; i++) breaker.tryAcquire()?.ok()
    expect(breaker.state).toBe('closed')
    await fail(breaker, 2)
    expect(breaker.remainingOpenMs).toBe(5_000)
  })

  test('judges slow probes by the rule that opened it', () => {
    const trip = failureRate({ minCalls: 1, slow: { ms: 100, rate: 0.5 } })
    const { breaker, time } = setUp({ trip })
    const slow = () => {
      const permit = breaker.tryAcquire()
      time.pass(100)
      permit?.ok()
    }
    slow()
    expect(breaker.state).toBe('open')
    time.pass(5_000)
    slow()
    expect(breaker.state).toBe('open')
  })

  test('asks the gate before each probe; one that throws is no obstacle', () => {
    const { breaker, time } = setUp({ halfOpen: { probes: 2 } })
    breaker.openFor(10)
    time.pass(10)
    breaker.probeGate = () => false
    expect(breaker.tryAcquire()).toBeNull()
    expect(breaker.state).toBe('half-open')
    breaker.probeGate = () => {
      throw down
    }
    expect(breaker.tryAcquire()).not.toBeNull()
    breaker.probeGate = undefined
    expect(breaker.tryAcquire()).not.toBeNull()
  })
})

describe('other ways to use it', () => {
  test('wrap keeps this, arguments, result and type', async () => {
    const { breaker } = setUp()
    const service = {
      factor: 3,
      async times(n: number, unit: string) {
        return `${n * this.factor} ${unit}`
      },
    }
    service.times = breaker.wrap(service.times)
    const product: string = await service.times(2, 'ms')
    expect(product).toBe('6 ms')
    expect(breaker.counts().ok).toBe(1)
  })

  test('runSync counts, passes values on and rethrows', () => {
    const { breaker } = setUp({ trip: consecutive(1) })
    expect(breaker.runSync(() => 7)).toBe(7)
    const thrower = () => {
      throw down
    }
    expect(() => breaker.runSync(thrower)).toThrow(down)
    expect(() => breaker.runSync(() => 7)).toThrow(BreakerOpenError)
  })

  test('a permit counts once, and disposing of it without an outcome ignores it', () => {
    const { breaker } = setUp()
    {
      using permit = breaker.tryAcquire()
      permit?.ok()
      permit?.fail()
    }
    {
      using _permit = breaker.tryAcquire()
    }
    expect(breaker.counts()).toMatchObject({ admitted: 2, ok: 1, fail: 0, ignore: 1 })
  })

  test('classify decides, for one call or for all; what it throws leaves the default', async () => {
    const { breaker } = setUp({ classify: ({ status }) => (status === 'rejected' ? 'ok' : 'fail') })
    const faults: unknown[] = []
    breaker.on('fault', ({ error }) => faults.push(error))
    await breaker.run(() => 404)
    await breaker.run(failing).catch(() => {})
    await breaker.run(() => 1, { classify: () => 'ignore' })
    await breaker.run(() => 1, { classify: () => JSON.parse('{') })
    await breaker.run(() => 1, { classify: () => 'maybe' as 'ok' })
    expect(breaker.counts()).toMatchObject({ ok: 3, fail: 1, ignore: 1 })
    expect(faults).toEqual([
      expect.any(SyntaxError),
      expect.objectContaining({ option: 'classify' }),
    ])
  })

  test('isolation is counted, outlives reset, and ends closed', () => {
    const { breaker } = setUp()
    const [a, b] = [breaker.isolate(), breaker.isolate()]
    a[Symbol.dispose]()
    a[Symbol.dispose]()
    breaker.reset()
    breaker.openFor(1_000)
    expect(breaker.state).toBe('isolated')
    b[Symbol.dispose]()
    expect(breaker.state).toBe('closed')
  })

  test('reset closes, empties and forgets how often it opened', async () => {
    const { breaker } = setUp()
    await fail(breaker, 2)
    breaker.reset()
    expect(breaker.state).toBe('closed')
    await fail(breaker, 2)
    expect(breaker.remainingOpenMs).toBe(5_000)
  })

  test('slow calls open it though they go well', async () => {
    const trip = failureRate({ window: countWindow(4), minCalls: 4, slow: { ms: 50, rate: 0.5 } })
    const { breaker, time } = setUp({ trip })
    for (const tookMs of [10, 50, 10, 60]) {
      await breaker.run(async () => time.pass(tookMs))
    }
    expect(breaker.state).toBe('open')
  })
})

describe('events', () => {
  test('tell transitions with their cause, generation and remaining time', async () => {
    const { breaker, time } = setUp()
    const told: unknown[] = []
    breaker.on('transition', (transition) => told.push(transition))
    await fail(breaker, 2)
    time.pass(5_000)
    await breaker.run(() => 1)
    const line = { breaker: 'billing', remainingMs: 0, openings: 1 }
    expect(told).toEqual([
      { ...line, from: 'closed', to: 'open', generation: 1, cause: 'failures', remainingMs: 5_000 },
      { ...line, from: 'open', to: 'half-open', generation: 2, cause: 'elapsed' },
      { ...line, from: 'half-open', to: 'closed', generation: 3, cause: 'probes', openings: 0 },
    ])
  })

  test('tell calls with outcome and duration, late ones marked, and refusals', async () => {
    const { breaker, time } = setUp({ trip: consecutive(1) })
    const told: unknown[] = []
    const listening = breaker.on('call', ({ outcome, isLate, durationMs }) => {
      told.push([outcome, isLate, durationMs])
    })
    breaker.on('reject', ({ state, retryAfterMs }) => told.push([state, retryAfterMs]))
    const early = breaker.tryAcquire()
    await breaker.run(async () => time.pass(5))
    await fail(breaker, 1)
    time.pass(20)
    early?.ok()
    expect(breaker.tryAcquire()).toBeNull()
    listening[Symbol.dispose]()
    listening[Symbol.dispose]()
    early?.fail()
    expect(told).toEqual([
      ['ok', false, 5],
      ['fail', false, 0],
      ['ok', true, 25],
      ['open', 4_980],
    ])
  })

  test('are also published to the process’s diagnostics channels', async () => {
    const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
    const { breaker } = setUp({ trip: consecutive(1) })
    await breaker.run(() => 1)
    const told: [string | symbol, unknown][] = []
    const listener = (message: unknown, name: string | symbol) => told.push([name, message])
    const names = ['transition', 'reject', 'call'].map((event) => `ashlar:breaker:${event}`)
    for (const name of names) subscribe(name, listener)
    await fail(breaker, 1)
    await breaker.run(() => 1).catch(() => {})
    for (const name of names) unsubscribe(name, listener)
    expect(told.map(([name]) => name)).toEqual([names[0], names[2], names[1]])
    expect(told[1]?.[1]).toMatchObject({ breaker: 'billing', outcome: 'fail', durationMs: 0 })
  })
})
