// A cache of this package as a storage adapter of Keyv 6, which gives Keyv's in-memory side a
// bound, a policy and a timer wheel.
//
// Keyv hands over absolute times of the wall clock; they become time limits of the cache's own
// clock when they are set, so that a jump of the wall clock later does not matter here.

import { CacheError, show } from './cache-error.ts'

/** What the adapter needs of a cache; every cache of this package has it. */
export interface KeyvCache {
  get(key: string): unknown
  has(key: string): boolean
  set(key: string, value: unknown, options?: { readonly ttlMs?: number | undefined }): unknown
  delete(key: string): boolean
  clear(): void
  entries(): IterableIterator<[string, unknown]>
}

/** Options of a {@link KeyvStore}. */
export interface KeyvStoreOptions {
  /** What stands before all keys; Keyv gives its own where it has one. */
  readonly namespace?: string | undefined
  /** Wall clock in milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

/** One entry of `setMany`. */
export interface KeyvStoreEntry {
  readonly key: string
  readonly value: unknown
  /** Milliseconds of the wall clock. */
  readonly expires?: number | undefined
}

const SEPARATOR = '::'

/**
 * Gives Keyv a bounded cache to keep its values in.
 *
 * @example
 * const keyv = new Keyv({ store: new KeyvStore(new TinyLfuCache({ max: 10_000 })) })
 */
export class KeyvStore {
  /** Stands before all keys, so that several Keyv instances share one cache. */
  namespace: string | undefined
  /** Tells Keyv that times come as absolute ones. */
  readonly capabilities: { readonly expires: true } = { expires: true }
  readonly #cache: KeyvCache
  readonly #now: () => number

  /** @throws {CacheError} `ERR_CACHE_OPTION` if it is no such cache */
  constructor(cache: KeyvCache, { namespace, now = Date.now }: KeyvStoreOptions = {}) {
    for (const method of ['get', 'has', 'set', 'delete', 'clear', 'entries'] as const) {
      if (typeof cache?.[method] === 'function') continue
      const hint = 'a cache of this package, such as new LruCache({ max: 1000 })'
      throw new CacheError('ERR_CACHE_OPTION', `cache: got ${show(cache)}, allowed is ${hint}`)
    }
    this.#cache = cache
    this.#now = now
    this.namespace = namespace
  }

  /** The value of a key, or undefined. */
  async get(key: string): Promise<unknown> {
    return this.#cache.get(this.#own(key))
  }

  /** The values of keys, in their order. */
  async getMany(keys: readonly string[]): Promise<unknown[]> {
    return keys.map((key) => this.#cache.get(this.#own(key)))
  }

  /** Whether a key is there. */
  async has(key: string): Promise<boolean> {
    return this.#cache.has(this.#own(key))
  }

  /** Which of the keys are there, in their order. */
  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    return keys.map((key) => this.#cache.has(this.#own(key)))
  }

  /** Keeps a value until `expires`, milliseconds of the wall clock; deletes the key if past. */
  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    const own = this.#own(key)
    if (expires === undefined) {
      // No limit also where the cache has a default.
      this.#cache.set(own, value, { ttlMs: Number.POSITIVE_INFINITY })
      return true
    }
    const ttlMs = expires - this.#now()
    if (ttlMs > 0) this.#cache.set(own, value, { ttlMs })
    else this.#cache.delete(own)
    return true
  }

  /** Sets all entries, as {@link set} does. */
  async setMany(entries: readonly KeyvStoreEntry[]): Promise<boolean[]> {
    return Promise.all(entries.map(({ key, value, expires }) => this.set(key, value, expires)))
  }

  /** Deletes a key; whether it was there. */
  async delete(key: string): Promise<boolean> {
    return this.#cache.delete(this.#own(key))
  }

  /** Deletes keys; which of them were there. */
  async deleteMany(keys: readonly string[]): Promise<boolean[]> {
    return keys.map((key) => this.#cache.delete(this.#own(key)))
  }

  /** Deletes all that is under the namespace; everything if there is none. */
  async clear(): Promise<void> {
    if (this.namespace === undefined) {
      this.#cache.clear()
      return
    }
    const prefix = this.#own('')
    for (const [key] of this.#cache.entries()) if (key.startsWith(prefix)) this.#cache.delete(key)
  }

  /** The entries under the namespace, by their keys without it. */
  async *iterator(): AsyncGenerator<[string, unknown], void> {
    const prefix = this.#own('')
    for (const [key, value] of this.#cache.entries()) {
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), value]
    }
  }

  #own(key: string): string {
    return this.namespace === undefined ? key : this.namespace + SEPARATOR + key
  }
}
