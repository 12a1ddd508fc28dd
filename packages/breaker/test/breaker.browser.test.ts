import { describe, expect, test } from 'vitest'
import { breakerFetch } from '../src/fetch.ts'
import {
  BreakerOpenError,
  BreakerTimeoutError,
  CircuitBreaker,
  consecutive,
  KeyedBreakers,
} from '../src/index.ts'

describe('in a browser', () => {
  test('a breaker opens, refuses, and recovers through half-open', async () => {
    let nowMs = 0
    const breaker = new CircuitBreaker({
      trip: consecutive(2),
      halfOpen: { probes: 1 },
      monotonic: () => nowMs,
      random: () => 0,
    })
    for (let i = 0; i < 2; i++) {
      await expect(breaker.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down')
    }
    await expect(breaker.run(() => 1)).rejects.toThrow(BreakerOpenError)
    nowMs = 5_000
    expect(breaker.state).toBe('half-open')
    await expect(breaker.run(() => 1)).resolves.toBe(1)
    expect(breaker.state).toBe('closed')
  })

  test('a timeout aborts its call, by the platform’s own timers', async () => {
    const breaker = new CircuitBreaker()
    let seen: AbortSignal | undefined
    const late = breaker.run(
      ({ signal }) => {
        seen = signal
        return new Promise(() => {})
      },
      { timeoutMs: 5 },
    )
    await expect(late).rejects.toThrow(BreakerTimeoutError)
    expect(seen?.aborted).toBe(true)
  })

  test('relative addresses belong to the page’s origin', async () => {
    const breakers = new KeyedBreakers({})
    const get = breakerFetch({ breakers, fetch: async () => new Response('', { status: 500 }) })
    await get('/somewhere')
    expect(breakers.peek(location.origin)?.counts().fail).toBe(1)
  })
})
