// A miniature simulation (Waldspurger, Saemundsson, Ahmad and Park, ATC 2017): a cache of hashes
// alone under one rule, for a sample of the keys and with room for as large a part of the entries.
// It hits about as often as the whole cache would under that rule.
//
//   slots   0 … 2 sentinels of the lists, 3 … entries; dead ones chained through their `next`
//   state   [ uses:2 | list:2 ]       links   [ prev | next ] interleaved
//
// Its lists are those of adaptive-rule.ts, and what it does is what the cache does under the rule;
// counts are read from the cache's own sketch, which knows all the sample's keys.

import {
  type AdaptiveRule,
  LISTS,
  PROBATION,
  PROTECTED,
  protectedBound,
  WINDOW,
  windowBound,
} from './adaptive-rule.ts'
import { CompactGhost } from './compact-ghost.ts'
import type { FrequencySketch } from './frequency-sketch.ts'
import { MiniatureIndex, type Slots } from './miniature-index.ts'

const FEW = 16
const LIST = 3
const ONE_USE = 4
const MOST_USES = 12
const USED_TWICE = 8
/** How many keys that left are remembered for each entry, where the rule asks for it. */
const GHOSTS = 2
const STEPS = 65_536
/** Words of the index for each entry, at first; a power of two is chosen above. */
const WORDS = 1.5
/** How many times its first capacity a miniature can be resized to. */
export const MOST_GROWTH = 1.25

/** What one rule would do with a sample of the requests. */
export class Miniature {
  readonly #rule: AdaptiveRule
  readonly #sketch: FrequencySketch
  readonly #makeSlots: (length: number) => Slots
  #capacity = 0
  #windowMost = 0
  #protectedMost = 0
  readonly #ghost: CompactGhost | undefined
  readonly #index: MiniatureIndex
  #links: Slots
  #states: Uint8Array<ArrayBuffer>
  readonly #held = [0, 0, 0]
  /** The first slot never used so far, and the first dead one, or 0. */
  #fresh = LISTS
  #free = 0

  constructor(rule: AdaptiveRule, sketch: FrequencySketch, capacity: number) {
    this.#rule = rule
    this.#sketch = sketch
    this.#ghost = rule.isQueue ? new CompactGhost(GHOSTS * capacity) : undefined
    const isNarrow = capacity * MOST_GROWTH + LISTS <= 0xffff
    this.#makeSlots = (length) => (isNarrow ? new Uint16Array(length) : new Uint32Array(length))
    const slots = LISTS + Math.min(FEW, capacity)
    const table = this.#makeSlots(2 ** Math.ceil(Math.log2(capacity * WORDS)))
    this.#index = new MiniatureIndex(slots, table)
    this.#links = this.#makeSlots(2 * slots)
    this.#states = new Uint8Array(slots)
    for (let list = 0; list < LISTS; list++) this.#links.fill(list, 2 * list, 2 * list + 2)
    this.resize(capacity)
  }

  /** Sets how many entries there is room for, at most MOST_GROWTH times those at first. */
  resize(capacity: number): void {
    this.#capacity = capacity
    this.#windowMost = windowBound(this.#rule, capacity)
    this.#protectedMost = protectedBound(capacity, this.#windowMost)
    while (this.size > capacity) this.#evict()
  }

  /** Entries that are here. */
  get size(): number {
    return this.#held[WINDOW]! + this.#held[PROBATION]! + this.#held[PROTECTED]!
  }

