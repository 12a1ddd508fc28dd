// The port by which the processes of a store hear of its changes. It may lose, double and reorder
// what it brings: the versions in an announcement show that something is missing, and a near cache
// asks the store for its position now and then, in case it was the last.

import type { StoreChange } from './store.ts'

/** A change of a store, as all processes hear of it. */
export interface Announcement extends StoreChange {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

/** Who hears the announcements of a bus. */
export interface BusListener {
  onAnnouncement(announcement: Announcement): void
  /** Announcements may have been missed: a connection was made, or made again. */
  onGap(): void
}

/** What brings announcements from one process to the others. */
export interface Bus {
  /** Tells a listener all announcements from now on, its own included; returns what ends that. */
  subscribe(listener: BusListener): () => void
  /**
   * Tells all of an announcement. Left out where the store announces its changes itself, as part
   * of making them.
   */
  publish?(announcement: Announcement): Promise<unknown>
}
