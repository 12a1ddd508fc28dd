// The guide of the README on the right order, a test for each of its claims: first the order that
// it names, then what goes wrong in the other one.

import { describe, expect, test } from 'vitest'
import {
  bulkhead,
  type CallContext,
  fallback,
  hedge,
  pipe,
  RetryBudget,
  retry,
  timeout,
} from '../src/index.ts'
import { watch } from './outcome.ts'
import { ToyBreaker } from './toy-breaker.ts'
import { settle, VirtualTime } from './virtual-time.ts'

/** Fails so many times, then answers 'fresh'. */
function failing(times: number) {
  const made = { calls: 0 }
  const call = async () => {
    if (++made.calls <= times) throw new Error('down')
    return 'fresh'
  }
  return { made, call }
}

/** Hangs so many times, heeding its signal, then answers 'fresh'. */
function hanging(times: number) {
  const made = { calls: 0 }
  const call = ({ signal }: CallContext) =>
    new Promise<string>((resolve, reject) => {
      if (++made.calls > times) resolve('fresh')
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  return { made, call }
}

describe('fallback is outermost, since what is inside takes its answer for a success:', () => {
  test('around retry it answers what is left after the last attempt', async () => {
    const time = new VirtualTime()
    const { call } = failing(1)
    const outcome = watch(
      pipe(
        fallback(() => 'stale'),
        retry(time.env),
      )(call),
    )
    await time.advance(1000)
    expect(outcome.value).toBe('fresh')
  })

  test('inside of retry nothing is tried again, and a breaker sees no failure', async () => {
    const time = new VirtualTime()
    const { call, made } = failing(1)
    const breaker = new ToyBreaker(1)
    const policy = pipe(
      retry(time.env),
      breaker,
      fallback(() => 'stale'),
    )
    expect(await policy(call)).toBe('stale')
    expect([made.calls, breaker.outcomes]).toEqual([1, ['ok']])
  })
})

describe('the breaker is inside of retry, so that it judges every attempt:', () => {
  test('inside of retry it opens after three attempts, and ends the retrying', async () => {
    const time = new VirtualTime()
    const { call, made } = failing(100)
    const policy = pipe(retry({ ...time.env, attempts: 9, budget: false }), new ToyBreaker(3))
    const outcome = watch(policy(call))
    await time.advance(60_000)
    expect([made.calls, outcome.error]).toEqual([3, expect.objectContaining({ message: 'open' })])
  })

  test('around retry it has seen one failure when the service has had nine', async () => {
    const time = new VirtualTime()
    const { call, made } = failing(100)
    const breaker = new ToyBreaker(3)
    watch(pipe(breaker, retry({ ...time.env, attempts: 9, budget: false }))(call))
    await time.advance(600_000)
    expect([made.calls, breaker.outcomes, breaker.isOpen]).toEqual([9, ['fail'], false])
  })
})

describe('the timeout is innermost, so that every attempt has its own time:', () => {
  test('inside of retry and breaker a hung attempt is a failure, and is tried again', async () => {
    const time = new VirtualTime()
    const breaker = new ToyBreaker(9)
    const { call } = hanging(1)
    const outcome = watch(pipe(retry(time.env), breaker, timeout(100, time.env))(call))
    await time.advance(1000)
    expect([outcome.value, breaker.outcomes]).toEqual(['fresh', ['fail', 'ok']])
  })

  test('around them it ends the retrying, and the breaker takes it for the caller', async () => {
    const time = new VirtualTime()
    const breaker = new ToyBreaker(9)
    const { call } = hanging(1)
    const outcome = watch(pipe(timeout(100, time.env), retry(time.env), breaker)(call))
    await time.advance(1000)
    expect(outcome.error).toMatchObject({ code: 'TIMEOUT' })
    expect(breaker.outcomes).toEqual(['ignore'])
  })

  test('a second one around retry bounds all attempts together', async () => {
    const time = new VirtualTime()
    const { call } = hanging(100)
    const policy = pipe(timeout(250, time.env), retry(time.env), timeout(100, time.env))
    const outcome = watch(policy(call))
    await time.advance(250)
    expect(outcome.error).toMatchObject({ message: 'the call was given up after 250 ms' })
    expect(time.pending).toBe(0)
  })
})

describe('the bulkhead is inside of retry and around the breaker:', () => {
  const slowRetry = (time: VirtualTime) =>
    retry({ ...time.env, baseDelayMs: 1000, random: () => 0.9 })

  test('inside of retry a call that waits to be tried again takes no place', async () => {
    const time = new VirtualTime()
    const policy = pipe(slowRetry(time), bulkhead({ concurrency: 1 }))
    watch(policy(failing(1).call))
    await settle()
    expect(await policy(() => 'other')).toBe('other')
  })

  test('around retry it does', async () => {
    const time = new VirtualTime()
    const policy = pipe(bulkhead({ concurrency: 1 }), slowRetry(time))
    watch(policy(failing(1).call))
    await settle()
    await expect(policy(() => 'other')).rejects.toMatchObject({ code: 'BULKHEAD_FULL' })
  })

  test('inside of the breaker our own full house counts as a failure of the service', async () => {
    const breaker = new ToyBreaker(2)
    const policy = pipe(breaker, bulkhead({ concurrency: 1 }))
    for (let i = 0; i < 3; i++) watch(policy(() => new Promise(() => {})))
    await settle()
    expect([breaker.outcomes, breaker.isOpen]).toEqual([['fail', 'fail'], true])
  })

  test('around the breaker it does not, and an open breaker empties the line at once', async () => {
    const time = new VirtualTime()
    const breaker = new ToyBreaker(1)
    const limit = bulkhead({ concurrency: 1, queue: 9 })
    const policy = pipe(limit, breaker, timeout(100, time.env))
    const outcomes = Array.from({ length: 11 }, () => watch(policy(() => new Promise(() => {}))))
    await time.advance(100)
    expect(breaker.outcomes).toEqual(['fail'])
    expect(outcomes.every(({ state }) => state === 'rejected')).toBe(true)
    expect(limit.counts()).toEqual({ running: 0, waiting: 0, refused: 1 })
  })
})

describe('the bulkhead is around the timeout, unless calls ignore their signal:', () => {
  test('around it, to wait for a place takes nothing of the time', async () => {
    const time = new VirtualTime()
    const policy = pipe(bulkhead({ concurrency: 1, queue: 1 }), timeout(100, time.env))
    const both = [1, 2].map((n) => watch(policy(() => time.sleep(80).then(() => n))))
    await time.advance(160)
    expect(both.map(({ value }) => value)).toEqual([1, 2])
  })

  test('inside of it, a call that goes on in spite of its signal keeps its place', async () => {
    const time = new VirtualTime()
    const limit = bulkhead({ concurrency: 1 })
    watch(pipe(timeout(100, time.env), limit)(() => time.sleep(1000)))
    await time.advance(500)
    expect(limit.counts().running).toBe(1)
    await time.advance(500)
    expect(limit.counts().running).toBe(0)
  })
})

test('hedge and retry share a budget, so that both together add a fifth', async () => {
  const time = new VirtualTime()
  const budget = new RetryBudget(time.env)
  const policy = pipe(retry({ ...time.env, budget }), hedge({ delayMs: 10, budget, timers: time }))
  let tries = 0
  const call = async () => {
    const isSlow = tries++ % 2 === 0
    await time.sleep(isSlow ? 50 : 5)
    if (!isSlow) throw new Error('down')
  }
  for (let i = 0; i < 200; i++) watch(policy(call))
  await time.advance(5000)
  expect(tries).toBe(240)
})