  /** Asks for the key of a hash, and sets it if it is not here; whether it was. */
  request(hash: number): boolean {
    const found = this.#index.find(hash)
    if (found !== 0) {
      this.#use(found)
      return true
    }
    if (this.size >= this.#capacity) this.#evict()
    const slot = this.#takeSlot()
    if (!this.#index.enter(hash, slot)) {
      this.#freeSlot(slot)
      return false
    }
    this.#states[slot] = 0
    this.#link(slot, this.#ghost?.take(hash) ? PROTECTED : WINDOW)
    if (!this.#rule.isQueue && this.#held[WINDOW]! > this.#windowMost) {
      this.#move(this.#last(WINDOW), PROBATION)
    }
    return false
  }

  #use(slot: number): void {
    const state = this.#states[slot]!
    if ((state & MOST_USES) < MOST_USES) this.#states[slot] = state + ONE_USE
    if (this.#rule.isQueue) return
    this.#move(slot, (state & LIST) === WINDOW ? WINDOW : PROTECTED)
    if (this.#held[PROTECTED]! > this.#protectedMost) this.#move(this.#last(PROTECTED), PROBATION)
  }

  #evict(): void {
    const slot = this.#rule.isQueue ? this.#victimOfQueues() : this.#victimOfLists()
    this.#unlink(slot)
    this.#index.leave(slot)
    this.#freeSlot(slot)
  }

  #victimOfLists(): number {
    const candidate = this.#last(WINDOW)
    const unproven = this.#last(PROBATION)
    const main = unproven === PROBATION ? this.#last(PROTECTED) : unproven
    if (main === PROTECTED) return candidate
    if (candidate === WINDOW || this.#held[WINDOW]! < this.#windowMost) return main
    const { hashes } = this.#index
    const count = this.#sketch.estimate(hashes[candidate]!)
    if (count <= this.#sketch.estimate(hashes[main]!) + this.#rule.margin) return candidate
    this.#move(candidate, PROBATION)
    return main
  }

  #victimOfQueues(): number {
    for (let steps = 0; ; steps++) {
      const oldest = this.#last(WINDOW)
      const main = this.#last(PROTECTED)
      if (oldest !== WINDOW && (this.#held[WINDOW]! >= this.#windowMost || main === PROTECTED)) {
        if ((this.#states[oldest]! & MOST_USES) < USED_TWICE || steps === STEPS) {
          this.#ghost!.add(this.#index.hashes[oldest]!)
          return oldest
        }
        this.#states[oldest]! &= LIST
        this.#move(oldest, PROTECTED)
      } else {
        if ((this.#states[main]! & MOST_USES) === 0 || steps === STEPS) return main
        this.#states[main]! -= ONE_USE
        this.#move(main, PROTECTED)
      }
    }
  }

  #takeSlot(): number {
    const slot = this.#free
    if (slot !== 0) {
      this.#free = this.#links[2 * slot + 1]!
      return slot
    }
    if (this.#fresh === this.#states.length) this.#grow()
    return this.#fresh++
  }

  #freeSlot(slot: number): void {
    this.#links[2 * slot + 1] = this.#free
    this.#free = slot
  }

  #grow(): void {
    const slots = LISTS + Math.min(2 * (this.#fresh - LISTS), this.#capacity)
    this.#index.grow(slots)
    const states = new Uint8Array(slots)
    states.set(this.#states)
    this.#states = states
    const links = this.#makeSlots(2 * slots)
    links.set(this.#links)
    this.#links = links
  }

  #last(list: number): number {
    return this.#links[2 * list]!
  }

  #move(slot: number, list: number): void {
    this.#unlink(slot)
    this.#link(slot, list)
  }

  #link(slot: number, list: number): void {
    const links = this.#links
    const first = links[2 * list + 1]!
    links[2 * slot] = list
    links[2 * slot + 1] = first
    links[2 * first] = slot
    links[2 * list + 1] = slot
    this.#states[slot] = (this.#states[slot]! & MOST_USES) | list
    this.#held[list]!++
  }

  #unlink(slot: number): void {
    const links = this.#links
    const prev = links[2 * slot]!
    const next = links[2 * slot + 1]!
    links[2 * prev + 1] = next
    links[2 * next] = prev
    this.#held[this.#states[slot]! & LIST]!--
  }
}
