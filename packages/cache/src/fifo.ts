// First in, first out: one list, a use changes nothing, who came first leaves.

import type { CacheOptions } from './cache-options.ts'
import { PolicyCache } from './policy-cache.ts'

const LIST = 0

/**
 * Keeps what came last, used or not; a `set` of a key that is there keeps its place.
 *
 * The cheapest policy, and the one that hits least: see {@link SieveCache} for one that costs as
 * little and hits more.
 *
 * @example
 * const cache = new FifoCache({ max: 1000 })
 */
export class FifoCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'fifo'

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
    return store.values[slot]
  }

  protected override admit(slot: number): void {
    this.store.linkFirst(LIST, slot)
  }

  protected override touch(): void {}

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
