// The main parts of @ashlar/resilience, on any runtime.
import { bulkhead, fallback, hedge, pipe, RetryBudget, retry, timeout } from '@ashlar/resilience'

export default async () => {
  const budget = new RetryBudget({ rate: 0.2, minRetries: 3, windowMs: 10_000 })
  const policy = pipe(
    fallback(() => 'stale'),
    retry({ attempts: 3, baseDelayMs: 1, budget }),
    hedge({ delayMs: 1_000, budget }),
    bulkhead({ concurrency: 2, queue: 2 }),
    timeout(2_000),
  )
  let calls = 0
  const answer = await policy(() => {
    calls++
    if (calls === 1) throw new Error('once')
    return 'fresh'
  })
  return [answer === 'fresh', calls === 2]
}
