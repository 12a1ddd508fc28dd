// W-TinyLFU (Einziger, Eytan, Friedman and Manes): three LRU lists. New entries come into a window;
// who falls out of it meets the entry that would leave the main part next, and the one that a
// sketch has counted more often stays. A use in the main part moves an entry from probation to the
// protected list, which is at most 80 % of it.
//
//   protected → probation → leaves          window → admitted to probation, or leaves
//
// How large the window should be depends on the work: it climbs the hill of the hit ratio.

import type { CacheOptions } from './cache-options.ts'
import { FrequencySketch } from './frequency-sketch.ts'
import { PolicyCache } from './policy-cache.ts'
import { grown } from './slot-store.ts'
import { WindowClimber } from './window-climber.ts'

const WINDOW = 0
const PROBATION = 1
const PROTECTED = 2
const PROTECTED_PART = 0.8
const FIRST_PART = 0.01
/** Requests an entry between two steps of the window. */
const SAMPLE = 15
/** Candidates counted less than this are refused on a tie; others get in 1 time in 128. */
const WARM = 6
const LUCK = 1 / 128
/** How many entries an operation moves to follow the window's size. */
const MOVES = 2

/**
 * Keeps what is used often and what was used last, in a proportion that follows the work.
 *
 * Holds on to what is useful in scans and loops, where LRU and its kin hit nothing; the window
 * takes a while to follow a change. Constant time; halving the counts takes about 2 ms for a
 * million entries, once in ten million uses.
 *
 * @example
 * const cache = new TinyLfuCache({ max: 1000 })
 */
export class TinyLfuCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'tiny-lfu'
  /** The list of each slot. */
  #places: Uint8Array = new Uint8Array(0)
  readonly #sketch: FrequencySketch
  readonly #random: () => number
  readonly #climber = new WindowClimber(FIRST_PART)
  /** How much each list holds, in weight. */
  readonly #held = [0, 0, 0]
  #windowMost = 1
  #protectedMost = 0
  #hits = 0
  #requests = 0

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, 3, true)
    this.#random = options.random ?? Math.random
    this.#sketch = new FrequencySketch(0)
    this.store.addColumn((slots) => {
      this.#places = grown(this.#places, slots)
      this.#sketch.grow(slots - 3)
    })
    this.resized()
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
    this.#sketch.count(this.store.hashes[slot]!)
    this.#enter(WINDOW, slot)
    for (let moves = 0; moves < MOVES && this.#isWindowOver(slot); moves++) {
      this.#move(this.store.last(WINDOW), PROBATION)
    }
    this.#sampled(0)
  }

  protected override touch(slot: number): void {
    this.#use(slot)
  }

  protected override reweighed(slot: number, by: number): void {
    this.#held[this.#places[slot]!]! += by
  }

  protected override release(slot: number): void {
    this.#held[this.#places[slot]!]! -= this.weightOf(slot)
    this.store.unlink(slot)
  }

  protected override victim(): number {
    const { store } = this
    const candidate = store.last(WINDOW)
    const unproven = store.last(PROBATION)
    const main = unproven === PROBATION ? store.last(PROTECTED) : unproven
    if (main === PROTECTED) return candidate
    if (candidate === WINDOW || this.#held[WINDOW]! < this.#windowMost) return main
    if (!this.#isWorthMore(candidate, main)) return candidate
    this.#move(candidate, PROBATION)
    return main
  }

  protected override order(): readonly number[] {
    return [PROTECTED, PROBATION, WINDOW]
  }

  protected override resized(): void {
    const capacity = this.capacity()
    this.#windowMost = Math.max(1, Math.floor(capacity * this.#climber.part))
    this.#protectedMost = Math.floor((capacity - this.#windowMost) * PROTECTED_PART)
  }

  protected override reset(): void {
    this.#sketch.clear()
    this.#held.fill(0)
  }

  /** The list of a slot. */
  protected override rankOf(slot: number): number {
    return this.#places[slot]!
  }

  protected override rankAs(slot: number, rank: number): void {
    this.#move(slot, rank === PROTECTED || rank === PROBATION ? rank : WINDOW)
  }

  #use(slot: number): void {
    const { store } = this
    this.#sketch.count(store.hashes[slot]!)
    const place = this.#places[slot]!
    if (place === PROBATION) {
      this.#move(slot, PROTECTED)
      for (let moves = 0; moves < MOVES && this.#held[PROTECTED]! > this.#protectedMost; moves++) {
        this.#move(store.last(PROTECTED), PROBATION)
      }
    } else {
      store.unlink(slot)
      store.linkFirst(place, slot)
    }
    this.#sampled(1)
  }

  /**
   * Whether the window has one entry too many even without the newcomer. By weight it may be over
   * its bound by less than an entry: to move one out for that would take it past the sketch, time
   * and again, and a loop would flush the main part.
   */
  #isWindowOver(newcomer: number): boolean {
    const oldest = this.store.last(WINDOW)
    if (oldest === newcomer) return false
    const others = this.#held[WINDOW]! - this.weightOf(newcomer)
    return others - this.weightOf(oldest) >= this.#windowMost - 1
  }

  /** Whether who falls out of the window is to take the place of who would leave the main part. */
  #isWorthMore(candidate: number, main: number): boolean {
    const { hashes } = this.store
    const count = this.#sketch.estimate(hashes[candidate]!)
    if (count > this.#sketch.estimate(hashes[main]!)) return true
    // Luck defeats whoever has made the counts of a main part's tail high on purpose.
    return count >= WARM && this.#random() < LUCK
  }

  #move(slot: number, place: number): void {
    this.release(slot)
    this.#enter(place, slot)
  }

  #enter(place: number, slot: number): void {
    this.#places[slot] = place
    this.#held[place]! += this.weightOf(slot)
    this.store.linkFirst(place, slot)
  }

  /** Counts a request, and climbs when there have been enough. */
  #sampled(hits: number): void {
    this.#hits += hits
    if (++this.#requests < SAMPLE * this.store.size) return
    this.#climber.climb(this.#hits / this.#requests)
    this.#hits = 0
    this.#requests = 0
    this.resized()
  }
}
