// A breaker on a clock that moves only when told to, and calls that fail or wait to be told.

import { type BreakerOptions, CircuitBreaker, consecutive } from '../src/index.ts'
import { ManualTime } from './manual-timers.ts'

export const down: Error = new Error('down')
export const failing = () => Promise.reject(down)

export function setUp(options: BreakerOptions = {}): { breaker: CircuitBreaker; time: ManualTime } {
  const time = new ManualTime()
  const { monotonic, timers } = time
  const breaker = new CircuitBreaker({
    name: 'billing',
    trip: consecutive(2),
    halfOpen: { probes: 1 },
    random: () => 0,
    monotonic,
    timers,
    ...options,
  })
  return { breaker, time }
}

export async function fail(breaker: CircuitBreaker, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await breaker.run(failing).catch(() => {})
}

export function deferred<T>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (reason: unknown) => void
} {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
