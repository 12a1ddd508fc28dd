// What a test knows of leases and the nodes do not: which ticks of a worker were granted from
// where, and which were used. Law 21: the leases of one worker share no tick.

import type { LeaseGrant } from '@ashlar/id'

/** The grants of one worker, by where they begin; one that used nothing may begin where another. */
interface Ranges {
  /** Where the last one begins. */
  from: number
  /** Where each begins, and the last tick that was used of it. */
  readonly lastUsed: Map<number, number>
}

/** Keeps what was granted and used. */
export class LeaseLedger {
  readonly #workers = new Map<number, Ranges>()
  #problem: string | undefined

  /** The first thing that was out of order. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** A grant, or a renewal of one, that may reach a client. */
  grant({ workerId, fromTick }: LeaseGrant): void {
    const ranges = this.#workers.get(workerId) ?? { from: 0, lastUsed: new Map() }
    this.#workers.set(workerId, ranges)
    if (fromTick < ranges.from) {
      this.complain(`worker ${workerId} was leased from ${fromTick} after ${ranges.from}`)
    }
    ranges.from = fromTick
    if (!ranges.lastUsed.has(fromTick)) ranges.lastUsed.set(fromTick, -1)
  }

  /** A tick of which an id was made. */
  use(workerId: number, fromTick: number, tick: number): void {
    const { lastUsed } = this.#workers.get(workerId)!
    lastUsed.set(fromTick, Math.max(tick, lastUsed.get(fromTick) ?? -1))
  }

  complain(problem: string): void {
    this.#problem ??= problem
  }

  /** True if no lease used a tick from which on the worker was another's, or else a text. */
  isDisjoint(): true | string {
    for (const [workerId, { lastUsed }] of this.#workers) {
      const inOrder = [...lastUsed].toSorted(([a], [b]) => a - b)
      for (const [i, [from]] of inOrder.entries()) {
        const [before, last] = inOrder[i - 1] ?? [0, -1]
        if (last >= from) {
          return `worker ${workerId}: ${before}… used ${last}, the next lease is from ${from}`
        }
      }
    }
    return true
  }
}
