import { expect, test } from 'vitest'
import {
  bulkhead,
  fallback,
  hedge,
  pipe,
  ResilienceError,
  RetryBudget,
  retry,
  timeout,
} from '../src/index.ts'

test('all policies work with the clocks and timers of a browser', async () => {
  const budget = new RetryBudget()
  const limit = bulkhead({ concurrency: 2, queue: 2 })
  const policy = pipe(
    fallback((error) => (error instanceof ResilienceError ? error.code : 'none')),
    retry({ baseDelayMs: 1, budget }),
    limit,
    hedge({ delayMs: 1000, budget }),
    timeout(20),
  )
  let calls = 0
  const flaky = async () => {
    if (++calls < 3) throw new Error('down')
    return calls
  }
  expect(await policy(flaky)).toBe(3)
  const hung = ({ signal }: { signal?: AbortSignal | undefined }) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  expect(await policy(hung)).toBe('TIMEOUT')
  expect(limit.counts()).toEqual({ running: 0, waiting: 0, refused: 0 })
  expect(budget.counts()).toMatchObject({ calls: 2, retries: 3 })
})

test('an abort ends a wait at once', async () => {
  const caller = new AbortController()
  const promise = retry({ baseDelayMs: 60_000, maxDelayMs: 60_000 })(
    () => Promise.reject(new Error('down')),
    { signal: caller.signal },
  )
  setTimeout(() => caller.abort('gone'), 5)
  await expect(promise).rejects.toBe('gone')
})
