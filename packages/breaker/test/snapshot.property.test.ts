import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  BreakerError,
  CircuitBreaker,
  consecutive,
  countWindow,
  failureRate,
  timeWindow,
} from '../src/index.ts'

const trips = {
  time: failureRate({ window: timeWindow({ ms: 100 }), minCalls: 30, slow: { ms: 8, rate: 1 } }),
  count: failureRate({ window: countWindow(7), minCalls: 7, slow: { ms: 8, rate: 1 } }),
  streak: consecutive(5),
} as const

/** 64ths of a millisecond: two clocks that begin differently agree on them to the last bit. */
const ms = fc.integer({ min: 0, max: 30 * 64 }).map((ticks) => ticks / 64)

const story = fc.array(
  fc.record({
    ms,
    does: fc.constantFrom('ok', 'fail', 'open'),
  }),
  { maxLength: 40 },
)

describe('a snapshot', () => {
  test.prop([
    fc.constantFrom('time' as const, 'count' as const, 'streak' as const),
    story,
    // Buckets of 10 ms are spans of the clock, so a shift of whole buckets keeps them.
    fc.integer({ min: -1e8, max: 1e8 }).map((buckets) => 10 * buckets),
  ])(
    'restored on a clock with another beginning goes on where it was taken',
    (kind, steps, shift) => {
      let nowMs = 12_345.6875
      const options = { trip: trips[kind], random: () => 0 }
      const breaker = new CircuitBreaker({ ...options, monotonic: () => nowMs })
      for (const { ms, does } of steps) {
        const permit = breaker.tryAcquire()
        nowMs += ms
        if (does === 'open') breaker.openFor(ms)
        else permit?.[does]()
      }
      const twin = new CircuitBreaker({ ...options, monotonic: () => nowMs + shift })
      twin.restore(JSON.parse(JSON.stringify(breaker.snapshot())))
      const { calls, failures, slowCalls } = breaker.counts()
      // Probes start over.
      const kept = breaker.state === 'half-open' ? {} : { calls, failures, slowCalls }
      expect(twin.counts()).toMatchObject(kept)
      expect(twin.state).toBe(breaker.state)
      expect(twin.remainingOpenMs).toBeCloseTo(breaker.remainingOpenMs, 5)
      expect(twin.generation).toBeGreaterThanOrEqual(breaker.generation)
    },
  )

  test('of a breaker that opened just now restores as open, for the rest of its time', () => {
    let nowMs = 0
    const breaker = new CircuitBreaker({ random: () => 0, monotonic: () => nowMs })
    nowMs = 3_600_000
    breaker.openFor(5_000)
    nowMs += 2_000
    const snapshot = breaker.snapshot()
    expect(snapshot).toEqual({
      version: 1,
      state: 'open',
      remainingMs: 3_000,
      openings: 0,
      generation: 1,
      window: null,
    })
    const twin = new CircuitBreaker({ monotonic: () => 17 })
    twin.restore(snapshot)
    expect(twin.remainingOpenMs).toBe(3_000)
  })

  test('keeps nothing longer than open.maxMs, whatever it says', () => {
    const twin = new CircuitBreaker({ open: { maxMs: 9_000 }, monotonic: () => 0 })
    const snapshot = { ...twin.snapshot(), state: 'open' as const, remainingMs: 1e15 }
    twin.restore(snapshot)
    expect(twin.remainingOpenMs).toBe(9_000)
  })

  test('of an isolated breaker is that of a closed one; it takes none itself', () => {
    const breaker = new CircuitBreaker()
    using _ = breaker.isolate()
    const snapshot = breaker.snapshot()
    expect(snapshot).toMatchObject({ state: 'closed', window: null, openings: 0 })
    expect(() => breaker.restore(snapshot)).toThrow(BreakerError)
  })

  test.each([
    ['snapshot', null],
    ['snapshot.version', { version: 2 }],
    ['snapshot.state', { state: 'isolated' }],
    ['snapshot.remainingMs', { remainingMs: Number.NaN }],
    ['snapshot.openings', { openings: -1 }],
    ['snapshot.generation', { generation: 0.5 }],
    ['snapshot.window', { window: 5 }],
    ['snapshot.window.kind', { window: { kind: 'x' } }],
    ['snapshot.window.failures', { window: { kind: 'streak', failures: -1 } }],
    ['snapshot.window.outcomes', { window: { kind: 'count', outcomes: '0124' } }],
    ['snapshot.window.buckets', { window: { kind: 'time', buckets: {} } }],
    ['snapshot.window.buckets.ageMs', { window: { kind: 'time', buckets: [{ ageMs: '1' }] } }],
    [
      'snapshot.window.buckets.calls',
      { window: { kind: 'time', buckets: [{ ageMs: 1, calls: 0.5 }] } },
    ],
    [
      'snapshot.window.buckets.failures',
      { window: { kind: 'time', buckets: [{ ageMs: 1, calls: 1, failures: 2, slowCalls: 0 }] } },
    ],
  ])('with a wrong %s is refused, and changes nothing', (field, wrong) => {
    const breaker = new CircuitBreaker()
    breaker.tryAcquire()?.fail()
    const given = wrong && { ...breaker.snapshot(), ...wrong }
    let caught: unknown
    try {
      breaker.restore(given as never)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'INVALID_SNAPSHOT', option: field })
    expect(breaker.counts().calls).toBe(1)
  })

  test.prop([fc.anything()])('anything else is refused or taken, never half taken', (given) => {
    const breaker = new CircuitBreaker()
    try {
      breaker.restore(given as never)
    } catch (error) {
      expect(error).toBeInstanceOf(BreakerError)
    }
    expect(breaker.state).toBe('closed')
  })
})

