import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { Call } from '../src/call.ts'
import { CircuitBreaker, machineOf } from '../src/circuit-breaker.ts'
import {
  type BreakerOptions,
  type BreakerTransition,
  consecutive,
  failureRate,
  type Permit,
  timeWindow,
} from '../src/index.ts'
import { Probation } from '../src/probation.ts'
import type { StateMachine } from '../src/state-machine.ts'
import { play, traces } from './breaker-trace.ts'

const ours = (options: BreakerOptions) => new CircuitBreaker(options)

describe('the law of the model: state, admissions and counts after every step', () => {
  test.prop([traces], { numRuns: 1_000 })('holds', (trace) => play(trace, ours))

  test.prop([traces], { numRuns: 300 })('holds while somebody listens to everything', (trace) =>
    play(trace, (options) => {
      const breaker = new CircuitBreaker(options)
      for (const event of ['call', 'reject', 'transition'] as const) {
        breaker.on(event, () => {
          throw new Error('a bad listener')
        })
      }
      return breaker
    }),
  )
})

describe('the law of the model catches a breaker', () => {
  /** A breaker whose inside was changed. */
  const broken = (change: (machine: StateMachine) => void) => (options: BreakerOptions) => {
    const breaker = new CircuitBreaker(options)
    change(machineOf(breaker))
    return breaker
  }
  const twins: Record<string, (options: BreakerOptions) => CircuitBreaker> = {
    'for which late results count': broken((machine) => {
      const leave = machine.leave.bind(machine)
      machine.leave = (call, outcome) =>
        leave(new Call(machine, machine.era, call.startedMs), outcome)
    }),
    'that keeps the place of an ignored probe': broken((machine) => {
      const leave = machine.leave.bind(machine)
      machine.leave = (call, outcome) => {
        if (outcome === 'ignore' && machine.period instanceof Probation) machine.ignore++
        else leave(call, outcome)
      }
    }),
    'that keeps its window across changes of state': broken((machine) => {
      const change = machine.change.bind(machine)
      machine.change = (to, cause, period) => {
        const { calls = 0, failures = 0 } = machine.window ?? {}
        change(to, cause, period)
        for (let i = 0; i < calls; i++) machine.window?.record(i < failures ? 1 : 0, 0)
      }
    }),
    'whose window does not pass while it is idle': broken((machine) => {
      const { monotonic } = machine.settings
      const start = monotonic()
      const slow = { ...machine.settings, monotonic: () => start + (monotonic() - start) / 10 }
      Object.defineProperty(machine, 'settings', { value: slow })
    }),
    'that admits a probe too many': (options) =>
      new CircuitBreaker({
        ...options,
        halfOpen: { ...options.halfOpen, probes: (options.halfOpen?.probes ?? 0) + 1 },
      }),
    'behind a hung probe for good': (options) =>
      new CircuitBreaker({ ...options, halfOpen: { ...options.halfOpen, probeTimeoutMs: 1e9 } }),
    'that does not wait longer each time': (options) =>
      new CircuitBreaker({ ...options, open: { ...options.open, factor: 1 } }),
  }

  test.each(Object.keys(twins))('%s', async (name) => {
    const law = fc.asyncProperty(traces, (trace) => play(trace, twins[name]!))
    const { failed } = await fc.check(law, { numRuns: 3_000, seed: 7, endOnFailure: true })
    expect(failed).toBe(true)
  })
})

describe('laws of the open and the half-open state', () => {
  const open = fc
    .record({
      initialMs: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      factor: fc.double({ min: 1, max: 1e6, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      over: fc.double({ min: 1, max: 1e6, noNaN: true }),
    })
    .map(({ over, ...rest }) => ({ ...rest, maxMs: rest.initialMs * over }))

  test.prop([
    open,
    fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  ])(
    'open time lies between its jitter’s bounds, grows by the factor and stays below maxMs',
    (times, chances) => {
      let nowMs = 0
      const breaker = new CircuitBreaker({
        trip: consecutive(1),
        open: times,
        halfOpen: { probes: 1 },
        monotonic: () => nowMs,
        random: () => chances.next().value,
      })
      let longestMs = times.initialMs
      for (let opening = 0; opening < 5; opening++) {
        breaker.tryAcquire()?.fail()
        const remainingMs = breaker.remainingOpenMs
        expect(remainingMs).toBeLessThanOrEqual(longestMs * (1 + 1e-9))
        expect(remainingMs).toBeGreaterThanOrEqual(
          longestMs * (1 - times.jitter) * (1 - 1e-6) - 1e-6,
        )
        nowMs += remainingMs + 0.01
        expect(breaker.state).toBe('half-open')
        longestMs = Math.min(times.maxMs, longestMs * times.factor)
      }
    },
  )

  test.prop([
    fc.integer({ min: 1, max: 5 }),
    fc.array(fc.constantFrom('begin', 'ok', 'fail', 'ignore', 'wait'), { maxLength: 80 }),
  ])('never more than `probes` under way or judged, and permits balance', (probes, steps) => {
    let nowMs = 0
    const transitions: BreakerTransition[] = []
    const breaker = new CircuitBreaker({
      trip: failureRate({ window: timeWindow({ ms: 100 }), minCalls: 1 }),
      halfOpen: { probes, probeTimeoutMs: 1_000 },
      monotonic: () => nowMs,
      random: () => 0,
    })
    breaker.on('transition', (transition) => transitions.push(transition))
    breaker.openFor(10)
    nowMs = 10
    expect(breaker.state).toBe('half-open')
    const running: { permit: Permit; atMs: number }[] = []
    let judged = 0
    for (const step of steps) {
      if (step === 'wait') nowMs += 300
      else if (step === 'begin') {
        const permit = breaker.tryAcquire()
        if (permit !== null) running.push({ permit, atMs: nowMs })
      } else {
        const ended = running.shift()
        ended?.permit[step]()
        if (ended !== undefined && step !== 'ignore' && nowMs - ended.atMs < 1_000) judged++
      }
      if (transitions.length > 2) break
      const held = running.filter(({ atMs }) => nowMs - atMs < 1_000)
      expect(held.length + judged).toBeLessThanOrEqual(probes)
      expect(breaker.counts().calls).toBe(judged)
    }
    for (const { permit } of running) permit.ignore()
    const { admitted, ok, fail, ignore, inFlight } = breaker.counts()
    expect(inFlight).toBe(0)
    expect(admitted).toBe(ok + fail + ignore)
  })
})
