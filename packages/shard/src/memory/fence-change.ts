// A change of fences under way: it holds the fences of its slots alone, so that no writer is in the
// middle of one. Writers who come after it wait behind it.

import type { Timers } from '../timers.ts'
import { LockOwner } from './lock-table.ts'
import type { Ending, MemoryShard } from './memory-shard.ts'
import { fenceLock } from './memory-transaction.ts'

/** Holds fences until it is closed. */
export class FenceChange implements Ending {
  readonly #shard: MemoryShard
  readonly #owner = new LockOwner()
  #failure: { readonly reason: unknown } | undefined

  constructor(shard: MemoryShard) {
    this.#shard = shard
    shard.open.add(this)
  }

  /** Waits for whoever holds the fences of these slots; `wait` bounds the wait for each. */
  async take(
    slots: Iterable<number>,
    wait?: { readonly timers: Timers; readonly waitMs: number },
  ): Promise<void> {
    const { locks } = this.#shard.database
    // In the order in which writers take them, so that nobody waits in a circle.
    for (const slot of [...new Set(slots)].sort((a, b) => a - b)) {
      this.#check()
      const key = fenceLock(slot)
      await (wait === undefined
        ? locks.acquire(this.#owner, key, 'exclusive')
        : locks.acquireWithin(this.#owner, key, 'exclusive', wait))
    }
    this.#check()
  }

  /** Ends the wait with that reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#shard.database.locks.cancel(this.#owner, reason)
  }

  /** Sets the fences free; safe to call in any state. */
  close(): void {
    this.#shard.open.delete(this)
    this.#shard.database.locks.release(this.#owner)
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }
}
