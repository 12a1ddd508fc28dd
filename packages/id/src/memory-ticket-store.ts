// Numbers in memory: the reference for stores that outlive a process, and enough within one.

import { IdError, requireInteger } from './id-error.ts'
import type { TicketSegment, TicketStore } from './ticket-store.ts'

/**
 * Hands out numbers from memory.
 *
 * @example
 * const store = new MemoryTicketStore()
 * await store.fetch(100) // → { first: 1, count: 100 }
 * await store.fetch(100) // → { first: 101, count: 100 }
 */
export class MemoryTicketStore implements TicketStore {
  /** Shared by all handles on the same numbers. */
  #counter: { next: number }
  #isClosed = false

  /**
   * @param options.first the first number; default 1
   * @throws IdError INVALID_OPTION
   */
  constructor(options: { readonly first?: number } = {}) {
    this.#counter = { next: requireInteger('first', options.first ?? 1, 0) }
  }

  /** Another handle on the same numbers, as another process has on a database. */
  connect(): MemoryTicketStore {
    const other = new MemoryTicketStore()
    other.#counter = this.#counter
    return other
  }

  async fetch(count: number): Promise<TicketSegment> {
    if (this.#isClosed) {
      throw new IdError('STORE_UNAVAILABLE', 'the ticket store is closed: make a new one')
    }
    requireInteger('count', count, 1, 2 ** 32)
    const first = this.#counter.next
    if (count > Number.MAX_SAFE_INTEGER - first + 1) {
      throw new IdError('EPOCH_OVERFLOW', 'numbers above 2^53 - 1 are not exact: begin a new range')
    }
    this.#counter.next = first + count
    return { first, count }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}
