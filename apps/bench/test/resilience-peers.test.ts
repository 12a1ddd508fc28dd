// What the peers of @ashlar/resilience do in scenarios that ours is tested to survive. Each test
// first shows the peer, then ours in the same scenario.

import { bulkhead, fallback, pipe, retry, timeout } from '@ashlar/resilience'
import * as cockatiel from 'cockatiel'
import CircuitBreaker from 'opossum'
import pLimit from 'p-limit'
import pRetry from 'p-retry'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** How a promise stands, asked without waiting for it. */
function stateOf(promise: Promise<unknown>): { state: string; with?: unknown } {
  const seen: { state: string; with?: unknown } = { state: 'pending' }
  promise.then(
    (value) => Object.assign(seen, { state: 'resolved', with: value }),
    (error) => Object.assign(seen, { state: 'rejected', with: error }),
  )
  return seen
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const never = () => new Promise<never>(() => {})

describe('an abort while a retry waits', () => {
  const run = async (
    start: (call: () => Promise<never>, signal: AbortSignal) => Promise<unknown>,
  ) => {
    const caller = new AbortController()
    let calls = 0
    const call = async () => {
      calls++
      throw new Error('down')
    }
    const seen = stateOf(start(call, caller.signal))
    await vi.advanceTimersByTimeAsync(10)
    caller.abort('gone')
    await vi.advanceTimersByTimeAsync(10)
    const soon = { ...seen }
    await vi.advanceTimersByTimeAsync(60_000)
    return { soon, calls, end: seen }
  }

  test('cockatiel waits on, calls once more, and rejects with the error of that call', async () => {
    const backoff = new cockatiel.ConstantBackoff(30_000)
    const policy = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff })
    const { soon, calls, end } = await run((call, signal) => policy.execute(call, signal))
    expect(soon.state).toBe('pending')
    expect(calls).toBe(2)
    expect(end).toMatchObject({ state: 'rejected', with: { message: 'down' } })
  })

  test('ours rejects at once with the reason and calls no more', async () => {
    const policy = retry({ baseDelayMs: 30_000, maxDelayMs: 30_000, random: () => 0.99 })
    const { soon, calls } = await run((call, signal) => policy(call, { signal }))
    expect(soon).toEqual({ state: 'rejected', with: 'gone' })
    expect(calls).toBe(1)
  })
})

describe('callers who come at the moment in which a call ends', () => {
  const run = async (limit: (call: () => Promise<unknown>) => Promise<unknown>, count: number) => {
    const order: string[] = []
    const call = (name: string) => async () => {
      order.push(name)
      await wait(10)
    }
    const work = wait(10)
    stateOf(limit(() => work))
    const waiting = stateOf(limit(call('who waited')))
    stateOf(
      work.then(() => {
        for (let n = 1; n <= count; n++) stateOf(limit(call(`newcomer ${n}`)))
      }),
    )
    await vi.advanceTimersByTimeAsync(1000)
    return { order, waiting }
  }

  test('cockatiel lets a newcomer overtake who waited', async () => {
    const policy = cockatiel.bulkhead(1, 2)
    const { order } = await run((call) => policy.execute(call), 1)
    expect(order).toEqual(['newcomer 1', 'who waited'])
  })

  test('cockatiel refuses who had been let in to wait, when newcomers fill the queue', async () => {
    const policy = cockatiel.bulkhead(1, 1)
    const { order, waiting } = await run((call) => policy.execute(call), 2)
    expect(order).toEqual(['newcomer 1', 'newcomer 2'])
    expect(waiting.with).toBeInstanceOf(cockatiel.BulkheadRejectedError)
  })

  test('ours keeps the order', async () => {
    const { order } = await run(bulkhead({ concurrency: 1, queue: 2 }), 1)
    expect(order).toEqual(['who waited', 'newcomer 1'])
    const { waiting } = await run(bulkhead({ concurrency: 1, queue: 1 }), 2)
    expect(waiting.state).toBe('resolved')
  })
})

