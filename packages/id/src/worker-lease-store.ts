// The port through which processes share worker ids. A lease is a right to ticks, not to time:
//
//   worker 7   … [ 0 ──── owner A ──── 91 )[ 91 ──── owner B ──── 240 )[ 240 …      ticks
//
// The store remembers for each worker id the tick up to which it has ever been granted and begins
// the next grant there, so the ranges of one worker id are disjoint by construction: under any
// clocks, pauses, crashes and lost replies.

import type { Layout } from './layout.ts'

/** A right to the ticks from `fromTick` (included) to `untilTick` (excluded) as one worker. */
export interface LeaseGrant {
  readonly workerId: number
  readonly fromTick: number
  readonly untilTick: number
  /** Changes whenever the worker id changes hands: an older token can renew and release nothing. */
  readonly token: number
}

/**
 * Hands out worker ids. Every method is one atomic step of the store; `test/lease-store-laws.ts`
 * is the suite that an implementation must pass.
 */
export interface WorkerLeaseStore {
  /** Whose ids these are: it turns the store's clock into ticks and says how many workers exist. */
  readonly layout: Layout

  /**
   * Grants a worker id whose last grant is over by the store's own clock.
   *
   * `fromTick` is the end of the last grant, 0 at first. `untilTick` is the tick of the store's
   * clock plus `ttlMs`, which the store caps: a client never names a tick, so that one with a
   * clock far ahead cannot claim the future.
   *
   * @param owner who asks, for people who read the store; it decides nothing.
   * @throws IdError NOT_READY with `waitMs` if every worker id is taken, STORE_UNAVAILABLE if the
   *   store fails or is closed.
   */
  acquire(owner: string, ttlMs: number): Promise<LeaseGrant>

  /**
   * The same grant with a later `untilTick`, also after it ran out, as long as nobody else got the
   * worker id meanwhile. It never becomes shorter.
   *
   * @throws IdError LEASE_LOST if the worker id changed hands or was released.
   */
  renew(grant: LeaseGrant, ttlMs: number): Promise<LeaseGrant>

  /**
   * Ends a grant whose holder makes no more ids: the worker id is free at once, from the tick after
   * `lastTick` on. A grant that is not held any more is left alone.
   */
  release(grant: LeaseGrant, lastTick: number): Promise<void>

  /** Lets go of what the store holds; safe to call twice. Grants stay as they are. */
  close(): Promise<void>
}
