// Processes that share a far store, an origin whose loads a test may hold, and a time that moves
// when it says so.

import { CacheCluster, type CacheClusterOptions } from '../src/cluster/cache-cluster.ts'
import type { Entry } from '../src/loading/entry.ts'
import { MemoryBus } from '../src/tiered/memory-bus.ts'
import { MemoryStore } from '../src/tiered/memory-store.ts'
import type { Store } from '../src/tiered/store.ts'
import { TieredCache } from '../src/tiered/tiered-cache.ts'
import type { TieredCacheOptions } from '../src/tiered/tiered-options.ts'
import { ManualTime } from './loading-rig.ts'

/** A store that a test kills, slows down and starts anew. */
export class MortalStore {
  readonly time: ManualTime
  inner: MemoryStore
  isDown = false
  isHanging = false
  calls = 0

  constructor(time: ManualTime) {
    this.time = time
    this.inner = this.#make()
  }

  /** The store as processes reach it. */
  get port(): Store {
    const through = <T>(call: (store: MemoryStore) => Promise<T>): Promise<T> => {
      this.calls++
      if (this.isHanging) return new Promise(() => {})
      return this.isDown ? Promise.reject(new Error('ECONNREFUSED')) : call(this.inner)
    }
    return {
      get: (key) => through((store) => store.get(key)),
      lease: (key, options) => through((store) => store.lease(key, options)),
      fill: (lease, text, options) => through((store) => store.fill(lease, text, options)),
      release: (lease) => through((store) => store.release(lease)),
      commit: (lease, text, options) => through((store) => store.commit(lease, text, options)),
      change: (what) => through((store) => store.change(what)),
      clear: () => through((store) => store.clear()),
      position: () => through((store) => store.position()),
    }
  }

  /** Comes back with nothing. */
  restart(): void {
    this.inner = this.#make()
    this.isDown = false
    this.isHanging = false
  }

  #make(): MemoryStore {
    return new MemoryStore({ monotonic: this.time.monotonic, random: Math.random })
  }
}

/** An origin, a store, a bus, and as many caches before them as a test opens. */
export class TieredRig {
  readonly time = new ManualTime()
  readonly store = new MortalStore(this.time)
  readonly bus = new MemoryBus()
  readonly origin = new Map<string, string>()
  readonly errors: string[] = []
  loads = 0
  /** Loads wait for it. */
  gate: Promise<unknown> = Promise.resolve()

  readonly load = async (key: string): Promise<string> => {
    this.loads++
    const value = this.origin.get(key)
    await this.gate
    return value as string
  }

  open(options: Partial<TieredCacheOptions<string>> = {}): TieredCache<string> {
    const far = options.cluster === undefined ? { store: this.store.port, bus: this.bus } : {}
    return new TieredCache<string>({
      near: new Map<string, Entry<string>>(),
      ...far,
      load: this.load,
      ttlMs: 60_000,
      nearTtlMs: 10_000,
      monotonic: this.time.monotonic,
      timers: this.time.timers,
      onError: ({ code }) => this.errors.push(code),
      ...options,
    })
  }

  cluster(
    stores: Readonly<Record<string, MortalStore>>,
    placement: CacheClusterOptions['placement'],
  ): CacheCluster {
    const servers = new Map(
      Object.entries(stores).map(([name, { port }]) => [name, { store: port, bus: this.bus }]),
    )
    const { monotonic, timers } = this.time
    return new CacheCluster({ servers, placement, monotonic, timers })
  }
}

/** Something to wait for, and what ends the waiting. */
export function gate(): { readonly closed: Promise<void>; readonly open: () => void } {
  let open = () => {}
  const closed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { closed, open }
}
