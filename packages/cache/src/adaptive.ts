// A cache that changes its rule with the work: miniatures of the rules (miniature.ts) play a sample
// of the requests, and the one that is ahead (adaptive-contest.ts) takes over.
//
//   protected → probation → leaves          window → main part, or leaves
//
// All rules decide over these three lists (adaptive-rule.ts). A change of rule sets new bounds and
// evicts nobody: lists that are too long by the new rule drift there, a few entries a set.
// A slot's state holds its list and its uses up to 3; uses count under every rule, so that they
// are known when one comes into force that asks for them.

import { AdaptiveContest } from './adaptive-contest.ts'
import {
  adaptiveRules,
  LISTS,
  PROBATION,
  PROTECTED,
  protectedBound,
  WINDOW,
  windowBound,
} from './adaptive-rule.ts'
import type { CacheOptions } from './cache-options.ts'
import { CompactGhost } from './compact-ghost.ts'
import { FrequencySketch } from './frequency-sketch.ts'
import { PolicyCache } from './policy-cache.ts'
import { grown } from './slot-store.ts'

const LIST = 3
const ONE_USE = 4
const MOST_USES = 12
const USED_TWICE = 8
/** Where in a rank the rule in force is. */
const RULE = 16
/** A sketch for fewer entries mixes up too many keys, and halves its counts within a loop. */
const LEAST_COUNTED = 512
/** How many keys that left are remembered for each entry. */
const GHOSTS = 2
/** How many entries an operation moves where a list is too long. */
const MOVES = 2
const STEPS = 65_536

/**
 * Keeps what the rule that suits the work best would keep: W-TinyLFU with one of two windows, one
 * that holds on in loops, S3-FIFO or LRU. The default choice where the work is not known.
 *
 * Constant time, a `set` amortised; about 7 bytes an entry more than {@link TinyLfuCache}, 10 kB
 * where there are few. Learning takes some requests an entry: work that changes faster than that is
 * better served by one rule. Chance is only in the seed of the hash, which also chooses the sample:
 * the same `random` makes the same decisions.
 *
 * @example
 * const cache = new AdaptiveCache({ max: 1000 })
 */
export class AdaptiveCache<K, V> extends PolicyCache<K, V> {
  protected override readonly policy: string = 'adaptive'
  protected contest: AdaptiveContest
  readonly #sketch: FrequencySketch
  #states: Uint8Array = new Uint8Array(0)
  #ghost: CompactGhost = new CompactGhost(0)
  /** How much each list holds, in weight. */
  readonly #held = [0, 0, 0]
  #windowMost = 1
  #protectedMost = 0
  #isQueue = false
  /** Whether the entry admitted last has its place from a dump, as those have that follow it. */
  #isLoading = false

