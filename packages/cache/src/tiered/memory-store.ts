// The store within one process: the reference for the others, for tests and simulated worlds.
//
//   values: key → text, version of its lease, end, tags
//   leases: key → token, version when it was granted, when
//   tags:   tag → version when it was first used since its last invalidation
//
// A value counts if each of its tags is known with a version that is not above its own. Each of
// the three is bounded and evicts as any cache does, which is always on the safe side.

import { LruCache } from '../lru.ts'
import { randomId } from './random-id.ts'
import type {
  FillOptions,
  LeaseMode,
  LeaseReply,
  Store,
  StoreChange,
  StoredValue,
  StoreLease,
  StorePosition,
} from './store.ts'

interface Held {
  readonly text: string
  readonly version: number
  readonly untilMs: number
  readonly tags: readonly string[]
}

interface Granted {
  readonly token: string
  readonly version: number
  readonly atMs: number
}

/** Options of a {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** Most keys, and most tags; 1 to 33,554,368. Default 100,000. */
  readonly max?: number | undefined
  /** Elapsed milliseconds, never going back. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined
  /** A number in [0, 1), for the epoch. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/**
 * A store for caches of one process; share the same object among them.
 *
 * @example
 * const store = new MemoryStore({ max: 10_000 })
 * new TieredCache({ near: new Map(), store, bus: new MemoryBus(), load, ttlMs })
 */
export class MemoryStore implements Store {
  readonly #monotonic: () => number
  readonly #random: () => number
  readonly #values: LruCache<string, Held>
  readonly #leases: LruCache<string, Granted>
  readonly #tags: LruCache<string, number>
  #epoch: string
  #version = 0
  #tokens = 0

  /** @throws {CacheError} `ERR_CACHE_MAX` */
  constructor(options: MemoryStoreOptions = {}) {
    const { max = 100_000 } = options
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    const shared = { max, monotonic: this.#monotonic, random: this.#random }
    this.#values = new LruCache(shared)
    this.#leases = new LruCache(shared)
    this.#tags = new LruCache(shared)
    this.#epoch = randomId(this.#random)
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#find(key)
  }

  async lease(
    key: string,
    { mode, leaseMs }: { readonly mode: LeaseMode; readonly leaseMs: number },
  ): Promise<LeaseReply> {
    if (mode !== 'write') {
      const value = this.#find(key)
      if (value !== undefined) return { kind: 'hit', value }
      if (mode === 'join' && this.#leases.has(key)) return { kind: 'busy' }
    }
    const token = `${++this.#tokens}`
    const granted = { token, version: this.#version, atMs: this.#monotonic() }
    this.#leases.set(key, granted, { ttlMs: leaseMs })
    return { kind: 'granted', lease: { key, token, position: this.#position() } }
  }

  async fill(lease: StoreLease, text: string, options: FillOptions): Promise<boolean> {
    return this.#fill(lease, text, options)
  }

  async release(lease: StoreLease): Promise<void> {
    if (this.#leaseOf(lease) !== undefined) this.#leases.delete(lease.key)
  }

  async commit(lease: StoreLease, text: string, options: FillOptions): Promise<StoreChange> {
    if (!this.#fill(lease, text, options)) this.#takeOut(lease.key)
    return this.#advance()
  }

  async change(what: {
    readonly keys: readonly string[]
    readonly tags: readonly string[]
  }): Promise<StoreChange> {
    for (const key of what.keys) this.#takeOut(key)
    for (const tag of what.tags) this.#tags.delete(tag)
    return this.#advance()
  }

  async clear(): Promise<StoreChange> {
    this.#epoch = randomId(this.#random)
    for (const map of [this.#values, this.#leases, this.#tags]) map.clear()
    return this.#advance()
  }

  async position(): Promise<StorePosition> {
    return this.#position()
  }

  #find(key: string): StoredValue | undefined {
    const held = this.#values.get(key)
    if (held === undefined || !this.#counts(held)) return undefined
    const leftMs = held.untilMs - this.#monotonic()
    return leftMs > 0 ? { text: held.text, leftMs, tags: held.tags } : undefined
  }

  #counts({ tags, version }: Held): boolean {
    return tags.every((tag) => (this.#tags.get(tag) ?? Number.POSITIVE_INFINITY) <= version)
  }

  #fill(lease: StoreLease, text: string, { ttlMs, tags }: FillOptions): boolean {
    const granted = this.#leaseOf(lease)
    if (granted === undefined) return false
    this.#leases.delete(lease.key)
    const untilMs = granted.atMs + ttlMs
    const leftMs = untilMs - this.#monotonic()
    if (!(leftMs > 0)) return false
    for (const tag of tags) {
      // Who knows what happened to a tag that is not known? At worst all changes up to now.
      if (!this.#tags.has(tag)) this.#tags.set(tag, this.#version)
    }
    const held = { text, version: granted.version, untilMs, tags }
    if (!this.#counts(held)) return false
    this.#values.set(lease.key, held, { ttlMs: leftMs })
    return true
  }

  #leaseOf({ key, token, position }: StoreLease): Granted | undefined {
    const granted = this.#leases.get(key)
    return granted?.token === token && position.epoch === this.#epoch ? granted : undefined
  }

  #takeOut(key: string): void {
    this.#values.delete(key)
    this.#leases.delete(key)
  }

  #advance(): StoreChange {
    const previous = this.#version++
    return { ...this.#position(), previous }
  }

  #position(): StorePosition {
    return { epoch: this.#epoch, version: this.#version }
  }
}
