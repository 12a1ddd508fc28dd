// The bus within one process: the reference for the others, for tests, and for several caches in
// one process. Announcements arrive in order, a microtask later.

import type { Announcement, Bus, BusListener } from './bus.ts'

/**
 * A bus between caches of one process; share the same object among them.
 *
 * @example
 * const bus = new MemoryBus()
 * new TieredCache({ near: new Map(), store, bus, load, ttlMs })
 */
export class MemoryBus implements Bus {
  readonly #listeners: Set<BusListener> = new Set()

  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async publish(announcement: Announcement): Promise<void> {
    await undefined
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) listener.onAnnouncement(announcement)
    }
  }
}
