// Guards of a node's calls: the circuit breaker itself, or one of the ways to get it wrong around
// a right one.

import { BreakerOpenError, type CircuitBreaker } from '@ashlar/breaker'
import type { Runner } from '@ashlar/resilience'

/** What is broken in a guard. */
export type GuardBug =
  | 'counts late results'
  | 'probes without a limit'
  | 'keeps the permit of a failed call'
  | 'lets all calls through'

/** The breaker, with a bug around it if one is named. */
export function guardOf(breaker: CircuitBreaker, bug: GuardBug | undefined): Runner {
  switch (bug) {
    case 'counts late results':
      return { run: (fn) => countingLate(breaker, fn) }
    case 'probes without a limit':
      return { run: (fn) => probingFreely(breaker, fn) }
    case 'keeps the permit of a failed call':
      return { run: (fn) => keepingPermits(breaker, fn) }
    case 'lets all calls through':
      return { run: (fn) => fn() }
    default:
      return breaker
  }
}

/** The result of a call of a closed breaker is filed under the state in which it comes in. */
async function countingLate<T>(breaker: CircuitBreaker, fn: () => Promise<T>): Promise<T> {
  if (breaker.state !== 'closed') return await breaker.run(fn)
  try {
    const result = await fn()
    breaker.tryAcquire()?.ok()
    return result
  } catch (error) {
    breaker.tryAcquire()?.fail()
    throw error
  }
}

/** A half-open breaker takes whoever comes. */
async function probingFreely<T>(breaker: CircuitBreaker, fn: () => Promise<T>): Promise<T> {
  const isHalfOpen = breaker.state === 'half-open'
  return await breaker.run(fn).catch((error) => {
    if (isHalfOpen && error instanceof BreakerOpenError) return fn()
    throw error
  })
}

/** What failed is forgotten, and with it the place that it has. */
async function keepingPermits<T>(breaker: CircuitBreaker, fn: () => Promise<T>): Promise<T> {
  const permit = breaker.tryAcquire()
  if (permit === null) throw breaker.openError()
  const result = await fn()
  permit.ok()
  return result
}
