// A miniature simulation (Waldspurger, Saemundsson, Ahmad and Park, ATC 2017): a cache of hashes
// alone under one rule, for a sample of the keys and with room for as large a part of the entries.
// It hits about as often as the whole cache would under that rule.
//
//   slots   0 … 2 sentinels of the lists, 3 … entries; dead ones chained through their `next`
//   cells   [ prev | next | uses:2 list:2 ] a slot, [ last | first | length ] a sentinel; behind
//           them the table of the index
//
// All miniatures of a contest share one buffer: as objects of their own, the arrays of small ones
// would take more than what is in them.
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

const LIST = 3
const ONE_USE = 4
const MOST_USES = 12
const USED_TWICE = 8
/** How many keys that left are remembered for each entry, where the rule asks for it. */
const GHOSTS = 2
const STEPS = 65_536
/** Words of the index for each entry; a power of two is chosen above. */
const WORDS = 1.5
const PREV = 0
const NEXT = 1
const STATE = 2
const CELLS = 3

/** One miniature a rule, each with room for so many entries. */
export function miniaturesOf(
  rules: readonly AdaptiveRule[],
  sketch: FrequencySketch,
  entries: number,
): Miniature[] {
  const slots = LISTS + entries
  const words = 2 ** Math.ceil(Math.log2(entries * WORDS))
  const isNarrow = slots <= 0xffff
  const width = isNarrow ? Uint16Array.BYTES_PER_ELEMENT : Uint32Array.BYTES_PER_ELEMENT
  const hashBytes = slots * Int32Array.BYTES_PER_ELEMENT
  // Whole words of 32 bits, so that the next one's hashes begin at one.
  const bytes = Math.ceil((hashBytes + (slots * CELLS + words) * width) / 4) * 4
  const buffer = new ArrayBuffer(bytes * rules.length)
  const slotsAt = (at: number, length: number): Slots =>
    isNarrow ? new Uint16Array(buffer, at, length) : new Uint32Array(buffer, at, length)
  return rules.map((rule, i) => {
    const at = i * bytes
    const cells = slotsAt(at + hashBytes, slots * CELLS + words)
    const index = new MiniatureIndex(new Int32Array(buffer, at, slots), cells, words)
    return new Miniature({ rule, sketch, index, cells, entries })
  })
}

/** What one rule would do with a sample of the requests. */
export class Miniature {
  readonly #rule: AdaptiveRule
  readonly #sketch: FrequencySketch
  readonly #ghost: CompactGhost | undefined
  readonly #index: MiniatureIndex
  readonly #cells: Slots
  #capacity = 0
  #windowMost = 0
  #protectedMost = 0
  /** The first slot never used so far, and the first dead one, or 0. */
  #fresh = LISTS
  #free = 0

  /** Is made by {@link miniaturesOf}. */
  constructor(made: {
    readonly rule: AdaptiveRule
    readonly sketch: FrequencySketch
    readonly index: MiniatureIndex
    readonly cells: Slots
    readonly entries: number
  }) {
    const { rule, sketch, index, cells, entries } = made
    this.#rule = rule
    this.#sketch = sketch
    this.#index = index
    this.#cells = cells
    this.#ghost = rule.isQueue ? new CompactGhost(GHOSTS * entries) : undefined
    for (let list = 0; list < LISTS; list++) cells.fill(list, list * CELLS, list * CELLS + STATE)
    this.resize(entries)
  }

  /** Sets how many entries there is room for, at most what it was made for. */
  resize(capacity: number): void {
    this.#capacity = capacity
    this.#windowMost = windowBound(this.#rule, capacity)
    this.#protectedMost = protectedBound(capacity, this.#windowMost)
    while (this.size > capacity) this.#evict()
  }

  /** Entries that are here. */
  get size(): number {
    return this.#length(WINDOW) + this.#length(PROBATION) + this.#length(PROTECTED)
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
    this.#cells[slot * CELLS + STATE] = 0
    this.#link(slot, this.#ghost?.take(hash) ? PROTECTED : WINDOW)
    if (!this.#rule.isQueue && this.#length(WINDOW) > this.#windowMost) {
      this.#move(this.#last(WINDOW), PROBATION)
    }
    return false
  }

  #use(slot: number): void {
    const state = this.#cells[slot * CELLS + STATE]!
    if ((state & MOST_USES) < MOST_USES) this.#cells[slot * CELLS + STATE] = state + ONE_USE
    if (this.#rule.isQueue) return
    this.#move(slot, (state & LIST) === WINDOW ? WINDOW : PROTECTED)
    if (this.#length(PROTECTED) > this.#protectedMost) this.#move(this.#last(PROTECTED), PROBATION)
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
    if (candidate === WINDOW || this.#length(WINDOW) < this.#windowMost) return main
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
      if (oldest !== WINDOW && (this.#length(WINDOW) >= this.#windowMost || main === PROTECTED)) {
        if (this.#uses(oldest) < USED_TWICE || steps === STEPS) {
          this.#ghost!.add(this.#index.hashes[oldest]!)
          return oldest
        }
        this.#cells[oldest * CELLS + STATE]! &= LIST
        this.#move(oldest, PROTECTED)
      } else {
        if (this.#uses(main) === 0 || steps === STEPS) return main
        this.#cells[main * CELLS + STATE]! -= ONE_USE
        this.#move(main, PROTECTED)
      }
    }
  }

  /** The uses of a slot, where they stand in its state. */
  #uses(slot: number): number {
    return this.#cells[slot * CELLS + STATE]! & MOST_USES
  }

  #takeSlot(): number {
    const slot = this.#free
    if (slot === 0) return this.#fresh++
    this.#free = this.#cells[slot * CELLS + NEXT]!
    return slot
  }

  #freeSlot(slot: number): void {
    this.#cells[slot * CELLS + NEXT] = this.#free
    this.#free = slot
  }

  #length(list: number): number {
    return this.#cells[list * CELLS + STATE]!
  }

  #last(list: number): number {
    return this.#cells[list * CELLS + PREV]!
  }

  #move(slot: number, list: number): void {
    this.#unlink(slot)
    this.#link(slot, list)
  }

  #link(slot: number, list: number): void {
    const cells = this.#cells
    const at = slot * CELLS
    const first = cells[list * CELLS + NEXT]!
    cells[at + PREV] = list
    cells[at + NEXT] = first
    cells[first * CELLS + PREV] = slot
    cells[list * CELLS + NEXT] = slot
    cells[at + STATE] = (cells[at + STATE]! & MOST_USES) | list
    cells[list * CELLS + STATE]!++
  }

  #unlink(slot: number): void {
    const cells = this.#cells
    const at = slot * CELLS
    const prev = cells[at + PREV]!
    const next = cells[at + NEXT]!
    cells[prev * CELLS + NEXT] = next
    cells[next * CELLS + PREV] = prev
    cells[(cells[at + STATE]! & LIST) * CELLS + STATE]!--
  }
}
