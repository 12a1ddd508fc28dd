// A broken twin of the lease stores: a lease is a right to time, as leases commonly are. A worker
// is free when its time is over by the store's clock, and the next lease begins now, so a clock
// that goes back makes the same ticks somebody else's.

import type { Layout, LeaseGrant, WorkerLeaseStore } from '@ashlar/id'

/** Leases by the clock alone. */
export class WallTimeStore implements WorkerLeaseStore {
  readonly layout: Layout
  readonly #now: () => number
  readonly #grants = new Map<number, LeaseGrant>()
  #tokens = 0

  constructor({ layout, now }: { readonly layout: Layout; readonly now: () => number }) {
    this.layout = layout
    this.#now = now
  }

  async acquire(_owner: string, ttlMs: number): Promise<LeaseGrant> {
    const tick = this.#now() - this.layout.epoch
    for (let workerId = 0; workerId < 2 ** this.layout.workerBits; workerId++) {
      const last = this.#grants.get(workerId)
      // A lease that ends far ahead is of a clock that was wrong: it cannot be in force.
      const isFree = last === undefined || last.untilTick <= tick || last.fromTick > tick
      if (!isFree) continue
      const grant = { workerId, fromTick: tick, untilTick: tick + ttlMs, token: ++this.#tokens }
      this.#grants.set(workerId, grant)
      return grant
    }
    throw new Error('no worker is free')
  }

  async renew(grant: LeaseGrant, ttlMs: number): Promise<LeaseGrant> {
    if (this.#grants.get(grant.workerId)?.token !== grant.token) throw new Error('lost')
    const untilTick = this.#now() - this.layout.epoch + ttlMs
    const renewed = { ...grant, untilTick: Math.max(grant.untilTick, untilTick) }
    this.#grants.set(grant.workerId, renewed)
    return renewed
  }

  async release(grant: LeaseGrant): Promise<void> {
    if (this.#grants.get(grant.workerId)?.token === grant.token) {
      this.#grants.delete(grant.workerId)
    }
  }

  async close(): Promise<void> {}
}
