// At most so many calls at once, and a line of bounded length for the rest.
//
//   running ≤ concurrency     waiting ≤ queue     running = concurrency while anybody waits
//
// A call that ends hands its place to the first in line, whose call begins in that same moment:
// the place is never free in between, so nobody overtakes.

import { begin, type Call, type CallContext, type Policy } from './policy.ts'
import { ResilienceError, requireCount } from './resilience-error.ts'
import { WaitQueue } from './wait-queue.ts'

/** How many calls a {@link bulkhead} holds. */
export interface BulkheadOptions {
  /** How many calls run at once, at least 1. */
  readonly concurrency: number
  /** How many more may wait; default 0. Infinity is allowed and seldom right. */
  readonly queue?: number
}

/** What a bulkhead is doing and has done. */
export interface BulkheadCounts {
  /** Calls that run now. */
  readonly running: number
  /** Calls that wait now. */
  readonly waiting: number
  /** Calls that were refused with BULKHEAD_FULL so far. */
  readonly refused: number
}

/** A policy that tells how full it is. */
export interface Bulkhead extends Policy {
  counts(): BulkheadCounts
}

/**
 * Limits how many calls run at once. The others wait their turn, first come, first served, or
 * leave with their caller's reason; when the line is full, calls are refused with BULKHEAD_FULL.
 *
 * O(1) a call, also for one that leaves the line.
 *
 * @throws ResilienceError INVALID_OPTION.
 * @example
 * const limit = bulkhead({ concurrency: 20, queue: 100 })
 * const rows = await limit(() => database.query(sql))
 */
export function bulkhead({ concurrency, queue = 0 }: BulkheadOptions): Bulkhead {
  requireCount('concurrency', concurrency, 1)
  requireCount('queue', queue, 0)
  const line = new WaitQueue()
  let running = 0
  let refused = 0
  const leave = () => {
    if (!line.callFirst()) running--
  }
  const succeed = <T>(value: T): T => {
    leave()
    return value
  }
  const fail = (error: unknown): never => {
    leave()
    throw error
  }
  const start = <T>(next: Call<T>, ctx: CallContext) => begin(next, ctx).then(succeed, fail)
  const policy: Policy = (next, ctx = {}) => {
    const { signal } = ctx
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (running < concurrency) {
      running++
      return start(next, ctx)
    }
    if (line.size < queue) return line.join(signal, () => start(next, ctx))
    refused++
    return Promise.reject(full(concurrency, queue))
  }
  const counts = () => ({ running, waiting: line.size, refused })
  return Object.assign(policy, { counts })
}

function full(concurrency: number, queue: number): ResilienceError {
  const places = `${concurrency} calls run and ${queue} wait`
  return new ResilienceError('BULKHEAD_FULL', `the bulkhead is full: ${places}`)
}
