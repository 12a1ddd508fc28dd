import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import {
  BreakerTimeoutError,
  CircuitBreaker,
  consecutive,
  countWindow,
  failureRate,
  timeWindow,
} from '../src/index.ts'
import { deferred, down, fail, failing, setUp } from './breaker-set-up.ts'

describe('rules that peers break', () => {
  test('a success that began before the breaker opened does not close it', async () => {
    const { breaker, time } = setUp()
    const early = deferred<string>()
    const result = breaker.run(() => early.promise)
    await fail(breaker, 2)
    time.pass(5_000)
    expect(breaker.state).toBe('half-open')
    early.resolve('late')
    expect(await result).toBe('late')
    expect(breaker.state).toBe('half-open')
    expect(breaker.counts()).toMatchObject({ calls: 0, ok: 1, fail: 2, inFlight: 0 })
  })

  test('a failure that began before the breaker opened does not reopen it', async () => {
    const { breaker, time } = setUp()
    const early = deferred<void>()
    const result = breaker.run(() => early.promise)
    await fail(breaker, 2)
    time.pass(5_000)
    const probe = breaker.tryAcquire()
    early.reject(down)
    await expect(result).rejects.toBe(down)
    expect(breaker.state).toBe('half-open')
    probe?.ok()
    expect(breaker.state).toBe('closed')
  })

  test('an ignored outcome gives its permit back', () => {
    const { breaker, time } = setUp()
    breaker.openFor(10)
    time.pass(10)
    breaker.tryAcquire()?.ignore()
    expect(breaker.tryAcquire()).not.toBeNull()
    expect(breaker.tryAcquire()).toBeNull()
  })

  test('the caller’s abort is not a failure, and ends the call at once', async () => {
    const { breaker } = setUp({ trip: consecutive(1) })
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const result = breaker.run(
      ({ signal }) => {
        seen = signal
        return new Promise(() => {})
      },
      { signal: controller.signal },
    )
    controller.abort('changed my mind')
    await expect(result).rejects.toBe('changed my mind')
    expect(seen?.aborted).toBe(true)
    expect(breaker.state).toBe('closed')
    expect(breaker.counts()).toMatchObject({ ignore: 1, fail: 0, inFlight: 0 })
  })

  test('a signal that is aborted beforehand means that there is no call', async () => {
    const { breaker } = setUp()
    const fn = vi.fn()
    const result = breaker.run(fn, { signal: AbortSignal.abort('no') })
    await expect(result).rejects.toBe('no')
    expect(fn).not.toHaveBeenCalled()
    expect(breaker.counts()).toMatchObject({ admitted: 0, rejected: 0 })
  })

  test('a hung probe releases its place after probeTimeoutMs, and its result is late', async () => {
    const { breaker, time } = setUp({ halfOpen: { probes: 1, probeTimeoutMs: 30_000 } })
    await fail(breaker, 2)
    time.pass(5_000)
    const hung = breaker.tryAcquire()
    time.pass(29_999)
    expect(breaker.tryAcquire()).toBeNull()
    time.pass(1)
    const next = breaker.tryAcquire()
    expect(next).not.toBeNull()
    hung?.fail()
    expect(breaker.state).toBe('half-open')
    next?.ok()
    expect(breaker.state).toBe('closed')
  })

  test('the window empties on a change of state: one failure after recovery is one', async () => {
    const trip = failureRate({ window: countWindow(100), minCalls: 10, rate: 0.5 })
    const { breaker, time } = setUp({ trip })
    await fail(breaker, 10)
    expect(breaker.state).toBe('open')
    time.pass(5_000)
    await breaker.run(() => 'well')
    expect(breaker.counts().calls).toBe(0)
    await fail(breaker, 1)
    expect(breaker.state).toBe('closed')
    expect(breaker.counts()).toMatchObject({ calls: 1, failures: 1 })
  })

  test('the window empties across idle gaps', async () => {
    const trip = failureRate({ window: timeWindow({ ms: 5_000 }), minCalls: 5 })
    const { breaker, time } = setUp({ trip })
    await fail(breaker, 4)
    time.pass(3_600_000)
    await fail(breaker, 1)
    expect(breaker.state).toBe('closed')
    expect(breaker.counts()).toMatchObject({ calls: 1, failures: 1, failureRate: 1 })
  })

  test('calls in flight are no outcomes: 45 failures open it beside 55 that hang', async () => {
    const { breaker } = setUp({ trip: failureRate({ minCalls: 45, rate: 0.5 }) })
    for (let i = 0; i < 55; i++) void breaker.run(() => new Promise(() => {}))
    await fail(breaker, 44)
    expect(breaker.counts()).toMatchObject({ calls: 44, inFlight: 55 })
    await fail(breaker, 1)
    expect(breaker.state).toBe('open')
  })

  test('a timeout counts once, and the late result is ignored', async () => {
    const { breaker, time } = setUp({ trip: consecutive(2) })
    const slow = deferred<string>()
    const result = breaker.run(() => slow.promise, { timeoutMs: 100 })
    time.pass(100)
    await expect(result).rejects.toThrow(BreakerTimeoutError)
    await expect(result).rejects.toMatchObject({ code: 'BREAKER_TIMEOUT', timeoutMs: 100 })
    slow.resolve('late')
    await slow.promise
    expect(breaker.counts()).toMatchObject({ failures: 1, fail: 1, ok: 0, inFlight: 0 })
    expect(breaker.state).toBe('closed')
  })

  test('a rejection after the timeout is handled', async () => {
    const { breaker, time } = setUp()
    const slow = deferred<string>()
    const result = breaker.run(() => slow.promise, { timeoutMs: 100 })
    time.pass(100)
    await expect(result).rejects.toThrow('took longer than 100 ms')
    slow.reject(down)
    await new Promise((resolve) => setImmediate(resolve))
    expect(breaker.counts().fail).toBe(1)
  })

  test('the clock is monotonic: wall steps change nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { breaker, time } = setUp()
    await fail(breaker, 2)
    vi.setSystemTime(Date.now() + 3_600_000)
    expect(breaker.state).toBe('open')
    vi.setSystemTime(Date.now() - 7_200_000)
    time.pass(5_000)
    expect(breaker.state).toBe('half-open')
    vi.useRealTimers()
  })

  test('one call’s timeout aborts only that call', async () => {
    const { breaker, time } = setUp()
    const signals: AbortSignal[] = []
    const hang = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const short = breaker.run(hang, { timeoutMs: 100 })
    void breaker.run(hang, { timeoutMs: 200 })
    void breaker.run(hang)
    time.pass(100)
    await expect(short).rejects.toThrow(BreakerTimeoutError)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false])
    expect(signals[0]?.reason).toBeInstanceOf(BreakerTimeoutError)
  })

  test('a listener that throws breaks nothing, and is told of at ‘fault’', async () => {
    const { breaker } = setUp({ trip: consecutive(1) })
    const faults: unknown[] = []
    const told: string[] = []
    const bad = () => {
      throw down
    }
    breaker.on('fault', ({ error }) => faults.push(error))
    breaker.on('fault', bad)
    breaker.on('transition', bad)
    breaker.on('transition', ({ to }) => told.push(to))
    await fail(breaker, 1)
    expect(breaker.state).toBe('open')
    expect(told).toEqual(['open'])
    expect(faults).toEqual([down])
  })

  test('a listener may change the state, and all that follows agrees', async () => {
    const { breaker } = setUp({ trip: consecutive(1) })
    breaker.on('transition', ({ to }) => {
      if (to === 'open') breaker.reset()
    })
    await fail(breaker, 3)
    expect(breaker.state).toBe('closed')
    expect(breaker.counts()).toMatchObject({ calls: 0, fail: 3, inFlight: 0 })
  })

  test('an unhandled rejection stays visible: the derived promise is returned', async () => {
    const { breaker } = setUp()
    const seen: unknown[] = []
    const listener = (reason: unknown) => seen.push(reason)
    process.on('unhandledRejection', listener)
    const others = process.listeners('unhandledRejection').filter((other) => other !== listener)
    for (const other of others) process.off('unhandledRejection', other)
    void breaker.run(failing)
    void breaker.run(failing, { timeoutMs: 1_000 })
    await new Promise((resolve) => setImmediate(resolve))
    for (const other of others) process.on('unhandledRejection', other)
    process.off('unhandledRejection', listener)
    expect(seen).toEqual([down, down])
  })

  test('a synchronous throw and a thenable without catch are handled', async () => {
    const { breaker } = setUp({ trip: consecutive(10) })
    const thenable = (value: string) => {
      const entries = [['then', (yes: (value: string) => void) => yes(value)]] as const
      return Object.fromEntries(entries) as { then: PromiseLike<string>['then'] }
    }
    for (const options of [undefined, {}, { timeoutMs: 50 }]) {
      await expect(breaker.run(() => thenable('ok'), options)).resolves.toBe('ok')
      const thrown = breaker.run(() => {
        throw down
      }, options)
      await expect(thrown).rejects.toBe(down)
      await expect(breaker.run(() => 'plain', options)).resolves.toBe('plain')
    }
    expect(breaker.counts()).toMatchObject({ ok: 6, fail: 3, inFlight: 0 })
  })

  test('a breaker dropped is collected, also with a listener and a timeout', async () => {
    setFlagsFromString('--expose-gc')
    const gc: () => void = runInNewContext('gc')
    const refs: WeakRef<CircuitBreaker>[] = []
    ;(() => {
      for (let i = 0; i < 10; i++) {
        const breaker = new CircuitBreaker({ trip: failureRate() })
        breaker.on('transition', () => {})
        void breaker.run(() => 1)
        void breaker.run(() => 1, { timeoutMs: 100_000 })
        refs.push(new WeakRef(breaker))
      }
    })()
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThanOrEqual(1)
  })

  test('no timer runs but those of calls with a timeout, and none when they are over', async () => {
    const { breaker, time } = setUp({ trip: failureRate() })
    await fail(breaker, 50)
    time.pass(60_000)
    await breaker.run(() => 1)
    expect(time.made).toBe(0)
    const call = deferred<void>()
    const result = breaker.run(() => call.promise, { timeoutMs: 10 })
    expect(time.pending).toBe(1)
    call.resolve()
    await result
    expect(time.pending).toBe(0)
  })
})
