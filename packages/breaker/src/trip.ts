// What makes a closed breaker open, as a value: it is checked here once, may be shared by any
// number of breakers, and makes a window for each of them.

import { describe, refuse, requireDuration, requireInteger, requireRate } from './breaker-error.ts'
import type { CallMemory, TripRule } from './call-memory.ts'
import { FailureStreak } from './failure-streak.ts'
import { LastCalls } from './last-calls.ts'
import { RecentCalls } from './recent-calls.ts'

/** Which calls a rate is taken of; see {@link timeWindow} and {@link countWindow}. */
export type WindowSize =
  | { readonly kind: 'time'; readonly ms: number; readonly buckets: number }
  | { readonly kind: 'count'; readonly calls: number }

/** When a breaker opens; see {@link failureRate} and {@link consecutive}. */
export interface Trip extends TripRule {
  /** Undefined where failures in a row decide. */
  readonly window: WindowSize | undefined
  /** From how many milliseconds on a call is slow; Infinity where slowness does not count. */
  readonly slowMs: number
}

/** What {@link failureRate} takes. */
export interface FailureRateOptions {
  /** Which calls count; default `timeWindow({ ms: 10_000, buckets: 10 })`. */
  readonly window?: WindowSize
  /** The share of failures at which the breaker opens, above 0 and up to 1; default 0.5. */
  readonly rate?: number
  /** Below so many calls in the window nothing is judged, at least 1; default 20. */
  readonly minCalls?: number
  /** Opens also when the share of calls that took at least `ms`, well or not, reaches `rate`. */
  readonly slow?: { readonly ms: number; readonly rate: number }
}

/**
 * The calls of the last `ms` milliseconds, counted in `buckets` (default 10, at most 1,000): the
 * oldest bucket leaves as a whole, so the window spans `ms` less at most one bucket. An idle gap
 * empties it. Costs one reading of the clock a call.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * failureRate({ window: timeWindow({ ms: 30_000, buckets: 30 }), rate: 0.5 })
 */
export function timeWindow(options: {
  readonly ms: number
  readonly buckets?: number
}): WindowSize {
  const buckets = requireInteger('timeWindow.buckets', options.buckets ?? 10, 1, 1_000)
  return { kind: 'time', ms: requireDuration('timeWindow.ms', options.ms), buckets }
}

/**
 * The last `calls` calls, however old; 1 to 1,000,000, of a byte each. Reads no clock.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * failureRate({ window: countWindow(200), rate: 0.3, minCalls: 50 })
 */
export function countWindow(calls: number): WindowSize {
  return { kind: 'count', calls: requireInteger('countWindow.calls', calls, 1, 1_000_000) }
}

/**
 * Opens when the share of failures, or of slow calls, among those of a window is reached. It is
 * judged at every call that ends, well or not.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * failureRate({ window: countWindow(100), minCalls: 20, slow: { ms: 2_000, rate: 0.8 } })
 */
export function failureRate(options: FailureRateOptions = {}): Trip {
  const size = requireWindow(options.window ?? timeWindow({ ms: 10_000 }))
  // A window of 10 calls never holds 20.
  const most = size.kind === 'count' ? size.calls : Number.MAX_SAFE_INTEGER
  const { slow } = options
  return Object.freeze({
    window: size,
    minCalls: requireInteger('minCalls', options.minCalls ?? Math.min(20, most), 1, most),
    rate: requireRate('rate', options.rate ?? 0.5),
    slowMs: slow === undefined ? Number.POSITIVE_INFINITY : requireDuration('slow.ms', slow.ms),
    slowRate: slow === undefined ? NEVER : requireRate('slow.rate', slow.rate),
  })
}

/**
 * Opens at so many failures in a row, 1 to 1,000,000. Reads no clock.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * const breaker = new CircuitBreaker({ trip: consecutive(5) })
 */
export function consecutive(failures: number): Trip {
  return Object.freeze({
    window: undefined,
    minCalls: requireInteger('consecutive', failures, 1, 1_000_000),
    rate: 1,
    slowMs: Number.POSITIVE_INFINITY,
    slowRate: NEVER,
  })
}

/** An empty memory of the kind that the trip needs. */
export function makeMemory({ window: size }: Trip, nowMs: number): CallMemory {
  if (size === undefined) return new FailureStreak()
  if (size.kind === 'count') return new LastCalls(size.calls)
  return new RecentCalls(size.ms / size.buckets, size.buckets, nowMs)
}

/** Checks what was not made by {@link failureRate} or {@link consecutive}, as far as it can. */
export function requireTrip(given: Trip): Trip {
  if (typeof given === 'object' && given !== null && 'slowRate' in given) return given
  refuse('trip', 'what failureRate(…) or consecutive(…) returns', given)
}

/** Whether two trips are the same rule. */
export function isSameTrip(a: Trip, b: Trip): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

/** A rate that no share reaches. */
const NEVER = 2

function requireWindow(given: WindowSize): WindowSize {
  if (given?.kind === 'time') return timeWindow(given)
  if (given?.kind === 'count') return countWindow(given.calls)
  return refuse('window', `timeWindow(…) or countWindow(…)`, describe(given))
}
