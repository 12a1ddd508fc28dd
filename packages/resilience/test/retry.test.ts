import { expect, test } from 'vitest'
import { RetryBudget, type RetryOptions, retry } from '../src/index.ts'
import { codeThrownBy, watch } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'
import { settle, VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

testPolicyLaws('retry', ({ env }) => retry({ ...env, attempts: 2, baseDelayMs: 0 }))

/** Fails so many times; remembers when it was called and as which attempt. */
function flaky(
  time: VirtualTime,
  failures: number,
  error = (n: number): unknown => new Error(`failure ${n}`),
) {
  const at: number[] = []
  const attempts: unknown[] = []
  const call = async ({ attempt }: { attempt?: number | undefined }): Promise<string> => {
    at.push(time.time)
    attempts.push(attempt)
    if (at.length <= failures) throw error(at.length)
    return 'ok'
  }
  return { call, at, attempts }
}

test('waits up to twice as long each time, and not longer than maxDelayMs', async () => {
  const time = new VirtualTime()
  const { call, at, attempts } = flaky(time, 6)
  const options = { attempts: 7, baseDelayMs: 100, maxDelayMs: 1000, random: () => 0.5 }
  const outcome = watch(retry({ ...options, ...time.env, budget: false })(call))
  await time.advance(60_000)
  expect(outcome.value).toBe('ok')
  expect(at).toEqual([0, 50, 150, 350, 750, 1250, 1750])
  expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('rejects with the last error itself, its cause included', async () => {
  const time = new VirtualTime()
  const { call, at } = flaky(time, 9, (n) => new Error(`failure ${n}`, { cause: n }))
  const outcome = watch(retry(time.env)(call))
  await time.advance(60_000)
  expect(at).toHaveLength(3)
  expect(outcome.error).toMatchObject({ message: 'failure 3', cause: 3 })
})

test('does not retry what is not retryable, and asks once for each failure', async () => {
  const time = new VirtualTime()
  const asked: unknown[] = []
  const retryable = (error: unknown, attempt: number) => {
    asked.push([(error as Error).message, attempt])
    return attempt < 2
  }
  const { call, at } = flaky(time, 9, (n) => new Error(`failure ${n}`))
  const outcome = watch(retry({ ...time.env, attempts: 5, retryable })(call))
  await time.advance(60_000)
  expect(outcome.error).toMatchObject({ message: 'failure 2' })
  expect(asked).toEqual([
    ['failure 1', 1],
    ['failure 2', 2],
  ])
  expect(at).toHaveLength(2)
})

test('a retryable that throws fails the call with what it threw', async () => {
  const retryable = () => {
    throw new Error('cannot tell')
  }
  await expect(retry({ retryable })(() => Promise.reject('x'))).rejects.toThrow('cannot tell')
})

test('comes again after retryAfterMs, and a random while later', async () => {
  const time = new VirtualTime()
  const { call, at } = flaky(time, 1, () => ({ retryAfterMs: 3000 }))
  watch(retry({ ...time.env, baseDelayMs: 100, random: () => 0.5 })(call))
  await time.advance(60_000)
  expect(at).toEqual([0, 3050])
})

test('gives up at once where retryAfterMs is above maxDelayMs', async () => {
  const time = new VirtualTime()
  const error = { retryAfterMs: 10_001 }
  const outcome = watch(retry(time.env)(() => Promise.reject(error)))
  await settle()
  expect(outcome).toMatchObject({ state: 'rejected', error })
})

test.each([Number.NaN, -5, '20', null])(
  'takes a retryAfterMs of %o for none',
  async (retryAfterMs) => {
    const time = new VirtualTime()
    const { call, at } = flaky(time, 1, () => ({ retryAfterMs }))
    watch(retry({ ...time.env, random: () => 0.5 })(call))
    await time.advance(60_000)
    expect(at).toEqual([0, 50])
  },
)

test('an abort during the wait ends it at once, with the reason unchanged', async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  const { call, at } = flaky(time, 9)
  const options = { ...time.env, baseDelayMs: 10_000, random: () => 0.9 }
  const outcome = watch(retry(options)(call, { signal: caller.signal }))
  await time.advance(10)
  expect([time.pending, caller.listeners]).toEqual([1, 1])
  caller.abort('gone')
  await settle()
  expect(outcome).toEqual({ state: 'rejected', error: 'gone', settled: 1 })
  expect([time.pending, caller.listeners, at.length]).toEqual([0, 0, 1])
})

test('an attempt that fails because of the abort is not tried again', async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  let calls = 0
  const call = async () => {
    calls++
    caller.abort('gone')
    throw new Error('some other words for it')
  }
  const outcome = watch(retry(time.env)(call, { signal: caller.signal }))
  await time.advance(60_000)
  expect([outcome.error, calls]).toEqual(['gone', 1])
})

test('an abort is heard also after the last attempt, and before anybody is asked', async () => {
  const caller = new WatchedAbort()
  let asked = 0
  const call = async () => {
    caller.abort('gone')
    throw new Error('some other words for it')
  }
  const policy = retry({ attempts: 2, retryable: () => ++asked > 0 })
  await expect(policy(call, { signal: caller.signal })).rejects.toBe('gone')
  const once = new WatchedAbort()
  const only = retry({ attempts: 1 })(
    async () => {
      once.abort('gone')
      throw new Error('some other words for it')
    },
    { signal: once.signal },
  )
  await expect(only).rejects.toBe('gone')
  expect(asked).toBe(0)
})

test('callers who share a budget share its retries', async () => {
  const time = new VirtualTime()
  const budget = new RetryBudget(time.env)
  const policies = [retry({ ...time.env, budget }), retry({ ...time.env, budget, attempts: 9 })]
  let calls = 0
  const call = async () => {
    calls++
    throw new Error('down')
  }
  const outcomes = policies.flatMap((policy) =>
    Array.from({ length: 100 }, () => watch(policy(call))),
  )
  await time.advance(5_000)
  expect(calls).toBe(200 + 40)
  expect(budget.counts()).toMatchObject({ calls: 200, retries: 40 })
  expect(outcomes.every(({ state }) => state === 'rejected')).toBe(true)
})

test('a call that the budget refuses fails at once, with its own error', async () => {
  const budget = new RetryBudget({ minRetries: 0 })
  await expect(retry({ budget })(() => Promise.reject('down'))).rejects.toBe('down')
  expect(budget.counts().refused).toBe(1)
})

test('retries nested around one another count a call once in the budget they share', async () => {
  const budget = new RetryBudget()
  const [outer, inner] = [retry({ budget }), retry({ budget })]
  await outer((ctx) => inner(() => 1, ctx))
  expect(budget.counts().calls).toBe(1)
})

test('a retry without a budget of its own hands on the one around it', async () => {
  const budget = new RetryBudget()
  const [outer, middle, inner] = [retry({ budget }), retry({ budget: false }), retry({ budget })]
  await outer((ctx) => middle((given) => inner(() => 1, given), ctx))
  expect(budget.counts().calls).toBe(1)
})

test('no delay is ever more than platforms know, after however many failures', async () => {
  const time = new VirtualTime()
  const delays: number[] = []
  const timers = {
    setTimeout: (callback: () => void, delayMs: number) => {
      delays.push(delayMs)
      return time.setTimeout(callback, 0)
    },
    clearTimeout: time.clearTimeout,
  }
  const { call } = flaky(time, 2000)
  const options: RetryOptions = { attempts: Number.POSITIVE_INFINITY, budget: false, timers }
  const largest = { baseDelayMs: 2 ** 31 - 1, maxDelayMs: 2 ** 30 - 1, random: () => 0.999 }
  watch(retry({ ...options, ...largest })(call))
  const none = watch(retry({ ...options, baseDelayMs: 0 })(flaky(time, 2000).call))
  for (let i = 0; i < 200; i++) await time.advance(1)
  expect(none.value).toBe('ok')
  expect(delays.every((ms) => ms >= 0 && ms < 2 ** 31)).toBe(true)
})

test.each([
  { attempts: 0 },
  { attempts: 1.5 },
  { baseDelayMs: -1 },
  { baseDelayMs: Number.NaN },
  { maxDelayMs: Number.POSITIVE_INFINITY },
  { maxDelayMs: 2 ** 30 },
])('refuses %o', (options) => {
  expect(codeThrownBy(() => retry(options))).toBe('INVALID_OPTION')
})

test('refuses a retryable and a random that are no functions', () => {
  // @ts-expect-error a class is not asked for
  expect(codeThrownBy(() => retry({ retryable: true }))).toBe('INVALID_OPTION')
  // @ts-expect-error a number is not random
  expect(codeThrownBy(() => retry({ random: 4 }))).toBe('INVALID_OPTION')
})