describe('a remote transition', () => {
  const make = () => new CircuitBreaker({ open: { maxMs: 60_000 }, monotonic: () => 0 })

  test('of a higher generation wins, of a lower one is old', () => {
    const breaker = make()
    expect(breaker.applyRemote({ to: 'open', generation: 5, remainingMs: 900 })).toBe(true)
    expect(breaker).toMatchObject({ state: 'open', generation: 5, remainingOpenMs: 900 })
    expect(breaker.applyRemote({ to: 'closed', generation: 4, remainingMs: 0 })).toBe(false)
    expect(breaker.applyRemote({ to: 'open', generation: 5, remainingMs: 5_000 })).toBe(false)
    expect(breaker.remainingOpenMs).toBe(900)
    expect(breaker.applyRemote({ to: 'closed', generation: 7, remainingMs: 0 })).toBe(true)
    expect(breaker).toMatchObject({ state: 'closed', generation: 7 })
  })

  test('of the same generation wins if it opens what is not open', () => {
    const breaker = make()
    breaker.openFor(5)
    breaker.reset()
    expect(breaker.applyRemote({ to: 'closed', generation: 2, remainingMs: 0 })).toBe(false)
    expect(breaker.applyRemote({ to: 'open', generation: 2, remainingMs: 900 })).toBe(true)
    expect(breaker).toMatchObject({ state: 'open', generation: 2, remainingOpenMs: 900 })
  })

  test('that closes what is closed leaves its window alone', () => {
    const breaker = make()
    breaker.tryAcquire()?.fail()
    expect(breaker.applyRemote({ to: 'closed', generation: 9, remainingMs: 0 })).toBe(false)
    expect(breaker.counts().calls).toBe(1)
    expect(breaker.generation).toBe(9)
  })

  test('holds no longer than open.maxMs, and does not end an isolation', () => {
    const breaker = make()
    breaker.applyRemote({ to: 'open', generation: 1, remainingMs: 1e12 })
    expect(breaker.remainingOpenMs).toBe(60_000)
    using _ = breaker.isolate()
    expect(breaker.applyRemote({ to: 'closed', generation: 50, remainingMs: 0 })).toBe(false)
    expect(breaker).toMatchObject({ state: 'isolated', generation: 50 })
  })

  test('is told with its cause, so that nobody sends it on', () => {
    const breaker = make()
    const causes: string[] = []
    breaker.on('transition', ({ cause, generation }) => causes.push(`${cause} ${generation}`))
    breaker.applyRemote({ to: 'open', generation: 3, remainingMs: 900, openings: 4 })
    breaker.applyRemote({ to: 'open', generation: 6, remainingMs: 900 })
    expect(causes).toEqual(['remote 3', 'remote 6'])
  })

  const message = fc.record({
    to: fc.constantFrom('open' as const, 'closed' as const),
    generation: fc.integer({ min: 1, max: 5 }),
    remainingMs: fc.constant(500),
  })
  test.prop([fc.array(message), fc.array(message), fc.nat()])(
    'lost, repeated or reordered: the state depends on which are heard alone',
    (heard, repeated, turn) => {
      const [a, b] = [make(), make()]
      const copies = [
        ...heard,
        ...heard.slice(turn % (heard.length + 1)),
        ...heard.slice().reverse(),
      ]
      for (const one of heard) a.applyRemote(one)
      for (const one of copies) b.applyRemote(one)
      expect(b.state).toBe(a.state)
      expect(b.generation).toBe(a.generation)
      for (const one of repeated) {
        a.applyRemote(one)
        b.applyRemote(one)
      }
      expect(b.state).toBe(a.state)
    },
  )
})
