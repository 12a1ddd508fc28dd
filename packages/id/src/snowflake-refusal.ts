// What a generator says when it has no id to give: what happened, for how long, how to mend it.

import { IdError } from './id-error.ts'
import type { Layout } from './layout.ts'
import type { TickLease } from './worker-lease.ts'

/** The error for a clock that is `behind` ticks below its highest reading, or an id seen. */
export function clockBackwards(layout: Layout, behind: number, waitMs: number): IdError {
  return new IdError(
    'CLOCK_BACKWARDS',
    `the clock is ${behind * layout.unitMs} ms behind the highest time or id seen, more than ` +
      'maxHoldMs allows: set the clocks right, wait waitMs, or use nextAsync()',
    { waitMs },
  )
}

/** The error for ids that are asked for faster than the layout holds. */
export function sequenceExhausted(layout: Layout, lead: number, waitMs: number): IdError {
  return new IdError(
    'SEQUENCE_EXHAUSTED',
    `the next of ${2 ** layout.sequenceBits} ids a tick would be ${lead * layout.unitMs} ms ` +
      'ahead, more than maxLeadMs allows: wait waitMs, use nextAsync(), or more workers',
    { waitMs },
  )
}

/** The error for a tick that is not the generator's own. */
export function notOwn(tick: number, lease: TickLease | undefined, isStopped: boolean): IdError {
  if (isStopped) {
    return new IdError('LEASE_LOST', 'the lease of this generator is closed: acquire a new one')
  }
  if (lease !== undefined && tick >= lease.untilTick) {
    const ms = (tick - lease.untilTick + 1) * lease.layout.unitMs
    return new IdError(
      'LEASE_LOST',
      `the lease of worker ${lease.workerId} ended ${ms} ms ago: it was not renewed in time, or ` +
        'this clock is ahead of the store’s by more than ttlMs',
      { waitMs: lease.renewalMs },
    )
  }
  return new IdError(
    'NOT_READY',
    `tick ${tick} is not reserved: call reserve() before the first id and again before it runs out`,
  )
}

/** The error for nextNumber() with a layout that is too wide. */
export function notSafe(bits: number): IdError {
  return new IdError(
    'INVALID_LAYOUT',
    `nextNumber() needs at most 53 bits, the layout has ${bits}: use layouts.safeInteger`,
  )
}
