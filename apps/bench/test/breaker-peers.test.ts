// What the README of @ashlar/breaker says of the peers, proved on the peers as installed here, each
// case with ours beside it. A case in which a peer does well was mended by it: mend the README.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type BreakerOptions,
  CircuitBreaker,
  consecutive,
  failureRate,
  timeWindow,
} from '@ashlar/breaker'
import * as cockatiel from 'cockatiel'
import Opossum from 'opossum'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const HOUR_MS = 3_600_000
const down = new Error('down')
const failing = () => Promise.reject(down)
const well = () => Promise.resolve('well')
const hang = () => new Promise<string>(() => {})

/** A call that ends when its test says so. */
function deferred(): { promise: Promise<string>; end: (error?: Error) => void } {
  let end: (error?: Error) => void = () => {}
  const promise = new Promise<string>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve('late') : reject(error))
  })
  return { promise, end }
}

const quiet = (call: Promise<unknown>) => call.catch(() => {})

function opossum(options: Opossum.Options = {}): Opossum<[() => Promise<string>], string> {
  return new Opossum((fn: () => Promise<string>) => fn(), {
    timeout: false,
    resetTimeout: 5_000,
    ...options,
  })
}

function around(breaker: cockatiel.IBreaker): cockatiel.CircuitBreakerPolicy {
  return cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 5_000, breaker })
}

