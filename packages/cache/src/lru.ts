// Least recently used: one list, a use moves an entry to the head, who is at the tail leaves.

import type { CacheOptions } from './cache-options.ts'
import { PolicyCache } from './policy-cache.ts'

const LIST = 0

/**
 * Keeps what was used last.
 *
 * `get` and `set` take constant time, and no `set` copies or hashes the cache anew. A loop over
 * one key more than there is room for never hits: see {@link TinyLfuCache} for such work.
 *
 * @example
 * const cache = new LruCache({ max: 1000, ttlMs: 60_000 })
 * cache.set('user:42', user)
 * cache.get('user:42') // → user
 */
export class LruCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'lru'

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, 1)
  }

  /**
   * @param key any value, compared as a `Map` does
   */
  override get(key: K): V | undefined {
    const { store, extras } = this
    const slot = store.find(key, store.hashOf(key))
    if (slot === 0 || (extras !== undefined && !this.isUsable(slot, extras))) return this.missed()
    const { links } = store
    // At the head already: half of all uses under a skewed load.
    if (links[1] !== slot) {
      store.unlink(slot)
      store.linkFirst(LIST, slot)
    }
    return store.values[slot]
  }

  protected override admit(slot: number): void {
    this.store.linkFirst(LIST, slot)
  }

  protected override touch(slot: number): void {
    this.store.unlink(slot)
    this.store.linkFirst(LIST, slot)
  }

  protected override release(slot: number): void {
    this.store.unlink(slot)
  }

  protected override victim(): number {
    return this.store.last(LIST)
  }

  protected override order(): readonly number[] {
    return [LIST]
  }
}