  /** @throws {CacheError} for options out of range, see {@link CacheOptions}. */
  constructor(options: CacheOptions<K, V>) {
    super(options, LISTS, true)
    this.#sketch = new FrequencySketch(LEAST_COUNTED)
    this.contest = new AdaptiveContest(this.#sketch)
    this.store.addColumn((slots) => {
      this.#states = grown(this.#states, slots)
      this.#sketch.grow(slots - LISTS)
    })
    this.resized()
  }

  /** The name of the rule in force: what suits the work best, as far as is known. */
  get rule(): string {
    return this.contest.rule.name
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
    const hash = this.store.hashes[slot]!
    this.#states[slot] = 0
    this.#enter(this.#isQueue && this.#ghost.take(hash) ? PROTECTED : WINDOW, slot)
    for (let moves = 0; moves < MOVES && this.#isWindowOver(slot); moves++) {
      this.#move(this.store.last(WINDOW), PROBATION)
    }
    this.#isLoading = false
    this.#note(hash)
  }

  protected override touch(slot: number): void {
    this.#use(slot)
  }

  protected override reweighed(slot: number, by: number): void {
    this.#held[this.#states[slot]! & LIST]! += by
  }

  protected override release(slot: number): void {
    this.#held[this.#states[slot]! & LIST]! -= this.weightOf(slot)
    this.store.unlink(slot)
  }

  protected override victim(): number {
    if (this.#isQueue) return this.#victimOfQueues()
    const slot = this.#victimOfLists()
    this.#remember(slot)
    return slot
  }

  protected override order(): readonly number[] {
    return [PROTECTED, PROBATION, WINDOW]
  }

  protected override resized(): void {
    this.contest.fit(this.#entries())
    this.#followRule()
  }

  protected override reset(): void {
    this.#held.fill(0)
    this.#sketch.clear()
    this.#ghost.clear()
    this.contest.restart(this.#entries())
  }

  /** The list of a slot, its uses, and the rule in force. */
  protected override rankOf(slot: number): number {
    return this.#states[slot]! + RULE * this.contest.winner
  }

  protected override rankAs(slot: number, rank: number): void {
    const list = rank & LIST
    this.#states[slot] = (this.#states[slot]! & LIST) | (rank & MOST_USES)
    this.#move(slot, list < LISTS ? list : WINDOW)
    this.#isLoading = true
    const rule = Math.floor(rank / RULE)
    if (rule >= adaptiveRules.length || rule === this.contest.winner) return
    this.contest.winner = rule
    this.#followRule()
  }

  #use(slot: number): void {
    const { store } = this
    const state = this.#states[slot]!
    if ((state & MOST_USES) < MOST_USES) this.#states[slot] = state + ONE_USE
    if (!this.#isQueue) {
      if ((state & LIST) === PROBATION) {
        this.#move(slot, PROTECTED)
        this.#demote()
      } else {
        store.unlink(slot)
        store.linkFirst(state & LIST, slot)
      }
    }
    this.#note(store.hashes[slot]!)
  }

  /** Counts a request, and shows it to the contest if it is in the sample. */
  #note(hash: number): void {
    this.#sketch.count(hash)
    if (!this.contest.samples(hash) || !this.contest.request(hash)) return
    // How many entries a weight has room for is known only from those that are there.
    if (this.extras?.weights !== undefined) this.contest.fit(this.#entries())
    this.#followRule()
  }

  #followRule(): void {
    const { rule } = this.contest
    const capacity = this.capacity()
    this.#isQueue = rule.isQueue
    this.#windowMost = windowBound(rule, capacity)
    this.#protectedMost = protectedBound(capacity, this.#windowMost)
  }

  /** About how many entries the cache holds when it is full. */
  #entries(): number {
    const { size, max } = this.store
    return this.extras?.weights === undefined ? max : Math.max(1, size)
  }

  /**
   * Whether the window has one entry too many even without the newcomer. By weight it may be over
   * its bound by less than an entry: to move one out for that would take it past the sketch, time
   * and again, and a loop would flush the main part.
   */
  #isWindowOver(newcomer: number): boolean {
    const oldest = this.store.last(WINDOW)
    if (this.#isQueue || this.#isLoading || oldest === newcomer) return false
    const others = this.#held[WINDOW]! - this.weightOf(newcomer)
    return others - this.weightOf(oldest) >= this.#windowMost - 1
  }

  #demote(): void {
    for (let moves = 0; moves < MOVES && this.#held[PROTECTED]! > this.#protectedMost; moves++) {
      this.#move(this.store.last(PROTECTED), PROBATION)
    }
  }

  #victimOfLists(): number {
    this.#demote()
    const { store } = this
    const candidate = store.last(WINDOW)
    const unproven = store.last(PROBATION)
    const main = unproven === PROBATION ? store.last(PROTECTED) : unproven
    if (main === PROTECTED) return candidate
    if (candidate === WINDOW || this.#held[WINDOW]! < this.#windowMost) return main
    const count = this.#sketch.estimate(store.hashes[candidate]!)
    const { margin } = this.contest.rule
    if (count <= this.#sketch.estimate(store.hashes[main]!) + margin) return candidate
    this.#move(candidate, PROBATION)
    return main
  }

  /** S3-FIFO; what another rule left in probation goes first. */
  #victimOfQueues(): number {
    for (let steps = 0; ; steps++) {
      const oldest = this.store.last(WINDOW)
      const unproven = this.store.last(PROBATION)
      const main = unproven === PROBATION ? this.store.last(PROTECTED) : unproven
      if (oldest !== WINDOW && (this.#held[WINDOW]! >= this.#windowMost || main === PROTECTED)) {
        if ((this.#states[oldest]! & MOST_USES) < USED_TWICE || steps >= STEPS) {
          this.#remember(oldest)
          return oldest
        }
        this.#states[oldest]! &= LIST
        this.#move(oldest, PROTECTED)
      } else {
        if ((this.#states[main]! & MOST_USES) === 0 || steps >= STEPS) return main
        this.#states[main]! -= ONE_USE
        this.#move(main, PROTECTED)
      }
    }
  }

  #remember(slot: number): void {
    const entries = this.#entries()
    if (this.#ghost.size < entries) this.#ghost = new CompactGhost(GHOSTS * entries)
    this.#ghost.add(this.store.hashes[slot]!)
  }

  #move(slot: number, list: number): void {
    this.release(slot)
    this.#enter(list, slot)
  }

  #enter(list: number, slot: number): void {
    this.#states[slot] = (this.#states[slot]! & MOST_USES) | list
    this.#held[list]! += this.weightOf(slot)
    this.store.linkFirst(list, slot)
  }
}
