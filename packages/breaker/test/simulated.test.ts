import { simulate } from '@ashlar/sim'
import { expect, test } from 'vitest'
import { BreakerOpenError, CircuitBreaker, consecutive } from '../src/index.ts'

test('a breaker in a simulated world lives by that world’s clock, chance and timers', async () => {
  const run = async () => {
    const seen: string[] = []
    await simulate({ seed: 7, faults: [], horizonMs: 60_000, settleMs: 60_000 }, (s) => {
      s.client('caller', async (env) => {
        const breaker = new CircuitBreaker({
          ...env,
          trip: consecutive(2),
          halfOpen: { probes: 1 },
        })
        breaker.on('transition', ({ to, remainingMs }) => {
          seen.push(`${Math.round(env.monotonic())} ${to} ${Math.round(remainingMs)}`)
        })
        const hang = () => new Promise<never>(() => {})
        for (let i = 0; i < 60; i++) {
          const isWell = env.monotonic() > 12_000
          const call = breaker.run(isWell ? () => 'well' : hang, { timeoutMs: 300 })
          await call.catch((error: unknown) => {
            if (error instanceof BreakerOpenError) expect(error.retryAfterMs).toBeGreaterThan(0)
          })
          await env.sleep(500)
        }
        expect(breaker.state).toBe('closed')
        expect(breaker.counts().inFlight).toBe(0)
      })
    })
    return seen
  }
  const seen = await run()
  expect(seen.map((line) => line.split(' ')[1])).toEqual([
    'open',
    'half-open',
    'open',
    'half-open',
    'closed',
  ])
  expect(await run()).toEqual(seen)
})
