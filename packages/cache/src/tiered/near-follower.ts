// Keeps a near cache in step with the stores behind it: what is announced is taken out, and where
// an announcement may be missing, all that came from that store is, in O(1) by the store's own tag.
//
//   bus up                     what changed is gone one delivery later
//   a message lost silently    after at most two checks and one answer
//   bus and store unreachable  after nearTtlMs, by the near cache itself

import type { CacheCluster } from '../cluster/cache-cluster.ts'
import type { Timers } from '../timers.ts'
import type { Announcement, BusListener } from './bus.ts'
import { ChangeFollower } from './change-follower.ts'
import type { FarServer } from './far-server.ts'

/** What is done to a near cache. */
export interface NearCache {
  delete(key: string): unknown
  invalidateTag(tag: string): void
  clear(): void
}

/** Follows the stores of a cluster on behalf of one near cache. */
export class NearFollower {
  readonly #near: NearCache
  readonly #cluster: CacheCluster
  readonly #checkMs: number
  readonly #timers: Timers
  readonly #followers: WeakMap<FarServer, ChangeFollower> = new WeakMap()
  readonly #unsubscribe: () => void
  #timer: unknown

  constructor(options: {
    readonly near: NearCache
    readonly cluster: CacheCluster
    readonly checkMs: number
    readonly timers: Timers
  }) {
    this.#near = options.near
    this.#cluster = options.cluster
    this.#checkMs = options.checkMs
    this.#timers = options.timers
    this.#unsubscribe = options.cluster.subscribe((server) => this.#listen(server))
    this.#wait()
  }

  /** Takes keys and tags out of the near cache. */
  takeOut(keys: readonly string[], tags: readonly string[]): void {
    for (const tag of tags) this.#near.invalidateTag(tag)
    try {
      for (const key of keys) this.#near.delete(key)
    } catch {
      // A cache that cannot let go of one entry is believed in nothing.
      this.#near.clear()
    }
  }

  close(): void {
    this.#unsubscribe()
    this.#timers.clearTimeout(this.#timer)
  }

  #listen(server: FarServer): BusListener {
    const follower = new ChangeFollower()
    this.#followers.set(server, follower)
    return {
      onAnnouncement: (announcement) => this.#hear(server, follower, announcement),
      onGap: () => {
        follower.lose()
        this.#distrust(server)
      },
    }
  }

  #hear(server: FarServer, follower: ChangeFollower, announcement: Announcement): void {
    server.heard(announcement)
    if (follower.hear(announcement)) this.#distrust(server)
    // Its own changes as well: it may hear of them before they are acknowledged, and what is taken
    // out too often costs a read of the far cache, and nothing else.
    this.takeOut(announcement.keys, announcement.tags)
  }

  #distrust(server: FarServer): void {
    for (const tag of server.tags) this.#near.invalidateTag(tag)
  }

  #wait(): void {
    this.#timer = this.#timers.setTimeout(() => {
      this.#wait()
      for (const server of this.#cluster.all()) void this.#check(server)
    }, this.#checkMs)
    unref(this.#timer)
  }

  async #check(server: FarServer): Promise<void> {
    if (!server.isUp) return
    try {
      const position = await server.position()
      if (this.#followers.get(server)?.look(position)) this.#distrust(server)
    } catch {
      // The server remembers that it failed, and what is near ends by itself.
    }
  }
}

/** A check alone keeps no process alive. */
function unref(timer: unknown): void {
  if (typeof timer !== 'object' || timer === null || !('unref' in timer)) return
  if (typeof timer.unref === 'function') timer.unref()
}
