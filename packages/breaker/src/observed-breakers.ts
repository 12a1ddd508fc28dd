// What the metrics adapters have in common: which breakers, and their states as numbers.

import type { BreakerState } from './breaker-events.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'

/** Gives the breakers to report; asked at each collection. */
export type ObservedBreakers = () => Iterable<CircuitBreaker>

/** How a call can end. */
export const OUTCOMES = ['ok', 'fail', 'ignore'] as const

/** States by how much they hold back. */
const STATES: readonly BreakerState[] = ['closed', 'half-open', 'open', 'isolated']

/** 0 closed, 1 half-open, 2 open, 3 isolated. */
export function stateNumber(state: BreakerState): number {
  return STATES.indexOf(state)
}
