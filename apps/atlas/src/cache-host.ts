// A cache server that can die and come back with nothing, or be cut off and come back with all that
// it held; what is asked of it is counted. As long as it is away it refuses every call.

import { type Bus, type CacheServer, MemoryBus, MemoryStore, type Store } from '@ashlar/cache'
import { diceOf } from './dice.ts'
import type { Stone } from './stone.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What a cache server is made of. */
export interface CacheBackend {
  readonly store: Store
  readonly bus: Bus
  /** It answers no more, and what it held is gone. */
  kill(): Promise<void>
  /** It cannot be reached, and keeps what it holds. */
  cutOff(): Promise<void>
  comeBack(): Promise<void>
  /** The time of all that it holds is over, where it does not know that by itself. */
  expire(): Promise<void>
  /** Resolves when everybody has heard of the changes so far. */
  delivered(): Promise<void>
}

/** What is done to the store of a server before caches reach it. */
export type WrapStore = (store: Store) => Store

/** What became of the questions to a server, since somebody began to count. */
export interface HostCounts {
  asked: number
  hits: number
  /** Loads of its keys while it was dead. */
  lost: number
}

/** One cache server. */
export class CacheHost {
  readonly stone: Stone
  /** The server as caches reach it. */
  readonly server: CacheServer
  counts: HostCounts = { asked: 0, hits: 0, lost: 0 }
  isDead = false
  readonly #backend: CacheBackend

  /** @param wrap What is done to the store that caches reach. */
  constructor(stone: Stone, backend: CacheBackend, time: VirtualTime, wrap: WrapStore) {
    this.stone = stone
    this.#backend = backend
    this.server = { store: wrap(this.#counting(backend.store, time)), bus: backend.bus }
  }

  /** Counts from 0 again. */
  begin(): void {
    this.counts = { asked: 0, hits: 0, lost: 0 }
  }

  async kill(): Promise<void> {
    await this.#backend.kill()
    this.isDead = true
  }

  async cutOff(): Promise<void> {
    await this.#backend.cutOff()
    this.isDead = true
  }

  async comeBack(): Promise<void> {
    await this.#backend.comeBack()
    this.isDead = false
  }

  expire(): Promise<void> {
    return this.#backend.expire()
  }

  delivered(): Promise<void> {
    return this.#backend.delivered()
  }

  #counting(store: Store, time: VirtualTime): Store {
    return {
      get: (key, options) => {
        this.counts.asked++
        return this.#counted(time.work(store.get(key, options)), (value) => value !== undefined)
      },
      lease: (key, options) =>
        this.#counted(time.work(store.lease(key, options)), ({ kind }) => kind === 'hit'),
      fill: (lease, text, options) => time.work(store.fill(lease, text, options)),
      release: (lease) => time.work(store.release(lease)),
      commit: (lease, text, options) => time.work(store.commit(lease, text, options)),
      change: (what) => time.work(store.change(what)),
      clear: () => time.work(store.clear()),
      position: () => time.work(store.position()),
      heard: (position) => store.heard?.(position),
    }
  }

  async #counted<T>(reply: Promise<T>, isHit: (value: T) => boolean): Promise<T> {
    const value = await reply
    if (isHit(value)) this.counts.hits++
    return value
  }
}

/** A server within this process. */
export class MemoryBackend implements CacheBackend {
  readonly store: Store
  readonly bus: MemoryBus = new MemoryBus()
  readonly #make: () => MemoryStore
  #held: MemoryStore
  #isDead = false

  constructor(seed: number, time: VirtualTime) {
    const random = diceOf(seed)
    this.#make = () => new MemoryStore({ monotonic: time.now, random })
    this.#held = this.#make()
    this.store = {
      get: (key) => this.#alive((store) => store.get(key)),
      lease: (key, options) => this.#alive((store) => store.lease(key, options)),
      fill: (lease, text, options) => this.#alive((store) => store.fill(lease, text, options)),
      release: (lease) => this.#alive((store) => store.release(lease)),
      commit: (lease, text, options) => this.#alive((store) => store.commit(lease, text, options)),
      change: (what) => this.#alive((store) => store.change(what)),
      clear: () => this.#alive((store) => store.clear()),
      position: () => this.#alive((store) => store.position()),
    }
  }

  async kill(): Promise<void> {
    this.#held = this.#make()
    this.#isDead = true
  }

  async cutOff(): Promise<void> {
    this.#isDead = true
  }

  async comeBack(): Promise<void> {
    this.#isDead = false
  }

  /** Nothing to do: it goes by the same clock. */
  async expire(): Promise<void> {}

  /** Nothing to do: a change is acknowledged after everybody has heard of it. */
  async delivered(): Promise<void> {}

  async #alive<T>(call: (store: MemoryStore) => Promise<T>): Promise<T> {
    if (this.#isDead) throw new Error('connection refused')
    return call(this.#held)
  }
}
