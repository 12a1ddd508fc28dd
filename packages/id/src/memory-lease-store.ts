// Worker leases in memory: the reference for stores that outlive a process, and enough for several
// generators in one. One row a worker id that was ever granted; see worker-lease-store.ts.

import { describe, IdError, requireAtLeast } from './id-error.ts'
import { checkLayout, type Layout, mergedWorker, tickOf, workersOf } from './layout.ts'
import { layouts } from './layouts.ts'
import type { LeaseGrant, WorkerLeaseStore } from './worker-lease-store.ts'

interface Row {
  readonly owner: string
  readonly token: number
  readonly fromTick: number
  /** No tick from here on has ever been granted. */
  readonly untilTick: number
  readonly isHeld: boolean
}

/**
 * Keeps worker leases in memory.
 *
 * @example
 * const store = new MemoryLeaseStore()
 * const lease = await WorkerLease.acquire(store, { owner: 'pod-7' })
 * store.holders().get(lease.workerId) // → 'pod-7'
 * await lease.close()
 */
export class MemoryLeaseStore implements WorkerLeaseStore {
  readonly layout: Layout
  readonly #now: () => number
  readonly #maxTtlMs: number
  /** Shared by all handles on the same leases. */
  #rows = new Map<number, Row>()
  #isClosed = false

  /**
   * @param options.layout of the ids; default `layouts.ashlar`
   * @param options.maxTtlMs the longest lease that the store grants; default 600,000
   * @param options.now the store's clock in milliseconds since 1970; default `Date.now`
   * @throws IdError INVALID_LAYOUT or INVALID_OPTION
   */
  constructor(
    options: {
      readonly layout?: Layout
      readonly maxTtlMs?: number
      readonly now?: () => number
    } = {},
  ) {
    this.layout = mergedWorker(checkLayout(options.layout ?? layouts.ashlar))
    this.#maxTtlMs = requireAtLeast('maxTtlMs', options.maxTtlMs ?? 600_000, this.layout.unitMs)
    this.#now = options.now ?? Date.now
  }

  /** Another handle on the same leases, as another process has on a database. */
  connect(options: { readonly now?: () => number } = {}): MemoryLeaseStore {
    const { layout } = this
    const now = options.now ?? this.#now
    const other = new MemoryLeaseStore({ layout, maxTtlMs: this.#maxTtlMs, now })
    other.#rows = this.#rows
    return other
  }

  async acquire(owner: string, ttlMs: number): Promise<LeaseGrant> {
    const { tick, untilTick } = this.#open(ttlMs)
    const workerId = this.#freeWorker(tick)
    const last = this.#rows.get(workerId)
    const fromTick = last?.untilTick ?? 0
    // A released worker may have borrowed ahead of the clock: its next range still begins after.
    const row: Row = {
      owner,
      token: (last?.token ?? 0) + 1,
      fromTick,
      untilTick: Math.max(untilTick, fromTick + 1),
      isHeld: true,
    }
    return this.#grant(workerId, row)
  }

  async renew(grant: LeaseGrant, ttlMs: number): Promise<LeaseGrant> {
    const { untilTick } = this.#open(ttlMs)
    const row = this.#heldBy(grant)
    if (row === undefined) {
      throw new IdError(
        'LEASE_LOST',
        `worker ${grant.workerId} was released or given to somebody else: acquire a new lease`,
      )
    }
    return this.#grant(grant.workerId, {
      ...row,
      untilTick: Math.max(row.untilTick, untilTick),
    })
  }

  async release(grant: LeaseGrant, lastTick: number): Promise<void> {
    this.#refuseClosed()
    const row = this.#heldBy(grant)
    if (row === undefined) return
    const end = Math.min(row.untilTick, Math.max(row.fromTick, lastTick + 1))
    this.#rows.set(grant.workerId, { ...row, untilTick: end, isHeld: false })
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  /** Who holds which worker id, for people. */
  holders(): ReadonlyMap<number, string> {
    const held = [...this.#rows].filter(([, row]) => row.isHeld)
    return new Map(held.map(([workerId, row]) => [workerId, row.owner]))
  }

  /** The ticks of now and of the end of a lease granted now. */
  #open(ttlMs: number): { tick: number; untilTick: number } {
    this.#refuseClosed()
    requireAtLeast('ttlMs', ttlMs, this.layout.unitMs)
    const now = this.#now()
    const tick = tickOf(this.layout, now)
    if (!(tick >= 0)) {
      throw new IdError('BEFORE_EPOCH', `the clock of the lease store reads ${describe(now)}`)
    }
    return { tick, untilTick: tickOf(this.layout, now + Math.min(ttlMs, this.#maxTtlMs)) }
  }

  /**
   * The lowest worker id whose ticks are over; else the released one that is least ahead of the
   * clock, for its new holder has to hold until then.
   */
  #freeWorker(tick: number): number {
    const workers = workersOf(this.layout)
    let soonest = Number.POSITIVE_INFINITY
    let released = { workerId: -1, untilTick: Number.POSITIVE_INFINITY }
    for (let workerId = 0; workerId < workers; workerId++) {
      const row = this.#rows.get(workerId)
      if (row === undefined || row.untilTick <= tick) return workerId
      soonest = Math.min(soonest, row.untilTick)
      if (!row.isHeld && row.untilTick < released.untilTick) {
        released = { workerId, untilTick: row.untilTick }
      }
    }
    if (released.workerId >= 0) return released.workerId
    throw new IdError(
      'NOT_READY',
      `all ${workers} worker ids are leased: wait waitMs, or use more worker bits`,
      { waitMs: (soonest - tick) * this.layout.unitMs },
    )
  }

  #heldBy(grant: LeaseGrant): Row | undefined {
    const row = this.#rows.get(grant.workerId)
    return row?.isHeld && row.token === grant.token ? row : undefined
  }

  #grant(workerId: number, row: Row): LeaseGrant {
    this.#rows.set(workerId, row)
    return { workerId, fromTick: row.fromTick, untilTick: row.untilTick, token: row.token }
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new IdError('STORE_UNAVAILABLE', 'the lease store is closed: make a new one')
  }
}
