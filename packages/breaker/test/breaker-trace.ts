// Random traces of overlapping calls, and a player that walks a breaker and the model through one
// of them side by side: same admissions, same state, same counts after every step.

import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import {
  type BreakerOptions,
  type CircuitBreaker,
  consecutive,
  countWindow,
  failureRate,
  type Permit,
  type Settled,
  timeWindow,
} from '../src/index.ts'
import { BreakerModel, type ModelRule } from './breaker-model.ts'

type Outcome = 'ok' | 'fail' | 'ignore'

type Step =
  | { readonly does: 'begin'; readonly by: 'permit' | 'run' | 'signal' }
  | { readonly does: 'end'; readonly which: number; readonly outcome: Outcome }
  | { readonly does: 'sync'; readonly outcome: Outcome }
  | { readonly does: 'wait' | 'openFor'; readonly ms: number }
  | { readonly does: 'release'; readonly which: number }
  | { readonly does: 'isolate' | 'reset' }

export interface Trace {
  readonly rule: ModelRule
  /** Whether the breaker has a `classify`; without, a function cannot ask to be ignored. */
  readonly classifies: boolean
  readonly steps: readonly Step[]
}

const rates = fc.constantFrom(0.01, 0.3, 0.5, 0.75, 1)
const window: fc.Arbitrary<ModelRule['window']> = fc.oneof(
  fc.record({
    kind: fc.constant('time' as const),
    ms: fc.constant(120),
    buckets: fc.constantFrom(1, 2, 3, 10),
  }),
  fc.record({ kind: fc.constant('count' as const), calls: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('streak' as const), failures: fc.integer({ min: 1, max: 3 }) }),
)

const rule: fc.Arbitrary<ModelRule> = fc
  .record({
    window,
    rate: rates,
    minCalls: fc.integer({ min: 1, max: 6 }),
    slow: fc.option(fc.record({ ms: fc.constantFrom(10, 30), rate: rates }), { nil: undefined }),
    open: fc.record({
      initialMs: fc.constantFrom(50, 100),
      maxMs: fc.constantFrom(100, 350),
      factor: fc.constantFrom(1, 1.5, 2),
      jitter: fc.constantFrom(0, 0.25, 1),
    }),
    probes: fc.integer({ min: 1, max: 4 }),
    probeRate: fc.option(rates, { nil: undefined }),
    probeTimeoutMs: fc.constantFrom(40, 90),
    chance: fc.constantFrom(0, 0.5, 0.75),
  })
  .map((drawn) => {
    const { window: size } = drawn
    if (size.kind === 'streak') {
      return { ...drawn, rate: 1, minCalls: size.failures, slow: undefined }
    }
    const most = size.kind === 'count' ? size.calls : 6
    return {
      ...drawn,
      minCalls: Math.min(drawn.minCalls, most),
      probeRate: drawn.probeRate ?? drawn.rate,
    }
  })

const outcome = fc.constantFrom<Outcome>('ok', 'fail', 'fail', 'ignore')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('begin' as const),
      by: fc.constantFrom('permit', 'run', 'signal'),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({ does: fc.constant('end' as const), which: fc.nat(9), outcome }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('sync' as const), outcome }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(0, 1, 11, 12, 39, 40, 60, 100, 119, 121, 400, 100_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ does: fc.constantFrom('isolate' as const, 'reset' as const) }),
      fc.record({ does: fc.constant('release' as const), which: fc.nat(3) }),
      fc.record({ does: fc.constant('openFor' as const), ms: fc.constantFrom(0, 70, 500) }),
    ),
  },
)

/** Any rule, and up to 60 steps. */
export const traces: fc.Arbitrary<Trace> = fc.record({
  rule,
  classifies: fc.boolean(),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
})

/** The options that say what the model's rule says. */
function optionsOf(rule: ModelRule): BreakerOptions {
  const { window: size, probeRate } = rule
  const trip =
    size.kind === 'streak'
      ? consecutive(size.failures)
      : failureRate({
          window: size.kind === 'time' ? timeWindow(size) : countWindow(size.calls),
          rate: rule.rate,
          minCalls: rule.minCalls,
          ...(rule.slow && { slow: rule.slow }),
        })
  return {
    trip,
    open: rule.open,
    halfOpen: {
      probes: rule.probes,
      probeTimeoutMs: rule.probeTimeoutMs,
      ...(probeRate === undefined ? {} : { rate: probeRate }),
    },
    random: () => rule.chance,
  }
}