/** Ours, on the faked clock; one probe, as opossum and cockatiel have by default. */
function ours(options: BreakerOptions = {}): CircuitBreaker {
  const halfOpen = { probes: 1, ...options.halfOpen }
  return new CircuitBreaker({ trip: consecutive(1), random: () => 0, ...options, halfOpen })
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a call that began before the breaker opened', () => {
  test('and goes well late closes a half-open opossum, without any probe', async () => {
    const early = deferred()
    const peer = opossum({ errorThresholdPercentage: 1 })
    const result = peer.fire(() => early.promise)
    await quiet(peer.fire(failing))
    expect(peer.opened).toBe(true)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(peer.halfOpen).toBe(true)
    early.end()
    await result
    expect(peer.closed).toBe(true)
    peer.shutdown()
  })

  test('and fails late reopens a half-open cockatiel, whose probe then says nothing', async () => {
    const early = deferred()
    const probe = deferred()
    const peer = around(new cockatiel.ConsecutiveBreaker(1))
    const result = quiet(peer.execute(() => early.promise))
    await quiet(peer.execute(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    const probing = peer.execute(() => probe.promise)
    early.end(down)
    await result
    expect(peer.state).toBe(cockatiel.CircuitState.Open)
    probe.end()
    await probing
    expect(peer.state).toBe(cockatiel.CircuitState.Open)
  })

  test('says nothing to ours, whichever way it ends', async () => {
    for (const error of [undefined, down]) {
      const early = deferred()
      const probe = deferred()
      const breaker = ours()
      const result = quiet(breaker.run(() => early.promise))
      await quiet(breaker.run(failing))
      await vi.advanceTimersByTimeAsync(5_000)
      const probing = breaker.run(() => probe.promise)
      early.end(error)
      await result
      expect(breaker.state).toBe('half-open')
      probe.end()
      await probing
      expect(breaker.state).toBe('closed')
    }
  })
})

describe('45 of 45 completed calls failed, 55 are in flight', () => {
  test('opossum counts those in flight as successes and stays closed', async () => {
    const peer = opossum({ errorThresholdPercentage: 50 })
    for (let i = 0; i < 55; i++) void peer.fire(hang)
    for (let i = 0; i < 45; i++) await quiet(peer.fire(failing))
    expect(peer.closed).toBe(true)
    peer.shutdown()
  })

  test('ours opens', async () => {
    const breaker = ours({ trip: failureRate({ rate: 0.5, minCalls: 20 }) })
    for (let i = 0; i < 55; i++) void breaker.run(hang)
    for (let i = 0; i < 45; i++) await quiet(breaker.run(failing))
    expect(breaker.state).toBe('open')
  })
})

describe('one failure after recovery, where ten calls are the least to judge', () => {
  test('reopens opossum, which keeps its window', async () => {
    const peer = opossum({ volumeThreshold: 10, rollingCountTimeout: 60_000 })
    for (let i = 0; i < 11; i++) await quiet(peer.fire(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    await peer.fire(well)
    expect(peer.closed).toBe(true)
    await quiet(peer.fire(failing))
    expect(peer.opened).toBe(true)
    peer.shutdown()
  })

  test('is one failure to ours', async () => {
    const window = timeWindow({ ms: 60_000 })
    const breaker = ours({ trip: failureRate({ window, minCalls: 10 }) })
    for (let i = 0; i < 10; i++) await quiet(breaker.run(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    await breaker.run(well)
    expect(breaker.state).toBe('closed')
    await quiet(breaker.run(failing))
    expect(breaker.state).toBe('closed')
  })
})

describe('a probe that hangs', () => {
  test('leaves opossum rejecting a day later', async () => {
    const peer = opossum({ errorThresholdPercentage: 1, rollingCountTimeout: HOUR_MS })
    await quiet(peer.fire(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    void peer.fire(hang)
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS)
    await expect(peer.fire(well)).rejects.toMatchObject({ code: 'EOPENBREAKER' })
    peer.shutdown()
  })

  test('makes cockatiel queue 1,000 calls, neither served nor refused in an hour', async () => {
    const peer = around(new cockatiel.ConsecutiveBreaker(1))
    await quiet(peer.execute(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    void peer.execute(hang)
    let settled = 0
    for (let i = 0; i < 1_000; i++) {
      peer.execute(well).then(
        () => settled++,
        () => settled++,
      )
    }
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    expect(settled).toBe(0)
  })

  test('releases its place in ours; until then calls are refused, not queued', async () => {
    const breaker = ours({ halfOpen: { probeTimeoutMs: 30_000 } })
    await quiet(breaker.run(failing))
    await vi.advanceTimersByTimeAsync(5_000)
    void breaker.run(hang)
    await expect(breaker.run(well)).rejects.toMatchObject({ code: 'BREAKER_OPEN' })
    await vi.advanceTimersByTimeAsync(30_000)
    await expect(breaker.run(well)).resolves.toBe('well')
    expect(breaker.state).toBe('closed')
  })
})

describe('the state of a breaker that opened just now, restored in another process', () => {
  test('is half-open with opossum, which saved when it was made', async () => {
    const peer = opossum({ errorThresholdPercentage: 1 })
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    await quiet(peer.fire(failing))
    const saved = JSON.parse(JSON.stringify(peer.toJSON()))
    // @types/opossum does not know of `state`.
    const restored = { timeout: false as const, state: saved.state }
    const next = opossum(restored)
    expect([peer.opened, next.opened, next.halfOpen]).toEqual([true, false, true])
    peer.shutdown()
    next.shutdown()
  })

  test('is open with ours, for the rest of its time', async () => {
    const breaker = ours()
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    await quiet(breaker.run(failing))
    await vi.advanceTimersByTimeAsync(1_000)
    const next = ours({ monotonic: () => 0 })
    next.restore(JSON.parse(JSON.stringify(breaker.snapshot())))
    expect([next.state, next.remainingOpenMs]).toEqual(['open', 4_000])
  })
})

describe('the timeout of one call', () => {
  test('aborts the signal of all calls of an opossum', async () => {
    const abortController = new AbortController()
    const peer = opossum({ timeout: 100, abortController })
    const slow = quiet(peer.fire(hang))
    await vi.advanceTimersByTimeAsync(99)
    void quiet(peer.fire(hang)) // would have another 100 ms
    const { signal } = abortController
    await vi.advanceTimersByTimeAsync(1)
    await slow
    expect(signal.aborted).toBe(true)
    peer.shutdown()
  })

  test('aborts the signal of that call in ours', async () => {
    const breaker = ours()
    const signals: AbortSignal[] = []
    const listen = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return hang()
    }
    const slow = quiet(breaker.run(listen, { timeoutMs: 100 }))
    await vi.advanceTimersByTimeAsync(99)
    void quiet(breaker.run(listen, { timeoutMs: 100 }))
    await vi.advanceTimersByTimeAsync(1)
    await slow
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })
})

describe('four failures, an idle hour, one failure, in a window of five seconds', () => {
  test('open cockatiel, which remembers them', async () => {
    const breaker = new cockatiel.SamplingBreaker({
      threshold: 0.5,
      duration: 5_000,
      minimumRps: 1,
    })
    const peer = around(breaker)
    for (let i = 0; i < 4; i++) await quiet(peer.execute(failing))
    expect(peer.state).toBe(cockatiel.CircuitState.Closed)
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    await quiet(peer.execute(failing))
    expect(peer.state).toBe(cockatiel.CircuitState.Open)
  })

  test('are one failure to ours', async () => {
    const breaker = ours({ trip: failureRate({ window: timeWindow({ ms: 5_000 }), minCalls: 5 }) })
    for (let i = 0; i < 4; i++) await quiet(breaker.run(failing))
    await vi.advanceTimersByTimeAsync(HOUR_MS)
    await quiet(breaker.run(failing))
    expect([breaker.state, breaker.counts().calls]).toEqual(['closed', 1])
  })
})

describe('the wall clock steps back an hour', () => {
  const stepBack = () => vi.setSystemTime(Date.now() - HOUR_MS)

  test('and keeps cockatiel open for it', async () => {
    const peer = around(new cockatiel.ConsecutiveBreaker(1))
    await quiet(peer.execute(failing))
    stepBack()
    await vi.advanceTimersByTimeAsync(60_000)
    await expect(peer.execute(well)).rejects.toThrow()
  })

  test('and means nothing to ours', async () => {
    const breaker = ours()
    await quiet(breaker.run(failing))
    stepBack()
    await vi.advanceTimersByTimeAsync(5_000)
    await expect(breaker.run(well)).resolves.toBe('well')
  })
})

describe('breakers dropped without a word', () => {
  /** How many of 200 are left. */
  async function left(make: () => object): Promise<number> {
    vi.useRealTimers()
    setFlagsFromString('--expose-gc')
    const gc: () => void = runInNewContext('gc')
    const refs = Array.from({ length: 200 }, () => new WeakRef(make()))
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      gc()
    }
    return refs.filter((ref) => ref.deref() !== undefined).length
  }

  test('leave opossum’s status objects behind, with their timers', async () => {
    const breakers = () => opossum().status
    expect(await left(breakers)).toBe(200)
  })

  test('leave nothing of ours', async () => {
    const used = () => {
      const breaker = ours()
      void breaker.run(well)
      void breaker.run(well, { timeoutMs: 10_000 })
      return breaker
    }
    expect(await left(used)).toBeLessThanOrEqual(1)
  })
})
