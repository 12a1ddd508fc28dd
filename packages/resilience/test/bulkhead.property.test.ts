import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type BulkheadCounts, bulkhead, type Policy } from '../src/index.ts'
import { type Outcome, watch } from './outcome.ts'
import { settle } from './virtual-time.ts'

type Step =
  | { readonly do: 'call' }
  | { readonly do: 'end' | 'abort'; readonly which: number }
  /** One turn of the microtasks, so that steps fall between the steps of a handing over. */
  | { readonly do: 'turn' }
  | { readonly do: 'settle' }

type Limits = { readonly concurrency: number; readonly queue: number }
type Judged = Policy & { readonly counts: () => Omit<BulkheadCounts, 'refused'> }
type Make = (limits: Limits) => Judged

const which = fc.nat(9)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'abort'), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
)
const steps = fc.array(step, { maxLength: 60 })
const limits = fc.record({ concurrency: fc.integer({ min: 1, max: 4 }), queue: fc.nat(5) })

interface Caller {
  readonly n: number
  readonly abort: AbortController
  outcome?: Outcome<unknown>
  end?: () => void
}

/** Callers who come, end and abort in any order, also several at one moment; what went wrong. */
async function judge(plan: readonly Step[], limit: Limits, make: Make): Promise<string> {
  const policy = make(limit)
  const callers: Caller[] = []
  const started: number[] = []
  let running = 0
  let mistake = ''
  const come = () => {
    const caller: Caller = { n: callers.length, abort: new AbortController() }
    const unsettled = callers.filter(({ outcome }) => outcome?.state === 'pending').length
    const call = () => {
      started.push(caller.n)
      if (++running > limit.concurrency) mistake ||= 'more ran than may'
      return new Promise<void>((resolve) => {
        caller.end = () => {
          running--
          delete caller.end
          resolve()
        }
      })
    }
    const before = policy.counts()
    caller.outcome = watch(policy(call, { signal: caller.abort.signal }))
    callers.push(caller)
    const { running: now, waiting } = policy.counts()
    const isRefused = now === before.running && waiting === before.waiting
    if (isRefused && unsettled < limit.concurrency + limit.queue) mistake ||= 'refused too early'
  }
  for (const step of plan) {
    if (step.do === 'call') come()
    else if (step.do === 'turn') await Promise.resolve()
    else if (step.do === 'settle') await settle()
    else {
      const active = callers.filter(({ outcome }) => outcome?.state === 'pending')
      const caller = active[step.which % active.length]
      if (step.do === 'abort') caller?.abort.abort('gone')
      else caller?.end?.()
    }
    if (policy.counts().waiting > limit.queue) mistake ||= 'more waited than may'
    if (step.do !== 'settle') continue
    const counts = policy.counts()
    if (counts.running !== running) mistake ||= 'a place was lost or made'
    if (counts.waiting > 0 && running < limit.concurrency) mistake ||= 'a place stood empty'
  }
  for (let i = 0; i <= callers.length; i++) {
    for (const { end } of callers) end?.()
    await settle()
  }
  if (started.some((n, i) => i > 0 && n < started[i - 1]!)) mistake ||= 'one overtook another'
  const { running: left, waiting } = policy.counts()
  if (left !== 0 || waiting !== 0) mistake ||= 'a place was lost'
  if (callers.some(({ outcome }) => outcome?.settled !== 1)) mistake ||= 'not settled once'
  return mistake
}

test.prop([steps, limits], { numRuns: 500 })(
  'never more than its limits, first in first out, permits conserved, each call settled once',
  async (plan, limit) => {
    expect(await judge(plan, limit, bulkhead)).toBe('')
  },
)

/** A plain bulkhead on an array, right but for its bug. */
const plain =
  (bug: 'frees the place first' | 'keeps who aborted' | 'loses the place of who aborts' | '') =>
  ({ concurrency, queue }: Limits): Judged => {
    const line: (() => void)[] = []
    let running = 0
    const leave = () => {
      const first = line.shift()
      if (bug === 'frees the place first' || first === undefined) running--
      if (bug === '' || bug === 'keeps who aborted') first?.()
      else if (first !== undefined) Promise.resolve().then(first)
    }
    const policy: Policy = (next, ctx = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = ctx
        if (signal?.aborted) throw signal.reason
        const start = () => resolve(Promise.resolve(next(ctx)).finally(leave))
        const startLater = () => {
          if (bug === 'frees the place first') running++
          if (bug !== 'loses the place of who aborts' || !signal?.aborted) start()
        }
        if (running < concurrency) {
          running++
          start()
          return
        }
        if (line.length >= queue) throw new Error('full')
        line.push(startLater)
        signal?.addEventListener('abort', () => {
          const at = line.indexOf(startLater)
          if (at >= 0 && bug !== 'keeps who aborted') line.splice(at, 1)
          reject(signal.reason)
        })
      })
    return Object.assign(policy, { counts: () => ({ running, waiting: line.length }) })
  }

const law = (make: Make) =>
  fc.asyncProperty(steps, limits, async (plan, limit) => (await judge(plan, limit, make)) === '')

test('the law accepts a plain bulkhead that is right', async () => {
  expect((await fc.check(law(plain('')), { seed: 1, numRuns: 300 })).failed).toBe(false)
})

test.each(['frees the place first', 'keeps who aborted', 'loses the place of who aborts'] as const)(
  'the law catches a bulkhead that %s',
  async (bug) => {
    expect((await fc.check(law(plain(bug)), { seed: 1, numRuns: 2000 })).failed).toBe(true)
  },
)
