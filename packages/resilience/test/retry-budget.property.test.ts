import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { RetryBudget, type RetryBudgetOptions } from '../src/index.ts'

type Step = { readonly after: number; readonly calls: number; readonly asked: number }

/** What a budget must offer to be judged. */
type Judged = Pick<RetryBudget, 'recordCall' | 'tryRetry'>

const steps = fc.array(
  fc.record({
    /** In windows: many gaps are just above or below one, where buckets begin and end. */
    after: fc.oneof(
      fc.constantFrom(0, 0.01, 0.05, 0.1, 0.5, 0.9, 0.99, 1, 1.01, 1.05, 1.1),
      fc.double({ min: 0, max: 3, noNaN: true }),
    ),
    calls: fc.oneof(fc.nat(3), fc.nat(200)),
    asked: fc.nat(60),
  }),
  { maxLength: 40 },
)
const limits = fc.record({
  rate: fc.constantFrom(0, 0.1, 0.2, 0.5, 1),
  minRetries: fc.constantFrom(0, 1, 3),
  windowMs: fc.constantFrom(1, 100, 1000),
})

type Limits = Required<Omit<RetryBudgetOptions, 'monotonic'>>

/** The rule by lists: each retry as it is granted, against the exact window that ends then. */
function judge(
  plan: readonly Step[],
  limit: Limits,
  make: (options: RetryBudgetOptions) => Judged,
) {
  let now = 0
  const budget = make({ ...limit, monotonic: () => now })
  const calls: number[] = []
  const retries: number[] = []
  const isInWindow = (at: number) => at > now - limit.windowMs
  for (const { after, calls: count, asked } of plan) {
    now += after * limit.windowMs
    for (let i = 0; i < count; i++) {
      budget.recordCall()
      calls.push(now)
    }
    for (let i = 0; i < asked; i++) {
      if (!budget.tryRetry()) continue
      retries.push(now)
      const most = Math.max(limit.minRetries, limit.rate * calls.filter(isInWindow).length)
      if (retries.filter(isInWindow).length > most + 1e-9) return 'too many retries'
    }
  }
  return 'kept'
}

test.prop([steps, limits], { numRuns: 500 })(
  'retries ≤ max(minRetries, rate · calls) in the window before each granted retry',
  (plan, limit) => {
    expect(judge(plan, limit, (options) => new RetryBudget(options))).toBe('kept')
  },
)

test.prop([fc.integer({ min: 0, max: 500 }), fc.double({ min: 0, max: 100, noNaN: true })])(
  'all that the rate allows is granted for calls of the same moment',
  (calls, startMs) => {
    const budget = new RetryBudget({ minRetries: 0, monotonic: () => startMs })
    for (let i = 0; i < calls; i++) budget.recordCall()
    let granted = 0
    while (budget.tryRetry()) granted++
    expect(granted).toBe(Math.floor(calls * 0.2))
  },
)

test.prop([limits, fc.integer({ min: 1, max: 50 })])(
  'a service with no failures for a window grants its minimum again, forever',
  ({ windowMs, rate }, rounds) => {
    let now = 0
    const budget = new RetryBudget({ windowMs, rate, minRetries: 2, monotonic: () => now })
    for (let i = 0; i < rounds; i++) {
      expect([budget.tryRetry(), budget.tryRetry()]).toEqual([true, true])
      now += windowMs * 1.2
    }
  },
)

/** Counts in windows that do not slide: at a boundary it grants twice as much. */
class FixedWindow implements Judged {
  readonly #limit: Limits
  readonly #monotonic: () => number
  #window = -1
  #calls = 0
  #retries = 0

  constructor({ rate = 0.2, minRetries = 3, windowMs = 10_000, monotonic }: RetryBudgetOptions) {
    this.#limit = { rate, minRetries, windowMs }
    this.#monotonic = monotonic ?? (() => 0)
  }

  recordCall(): void {
    this.#advance()
    this.#calls++
  }

  tryRetry(): boolean {
    this.#advance()
    const { minRetries, rate } = this.#limit
    if (this.#retries + 1 > Math.max(minRetries, rate * this.#calls)) return false
    this.#retries++
    return true
  }

  #advance(): void {
    const window = Math.floor(this.#monotonic() / this.#limit.windowMs)
    if (window === this.#window) return
    this.#window = window
    this.#calls = 0
    this.#retries = 0
  }
}

/** Never forgets its calls: a healthy day pays for a storm. */
class Hoard extends RetryBudget {
  #calls = 0
  #retries = 0

  override recordCall(): void {
    this.#calls++
  }

  override tryRetry(): boolean {
    return ++this.#retries <= 0.2 * this.#calls
  }
}

/** Grants while the budget is not yet overdrawn, so by one too many. */
class OneTooMany extends RetryBudget {
  override tryRetry(): boolean {
    return super.tryRetry() || this.counts().refused === 1
  }
}

test.each([
  ['counts in windows that do not slide', (o: RetryBudgetOptions) => new FixedWindow(o)],
  ['never forgets', (o: RetryBudgetOptions) => new Hoard(o)],
  ['grants one too many', (o: RetryBudgetOptions) => new OneTooMany(o)],
])('the law catches a budget that %s', (_, make) => {
  const law = fc.property(steps, limits, (plan, limit) => judge(plan, limit, make) === 'kept')
  expect(fc.check(law, { seed: 1, numRuns: 1000 }).failed).toBe(true)
})
