// SIEVE (Zhang et al., NSDI 2024): one list in the order of arrival and a bit an entry that a use
// sets. A hand goes from the tail to the head, clears bits and takes the first entry without one;
// it stays where it was, so that new entries are tried soon and old ones that are used remain.
//
//   head  new … | … old  tail        hand: the entry to be looked at next, 0 for the tail
//
// The hand looks at no more than STEPS entries, so that no `set` takes long; only where 65,536 in
// a row have been used since the last round does it take one that was.

import type { CacheOptions } from './cache-options.ts'
import { PolicyCache } from './policy-cache.ts'
import { grown } from './slot-store.ts'

const LIST = 0
const STEPS = 65_536

/**
 * Keeps what is used again, with less work for a use than LRU: one bit is set.
 *
 * Good where most keys are asked for once (the web); a scan over more than the cache holds, or a
 * loop, empties it: see {@link TinyLfuCache} for those. Constant time, a `set` amortised.
 *
 * @example
 * const cache = new SieveCache({ max: 1000 })
 */
export class SieveCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'sieve'
  /** A bit a slot: used since the hand came by. */
  #used: Uint8Array = new Uint8Array(0)
  #hand = 0

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, 1)
    this.store.addColumn((slots) => {
      this.#used = grown(this.#used, (slots >>> 3) + 1)
    })
  }

  /**
   * @param key any value, compared as a `Map` does
   */
  override get(key: K): V | undefined {
    const { store, extras } = this
    const slot = store.find(key, store.hashOf(key))
    if (slot === 0 || (extras !== undefined && !this.isUsable(slot, extras))) return this.missed()
    this.#used[slot >>> 3]! |= 1 << (slot & 7)
    return store.values[slot]
  }

  protected override admit(slot: number): void {
    this.#used[slot >>> 3]! &= ~(1 << (slot & 7))
    this.store.linkFirst(LIST, slot)
  }

  protected override touch(slot: number): void {
    this.#used[slot >>> 3]! |= 1 << (slot & 7)
  }

  protected override release(slot: number): void {
    if (this.#hand === slot) this.#hand = this.store.links[2 * slot]!
    this.store.unlink(slot)
  }

  protected override victim(): number {
    const { links } = this.store
    const used = this.#used
    let slot = this.#hand
    for (let steps = 0; ; steps++) {
      // The sentinel is 0 and precedes the head: past it the hand begins again at the tail.
      if (slot === LIST) slot = links[2 * LIST]!
      const bit = 1 << (slot & 7)
      if ((used[slot >>> 3]! & bit) === 0 || steps === STEPS) break
      used[slot >>> 3]! &= ~bit
      slot = links[2 * slot]!
    }
    this.#hand = slot
    return slot
  }

  protected override order(): readonly number[] {
    return [LIST]
  }

  protected override reset(): void {
    this.#hand = 0
  }

  protected override rankOf(slot: number): number {
    return (this.#used[slot >>> 3]! >>> (slot & 7)) & 1
  }

  protected override rankAs(slot: number, rank: number): void {
    if (rank > 0) this.touch(slot)
  }
}
