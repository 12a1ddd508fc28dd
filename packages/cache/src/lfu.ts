// Least frequently used in constant time (after Shah, Mitra and Matani, 2010): one list, sorted by
// how often entries were used, among equals by how recently, cut into runs of equal count.
//
//   list      head [ 7 ] [ 3 3 ] [ 1 1 1 1 ] tail
//   runs           count, how many, the first slot; a slot knows its run
//
// A use moves an entry in front of the next run, or makes it a run of its own between the two.

import type { CacheOptions } from './cache-options.ts'
import { PolicyCache } from './policy-cache.ts'
import { grown } from './slot-store.ts'

const LIST = 0
const NONE = 0

/**
 * Keeps what was used most often since it came, among equals what was used last.
 *
 * What was popular once stays for long, so this fits unchanging popularity alone; see
 * {@link TinyLfuCache} for a frequency that ages. Constant time.
 *
 * @example
 * const cache = new LfuCache({ max: 1000 })
 */
export class LfuCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'lfu'
  /** The run of each slot, from 1. */
  #runs: Uint32Array = new Uint32Array(0)
  /** Of each run: how often its entries were used, how many they are, and the first. */
  #counts: Float64Array = new Float64Array(16)
  #sizes: Uint32Array = new Uint32Array(16)
  #firsts: Uint32Array = new Uint32Array(16)
  /** The first run never used, and the first dead one; dead ones are chained through `firsts`. */
  #fresh = 1
  #free = NONE

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, 1)
    this.store.addColumn((slots) => {
      this.#runs = grown(this.#runs, slots)
    })
  }

  /**
   * @param key any value, compared as a `Map` does
   */
  override get(key: K): V | undefined {
    const { store, extras } = this
    const slot = store.find(key, store.hashOf(key))
    if (slot === 0 || (extras !== undefined && !this.isUsable(slot, extras))) return this.missed()
    this.#use(slot)
    return store.values[slot]
  }

  protected override admit(slot: number): void {
    const last = this.store.last(LIST)
    const lowest = this.#runs[last]!
    if (last !== LIST && this.#counts[lowest] === 1) this.#join(slot, lowest)
    else this.#begin(slot, 1, last)
  }

  protected override touch(slot: number): void {
    this.#use(slot)
  }

  protected override release(slot: number): void {
    this.#quit(slot)
    this.store.unlink(slot)
  }

  protected override victim(): number {
    return this.store.last(LIST)
  }

  protected override order(): readonly number[] {
    return [LIST]
  }

  protected override reset(): void {
    this.#fresh = 1
    this.#free = NONE
  }

  protected override rankOf(slot: number): number {
    return this.#counts[this.#runs[slot]!]!
  }

  protected override rankAs(slot: number, rank: number): void {
    const { links } = this.store
    const count = Math.max(1, rank)
    this.release(slot)
    // Dumps begin with the lowest count, so that this looks at the first run alone.
    let after = LIST
    let first = links[1]!
    while (first !== LIST && this.rankOf(first) > count) {
      const run = this.#runs[first]!
      for (let left = this.#sizes[run]!; left > 0; left--) {
        after = first
        first = links[2 * first + 1]!
      }
    }
    if (first !== LIST && this.rankOf(first) === count) this.#join(slot, this.#runs[first]!)
    else this.#begin(slot, count, after)
  }

  #use(slot: number): void {
    const { store } = this
    const run = this.#runs[slot]!
    const first = this.#firsts[run]!
    const before = store.links[2 * first]!
    const next = this.#runs[before]!
    const count = this.#counts[run]! + 1
    if (before !== LIST && this.#counts[next] === count) {
      this.#quit(slot)
      store.unlink(slot)
      this.#join(slot, next)
    } else if (this.#sizes[run] === 1) {
      this.#counts[run] = count
    } else {
      this.#quit(slot)
      store.unlink(slot)
      this.#begin(slot, count, before)
    }
  }

  /** Puts a slot at the head of a run. */
  #join(slot: number, run: number): void {
    const { store } = this
    store.linkFirst(store.links[2 * this.#firsts[run]!]!, slot)
    this.#runs[slot] = run
    this.#firsts[run] = slot
    this.#sizes[run]!++
  }

  /** Makes a slot a run of its own behind another slot or the sentinel. */
  #begin(slot: number, count: number, after: number): void {
    this.store.linkFirst(after, slot)
    const run = this.#takeRun()
    this.#runs[slot] = run
    this.#counts[run] = count
    this.#sizes[run] = 1
    this.#firsts[run] = slot
  }

  /** Takes a slot that is still in the list out of its run. */
  #quit(slot: number): void {
    const run = this.#runs[slot]!
    const left = --this.#sizes[run]!
    if (left === 0) {
      this.#firsts[run] = this.#free
      this.#free = run
    } else if (this.#firsts[run] === slot) {
      this.#firsts[run] = this.store.links[2 * slot + 1]!
    }
  }

  #takeRun(): number {
    const run = this.#free
    if (run !== NONE) {
      this.#free = this.#firsts[run]!
      return run
    }
    if (this.#fresh === this.#counts.length) {
      this.#counts = grown(this.#counts, 2 * this.#fresh)
      this.#sizes = grown(this.#sizes, 2 * this.#fresh)
      this.#firsts = grown(this.#firsts, 2 * this.#fresh)
    }
    return this.#fresh++
  }
}
