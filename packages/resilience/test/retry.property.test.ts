import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type CallContext, type Policy, RetryBudget, retry } from '../src/index.ts'
import { watch } from './outcome.ts'
import { VirtualTime } from './virtual-time.ts'

const settings = fc.record({
  attempts: fc.integer({ min: 1, max: 8 }),
  baseDelayMs: fc.constantFrom(0, 1, 100),
  maxDelayMs: fc.constantFrom(0, 50, 1000),
})
/** What each attempt does: fails, fails and asks for time, or succeeds. */
const plans = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ fails: true }) },
    { weight: 1, arbitrary: fc.record({ retryAfterMs: fc.nat(1500) }) },
    { weight: 1, arbitrary: fc.constant({ fails: false }) },
  ),
  { minLength: 8, maxLength: 8 },
)
type Attempt = { readonly fails: boolean } | { readonly retryAfterMs: number }
type Settings = {
  readonly attempts: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
}
type Make = (options: Settings & { time: VirtualTime; random: () => number }) => Policy

const ours: Make = ({ time, ...options }) => retry({ ...options, ...time.env, budget: false })

/** Follows one call; says what is wrong with when and how often it was tried. */
async function judge(
  plan: readonly Attempt[],
  given: Settings,
  randoms: readonly number[],
  make: Make,
): Promise<string> {
  const time = new VirtualTime()
  const at: number[] = []
  const drawn = [...randoms]
  const policy = make({ ...given, time, random: () => drawn.shift() ?? 0.5 })
  const call = async () => {
    const attempt = plan[at.length]!
    at.push(time.time)
    if (!('fails' in attempt) || attempt.fails) throw Object.assign(new Error(), attempt)
  }
  const outcome = watch(policy(call))
  await time.advance(1e6)
  // The rule, read aloud: while the last attempt failed and another may follow, wait and try.
  let tried = 1
  for (; tried < given.attempts; tried++) {
    const last = plan[tried - 1]!
    if ('fails' in last && !last.fails) break
    const askedMs = 'retryAfterMs' in last ? last.retryAfterMs : 0
    if (askedMs > given.maxDelayMs) break
    const waitedMs = at[tried]! - at[tried - 1]!
    const mostMs = Math.min(given.maxDelayMs, given.baseDelayMs * 2 ** (tried - 1))
    if (!(waitedMs >= askedMs - 1e-6)) return 'came before the time it was told'
    if (!(waitedMs <= askedMs + mostMs + 1e-6)) return 'waited longer than its bound'
    const share = randoms[tried - 1] ?? 0.5
    if (Math.abs(waitedMs - askedMs - share * mostMs) > 1e-6) return 'not the full jitter'
  }
  if (at.length !== tried) return `tried ${at.length} times, not ${tried}`
  return outcome.settled === 1 && time.pending === 0 ? '' : 'not settled once'
}

const randoms = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 8,
  maxLength: 8,
})

test.prop([plans, settings, randoms])(
  'every wait is within [retryAfterMs, retryAfterMs + min(maxDelayMs, baseDelayMs · 2^n)]',
  async (plan, given, drawn) => {
    expect(await judge(plan, given, drawn, ours)).toBe('')
  },
)

test.prop([
  fc.array(fc.record({ afterMs: fc.nat(50), fails: fc.boolean() }), { maxLength: 60 }),
  fc.constantFrom(0, 0.1, 0.2, 1),
  fc.nat(4),
])(
  'callers who share a budget retry at most max(minRetries, rate · calls) times in a window',
  async (plan, rate, minRetries) => {
    const time = new VirtualTime()
    const budget = new RetryBudget({ ...time.env, rate, minRetries })
    const policies = [2, 3, 9].map((attempts) => retry({ ...time.env, attempts, budget }))
    let retries = 0
    for (const [n, { afterMs, fails }] of plan.entries()) {
      await time.advance(afterMs)
      const call = async ({ attempt }: CallContext) => {
        if (attempt !== 1) retries++
        if (fails) throw new Error('down')
      }
      watch(policies[n % 3]!(call))
    }
    await time.advance(60_000)
    expect(retries).toBeLessThanOrEqual(Math.max(minRetries, rate * plan.length) + 1e-9)
  },
)

/** A plain retry, right but for its bug. */
const plain =
  (bug: 'comes early' | 'does not cap the delay' | 'tries once too often' | ''): Make =>
  ({ attempts, baseDelayMs, maxDelayMs, time, random }) =>
  async (next, ctx = {}) => {
    for (let n = 1; ; n++) {
      try {
        return await next(ctx)
      } catch (error) {
        const askedMs = (error as { retryAfterMs?: number }).retryAfterMs ?? 0
        if (askedMs > maxDelayMs) throw error
        if (n >= attempts + (bug === 'tries once too often' ? 1 : 0)) throw error
        const growing = baseDelayMs * 2 ** (n - 1)
        const most = bug === 'does not cap the delay' ? growing : Math.min(maxDelayMs, growing)
        const wait = random() * most
        await time.sleep(bug === 'comes early' ? Math.max(wait, askedMs / 2) : askedMs + wait)
      }
    }
  }

const law = (make: Make) =>
  fc.asyncProperty(plans, settings, randoms, async (plan, given, drawn) => {
    return (await judge(plan, given, drawn, make)) === ''
  })

test('the law accepts a plain retry that is right', async () => {
  expect((await fc.check(law(plain('')), { seed: 1, numRuns: 200 })).failed).toBe(false)
})

test.each(['comes early', 'does not cap the delay', 'tries once too often'] as const)(
  'the law catches a retry that %s',
  async (bug) => {
    expect((await fc.check(law(plain(bug)), { seed: 1, numRuns: 500 })).failed).toBe(true)
  },
)
