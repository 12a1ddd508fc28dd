// S3-FIFO (Yang et al., SOSP 2023): three queues. New entries wait in a small one; who was used
// there twice moves to the main one, others leave and only their names are kept. Who comes back
// while its name is known goes to the main queue at once. The main queue gives what was used
// another round.
//
//   small   10 % of the capacity      main   the rest      ghost   names, one more than main holds
//
// A slot's two bits count its uses up to 3. A set looks at no more than STEPS entries.

import type { CacheOptions } from './cache-options.ts'
import { Ghost } from './ghost.ts'
import { PolicyCache } from './policy-cache.ts'
import { grown } from './slot-store.ts'

const MAIN = 0
const SMALL = 1
const SMALL_PART = 0.1
const MOST_USES = 3
const IN_SMALL = 4
const STEPS = 65_536

/**
 * Keeps what is used again soon, and lets go quickly what is not.
 *
 * Leads on web and storage traces; on loops it is no better than LRU, see {@link TinyLfuCache}.
 * Constant time, a `set` amortised.
 *
 * @example
 * const cache = new S3FifoCache({ max: 1000 })
 */
export class S3FifoCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 's3-fifo'
  /** Of each slot: uses in the low two bits, the list in the third. */
  #states: Uint8Array = new Uint8Array(0)
  #ghost: Ghost
  /** How much of the capacity the small queue has, and may have. */
  #smallWeight = 0
  #smallMost = 0

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, 2, true)
    this.store.addColumn((slots) => {
      this.#states = grown(this.#states, slots)
    })
    this.#ghost = new Ghost(0)
    this.resized()
  }

  /**
   * @param key any value, compared as a `Map` does
   */
  override get(key: K): V | undefined {
    const { store, extras } = this
    const slot = store.find(key, store.hashOf(key))
    if (slot === 0 || (extras !== undefined && !this.isUsable(slot, extras))) return this.missed()
    if ((this.#states[slot]! & MOST_USES) < MOST_USES) this.#states[slot]!++
    return store.values[slot]
  }

  protected override admit(slot: number): void {
    const known = this.#ghost.take(this.store.hashes[slot]!)
    this.#enter(known ? MAIN : SMALL, slot)
  }

  protected override touch(slot: number): void {
    if ((this.#states[slot]! & MOST_USES) < MOST_USES) this.#states[slot]!++
  }

  protected override reweighed(slot: number, by: number): void {
    if ((this.#states[slot]! & IN_SMALL) !== 0) this.#smallWeight += by
  }

  protected override release(slot: number): void {
    if ((this.#states[slot]! & IN_SMALL) !== 0) this.#smallWeight -= this.weightOf(slot)
    this.store.unlink(slot)
  }

  protected override victim(): number {
    for (let steps = 0; ; steps++) {
      const main = this.store.last(MAIN)
      const small = this.store.last(SMALL)
      if (small !== SMALL && (this.#smallWeight >= this.#smallMost || main === MAIN)) {
        if (steps === STEPS || (this.#states[small]! & MOST_USES) < 2) {
          this.#remember(small)
          return small
        }
        this.release(small)
        this.#enter(MAIN, small)
      } else {
        if (steps === STEPS || (this.#states[main]! & MOST_USES) === 0) return main
        this.#states[main]!--
        this.store.unlink(main)
        this.store.linkFirst(MAIN, main)
      }
    }
  }

  protected override order(): readonly number[] {
    return [MAIN, SMALL]
  }

  protected override resized(): void {
    this.#smallMost = Math.max(1, Math.floor(this.capacity() * SMALL_PART))
  }

  protected override reset(): void {
    this.#ghost.clear()
    this.#smallWeight = 0
  }

  /** The list of a slot and its uses. */
  protected override rankOf(slot: number): number {
    return this.#states[slot]!
  }

  protected override rankAs(slot: number, rank: number): void {
    this.release(slot)
    this.#enter((rank & IN_SMALL) === 0 ? MAIN : SMALL, slot)
    this.#states[slot]! |= rank & MOST_USES
  }

  /** Puts a slot with no uses at the head of a queue. */
  #enter(list: number, slot: number): void {
    this.#states[slot] = list === SMALL ? IN_SMALL : 0
    if (list === SMALL) this.#smallWeight += this.weightOf(slot)
    this.store.linkFirst(list, slot)
  }

  #remember(slot: number): void {
    const { size, hashes } = this.store
    // A cache bounded by weight alone does not know beforehand how many entries it will have, and
    // one that was resized has more or fewer.
    // One more than main holds: a newcomer is looked up after the entry that made room for it left.
    const wanted = Math.floor(size * (1 - SMALL_PART)) + 1
    if (this.#ghost.size < wanted || this.#ghost.size > 4 * wanted) this.#ghost = new Ghost(wanted)
    this.#ghost.add(hashes[slot]!)
  }
}