const IGNORED = new Error('says nothing about the service')

function byReason(settled: Settled): Outcome {
  if (settled.status === 'fulfilled') return 'ok'
  return settled.reason === IGNORED ? 'ignore' : 'fail'
}

/** Ends a call that was begun in one of the ways there are. */
type End = (outcome: Outcome) => void | Promise<void>

/** Plays the trace; fails at the first step after which the breaker and the model differ. */
export async function play(
  { rule, classifies, steps }: Trace,
  make: (options: BreakerOptions) => CircuitBreaker,
): Promise<void> {
  let nowMs = 1_000_000
  const breaker = make({
    ...optionsOf(rule),
    ...(classifies ? { classify: byReason } : {}),
    monotonic: () => nowMs,
  })
  const said = (outcome: Outcome): Outcome => {
    return outcome === 'ignore' && !classifies ? 'fail' : outcome
  }
  const model = new BreakerModel(rule)
  const calls: { by: string; end: End; twin: NonNullable<ReturnType<BreakerModel['begin']>> }[] = []
  const holds: { hold: Disposable; isReleased: boolean }[] = []

  const take = async (step: Step): Promise<void> => {
    switch (step.does) {
      case 'begin': {
        const twin = model.begin(nowMs)
        const end = begin(breaker, step.by)
        expect(end !== undefined, 'admitted').toBe(twin !== undefined)
        if (end !== undefined && twin !== undefined) calls.push({ by: step.by, end, twin })
        return
      }
      case 'end': {
        const call = calls[step.which % calls.length]
        if (call === undefined) return
        const ending = call.by === 'run' ? said(step.outcome) : step.outcome
        model.end(call.twin, ending, nowMs)
        await call.end(ending)
        return
      }
      case 'sync': {
        const twin = model.begin(nowMs)
        if (twin !== undefined) model.end(twin, said(step.outcome), nowMs)
        runSync(breaker, step.outcome)
        return
      }
      case 'release': {
        const held = holds[step.which % holds.length]
        if (held === undefined) return
        if (!held.isReleased) model.release()
        held.isReleased = true
        held.hold[Symbol.dispose]()
        return
      }
      case 'isolate':
        model.isolate()
        holds.push({ hold: breaker.isolate(), isReleased: false })
        return
      case 'wait':
        nowMs += step.ms
        return
      case 'openFor':
        model.openFor(step.ms, nowMs)
        breaker.openFor(step.ms)
        return
      case 'reset':
        model.reset()
        breaker.reset()
    }
  }

  for (const [i, step] of steps.entries()) {
    await take(step)
    model.look(nowMs)
    const { failureRate: _, slowRate: __, ...counts } = breaker.counts()
    expect({ i, state: breaker.state, ...counts }).toEqual({
      i,
      state: model.state,
      ...model.remembered(nowMs),
      inFlight: model.inFlight,
      admitted: model.admitted,
      rejected: model.rejected,
      ...model.outcomes,
    })
  }
}

function begin(breaker: CircuitBreaker, by: 'permit' | 'run' | 'signal'): End | undefined {
  if (by === 'permit') {
    const permit: Permit | null = breaker.tryAcquire()
    return permit === null ? undefined : (outcome) => permit[outcome]()
  }
  let settle: { resolve: () => void; reject: (reason: unknown) => void } | undefined
  const controller = new AbortController()
  const promise = breaker.run(
    () =>
      new Promise<void>((resolve, reject) => {
        settle = { resolve, reject }
      }),
    by === 'signal' ? { signal: controller.signal } : undefined,
  )
  const over = promise.catch(() => {})
  if (settle === undefined) return undefined
  const { resolve, reject } = settle
  return async (outcome) => {
    if (outcome === 'ok') resolve()
    else if (outcome === 'fail') reject(new Error('down'))
    else if (by === 'signal') controller.abort()
    else reject(IGNORED)
    await over
  }
}

function runSync(breaker: CircuitBreaker, outcome: Outcome): void {
  try {
    breaker.runSync(() => {
      if (outcome === 'ok') return
      throw outcome === 'fail' ? new Error('down') : IGNORED
    })
  } catch {
    // Refused or thrown by the function: the counts tell.
  }
}
