import { expect, test } from 'vitest'
import { type CallContext, hedge, RetryBudget, retry } from '../src/index.ts'
import { codeThrownBy, watch } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'
import { settle, VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

testPolicyLaws('hedge', (timers) => hedge({ delayMs: 10, timers }))

/** Tries that take as long as the list says and then succeed (a number) or fail (a text). */
function tries(time: VirtualTime, ...plan: (readonly [ms: number, result: number | string])[]) {
  const signals: (AbortSignal | undefined)[] = []
  const at: number[] = []
  const call = async ({ signal }: CallContext): Promise<number> => {
    const [ms, result] = plan[at.length]!
    at.push(time.time)
    signals.push(signal)
    await time.sleep(ms)
    if (typeof result === 'string') throw new Error(result)
    return result
  }
  return { call, signals, at }
}

test('makes no second try of a call that is fast enough', async () => {
  const time = new VirtualTime()
  const { call, at } = tries(time, [9, 1])
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call))
  await time.advance(100)
  expect([outcome.value, at]).toEqual([1, [0]])
})

test('takes the second answer when it is faster, and aborts the first try', async () => {
  const time = new VirtualTime()
  const { call, at, signals } = tries(time, [100, 1], [5, 2])
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call))
  await time.advance(15)
  expect([outcome.value, at]).toEqual([2, [0, 10]])
  expect(signals[0]?.reason).toMatchObject({ name: 'ResilienceError', code: 'HEDGE_LOST' })
  expect(signals[1]?.aborted).toBe(false)
  await time.advance(100)
  expect(outcome.settled).toBe(1)
})

test('takes the first answer when it is faster after all, and aborts the second try', async () => {
  const time = new VirtualTime()
  const { call, signals } = tries(time, [12, 1], [50, 2])
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call))
  await time.advance(12)
  expect(outcome.value).toBe(1)
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, true])
})

test('a failure waits for the try that still runs', async () => {
  const time = new VirtualTime()
  const outcome = watch(
    hedge({ delayMs: 10, timers: time })(tries(time, [12, 'first'], [50, 2]).call),
  )
  await time.advance(100)
  expect(outcome.value).toBe(2)
})

test('rejects with the last error when all tries have failed', async () => {
  const time = new VirtualTime()
  const { call } = tries(time, [50, 'first'], [12, 'second'])
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call))
  await time.advance(100)
  expect(outcome.error).toMatchObject({ message: 'first' })
})

test('does not try again what failed before the delay: that is for retry', async () => {
  const time = new VirtualTime()
  const { call, at } = tries(time, [5, 'first'])
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call))
  await time.advance(5)
  expect(outcome).toMatchObject({ state: 'rejected', error: { message: 'first' } })
  await time.advance(100)
  expect([at, time.pending]).toEqual([[0], 0])
})

test('starts up to so many tries, one delay after another, and numbers them', async () => {
  const time = new VirtualTime()
  const seen: unknown[] = []
  const policy = hedge({ delayMs: 10, tries: 3, timers: time })
  const call = ({ hedge: number, attempt }: CallContext) => {
    seen.push([time.time, number, attempt])
    return new Promise<never>(() => {})
  }
  watch(policy(call, { attempt: 2 }))
  await time.advance(100)
  expect(seen).toEqual([
    [0, 0, 2],
    [10, 1, 2],
    [20, 2, 2],
  ])
})

test('asks for the delay each time, and makes no second try while there is none', async () => {
  const time = new VirtualTime()
  const delays = [undefined, Number.NaN, -1, 2 ** 31, 10]
  const policy = hedge({ delayMs: () => delays.shift(), timers: time })
  const calls = [0, 0, 0, 0, 0]
  for (const n of calls.keys()) {
    watch(
      policy(() => {
        calls[n]!++
        return new Promise(() => {})
      }),
    )
  }
  await time.advance(100)
  expect(calls).toEqual([1, 1, 1, 1, 2])
  // A platform would take 2^31 for at once.
  expect(time.pending).toBe(0)
})

test('a delay that throws fails the call and leaves nothing behind', async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  const broken = () => {
    throw new Error('no percentile')
  }
  const policy = hedge({ delayMs: broken, timers: time })
  let given: AbortSignal | undefined
  const call = ({ signal }: CallContext) => {
    given = signal
    return 1
  }
  await expect(policy(call, { signal: caller.signal })).rejects.toThrow('no percentile')
  expect([time.pending, caller.listeners, given?.aborted]).toEqual([0, 0, true])
})

test('takes further tries out of the budget, and makes none when it is empty', async () => {
  const time = new VirtualTime()
  const budget = new RetryBudget({ ...time.env, minRetries: 0 })
  const policy = hedge({ delayMs: 10, budget, timers: time })
  let calls = 0
  const call = async () => {
    calls++
    await time.sleep(50)
  }
  for (let i = 0; i < 100; i++) watch(policy(call))
  await time.advance(100)
  expect(calls).toBe(120)
  expect(budget.counts()).toEqual({ calls: 100, retries: 20, refused: 80 })
})

test('around a retry that shares its budget a call is counted once', async () => {
  const budget = new RetryBudget()
  const inner = retry({ budget })
  await hedge({ delayMs: 1000, budget })((ctx) => inner(() => 1, ctx))
  expect(budget.counts().calls).toBe(1)
})

test('an abort reaches all tries, and does not wait for them', async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  const { call, signals } = tries(time, [100, 1], [100, 2])
  const policy = hedge({ delayMs: 10, tries: 5, timers: time })
  const outcome = watch(policy(call, { signal: caller.signal }))
  await time.advance(10)
  caller.abort('gone')
  await settle()
  expect(outcome).toEqual({ state: 'rejected', error: 'gone', settled: 1 })
  expect(signals.map((signal) => signal?.reason)).toEqual(['gone', 'gone'])
  expect(caller.listeners).toBe(0)
  await time.advance(200)
  expect([outcome.settled, time.pending, signals.length]).toEqual([1, 0, 2])
})

test('a call that aborts its own caller is not tried again', async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  const call = () => {
    caller.abort('enough')
    return new Promise<never>(() => {})
  }
  const outcome = watch(hedge({ delayMs: 10, timers: time })(call, { signal: caller.signal }))
  await settle()
  expect([outcome.error, time.pending, caller.listeners]).toEqual(['enough', 0, 0])
})

test.each([
  { delayMs: -1 },
  { delayMs: Number.NaN },
  { delayMs: 2 ** 31 },
  { delayMs: 1, tries: 0 },
])('refuses %o', (options) => {
  expect(codeThrownBy(() => hedge(options))).toBe('INVALID_OPTION')
})