describe('an abort while a call waits for its place', () => {
  test('cockatiel keeps the caller, and its place in line, until a call has ended', async () => {
    const policy = cockatiel.bulkhead(1, 1)
    const caller = new AbortController()
    stateOf(policy.execute(() => wait(60_000)))
    const waiting = stateOf(policy.execute(() => wait(1), caller.signal))
    caller.abort('gone')
    await vi.advanceTimersByTimeAsync(1000)
    expect(waiting.state).toBe('pending')
    expect(policy.queueSlots).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(waiting.with).toBeInstanceOf(cockatiel.TaskCancelledError)
  })

  test('p-limit has no signal, and callers in a queue that is cleared wait for ever', async () => {
    const limit = pLimit(1)
    stateOf(limit(() => wait(10)))
    const waiting = stateOf(limit(() => wait(10)))
    limit.clearQueue()
    await vi.advanceTimersByTimeAsync(86_400_000)
    expect(waiting.state).toBe('pending')
  })

  test('ours lets go at once, with the reason', async () => {
    const limit = bulkhead({ concurrency: 1, queue: 1 })
    const caller = new AbortController()
    stateOf(limit(() => wait(60_000)))
    const waiting = stateOf(limit(() => wait(1), { signal: caller.signal }))
    caller.abort('gone')
    await vi.advanceTimersByTimeAsync(0)
    expect(waiting).toEqual({ state: 'rejected', with: 'gone' })
    expect(limit.counts().waiting).toBe(0)
  })
})

describe('a timeout', () => {
  test('of 25 days is over after a millisecond in cockatiel; ours refuses it', async () => {
    vi.useRealTimers()
    const days = 25 * 86_400_000
    const seen = stateOf(
      cockatiel.timeout(days, cockatiel.TimeoutStrategy.Aggressive).execute(never),
    )
    await vi.waitFor(() => expect(seen.state).toBe('rejected'))
    expect(seen.with).toMatchObject({ message: `Operation timed out after ${days}ms` })
    expect(() => timeout(days)).toThrow('timeoutMs must be a number from 0 to 2147483647')
  })

  test("calls its caller's abort a timeout in cockatiel; ours says the reason", async () => {
    const caller = new AbortController()
    const policy = cockatiel.timeout(60_000, cockatiel.TimeoutStrategy.Aggressive)
    const theirs = stateOf(policy.execute(never, caller.signal))
    const ours = stateOf(timeout(60_000)(never, { signal: caller.signal }))
    caller.abort('gone')
    await vi.advanceTimersByTimeAsync(0)
    expect(theirs.with).toMatchObject({ message: 'Operation timed out after 60000ms' })
    expect(ours).toEqual({ state: 'rejected', with: 'gone' })
  })

  test('gives a place back in opossum while its call still runs', async () => {
    let running = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++running)
      await wait(10_000)
      running--
    }
    const breaker = new CircuitBreaker(slow, { timeout: 100, capacity: 2, volumeThreshold: 1e6 })
    for (let i = 0; i < 20; i++) {
      stateOf(breaker.fire())
      await vi.advanceTimersByTimeAsync(60)
    }
    breaker.shutdown()
    expect(most).toBeGreaterThan(10)
  })

  test('around our bulkhead, a place is held until the call has really ended', async () => {
    let running = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, ++running)
      await wait(10_000)
      running--
    }
    const policy = pipe(timeout(100), bulkhead({ concurrency: 2 }))
    for (let i = 0; i < 20; i++) {
      stateOf(policy(slow))
      await vi.advanceTimersByTimeAsync(60)
    }
    expect(most).toBe(2)
  })
})

test("cockatiel's fallback answers a caller who has gone; ours says that it has", async () => {
  const caller = new AbortController()
  const call = async () => {
    caller.abort('gone')
    throw caller.signal.reason
  }
  const policy = cockatiel.fallback(cockatiel.handleAll, 'stale')
  expect(await policy.execute(call, caller.signal)).toBe('stale')
  const ours = fallback(() => 'stale')
  await expect(ours(call, { signal: caller.signal })).rejects.toBe('gone')
})

test('p-retry puts another error in the place of what is no Error; ours hands it on', async () => {
  const thrown = { code: 'EBUSY', retryAfterMs: 5 }
  const call = () => Promise.reject(thrown)
  await expect(pRetry(call, { retries: 0 })).rejects.toMatchObject({
    message: 'Non-error was thrown: "[object Object]". You should only throw errors.',
  })
  await expect(retry({ attempts: 1 })(call)).rejects.toBe(thrown)
})

test('when all fails, retries triple the load with the peers; ours add a fifth', async () => {
  const load = async (policy: (call: () => Promise<never>) => Promise<unknown>) => {
    let calls = 0
    const call = async () => {
      calls++
      throw new Error('down')
    }
    for (let i = 0; i < 100; i++) stateOf(policy(call))
    await vi.advanceTimersByTimeAsync(9_000)
    return calls
  }
  const backoff = new cockatiel.ConstantBackoff(10)
  const theirs = cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff })
  expect(await load((call) => theirs.execute(call))).toBe(300)
  expect(await load((call) => pRetry(call, { retries: 2, minTimeout: 10 }))).toBe(300)
  expect(await load(retry({ attempts: 3 }))).toBe(120)
})
