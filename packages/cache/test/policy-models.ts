// Policies as a reader would write them down first: arrays, one line a rule, O(n) a step. Entries
// stand from the one that would stay longest to the one that would leave next.

import { FrequencySketch } from '../src/frequency-sketch.ts'
import { WindowClimber } from '../src/window-climber.ts'

/** A cache of keys; `evicts` is what the last `set` made leave. */
export interface Model {
  get(key: number): boolean
  set(key: number): void
  delete(key: number): boolean
  keys(): number[]
}

interface Entry {
  readonly key: number
  uses: number
}

abstract class ListModel implements Model {
  protected entries: Entry[] = []
  protected readonly max: number

  constructor(max: number) {
    this.max = max
  }

  get(key: number): boolean {
    const entry = this.entries.find((one) => one.key === key)
    if (entry !== undefined) this.use(entry)
    return entry !== undefined
  }

  set(key: number): void {
    if (this.get(key)) return
    if (this.entries.length === this.max) this.evict()
    this.add({ key, uses: 0 })
  }

  delete(key: number): boolean {
    const at = this.entries.findIndex((one) => one.key === key)
    if (at >= 0) this.entries.splice(at, 1)
    return at >= 0
  }

  keys(): number[] {
    return this.entries.map((entry) => entry.key)
  }

  protected abstract use(entry: Entry): void

  protected add(entry: Entry): void {
    this.entries.unshift(entry)
  }

  protected evict(): void {
    this.entries.pop()
  }
}

/** First in, first out. */
export class FifoModel extends ListModel {
  protected override use(): void {}
}

/** Least frequently used, of those the least recently used; a `set` is a use. */
export class LfuModel extends ListModel {
  protected override use(entry: Entry): void {
    entry.uses++
    this.entries = [entry, ...this.entries.filter((one) => one !== entry)]
    this.entries.sort((a, b) => b.uses - a.uses)
  }

  protected override add(entry: Entry): void {
    this.entries = [entry, ...this.entries].sort((a, b) => b.uses - a.uses)
  }
}

/** SIEVE: the hand is an entry, or undefined for the tail. */
export class SieveModel extends ListModel {
  #hand: Entry | undefined

  override delete(key: number): boolean {
    if (this.#hand?.key === key) this.#hand = this.#after(this.#hand)
    return super.delete(key)
  }

  protected override use(entry: Entry): void {
    entry.uses = 1
  }

  protected override evict(): void {
    let entry = this.#hand ?? this.entries.at(-1)!
    while (entry.uses > 0) {
      entry.uses = 0
      entry = this.#after(entry) ?? this.entries.at(-1)!
    }
    this.#hand = this.#after(entry)
    this.entries = this.entries.filter((one) => one !== entry)
  }

  /** The next towards the head. */
  #after(entry: Entry): Entry | undefined {
    return this.entries[this.entries.indexOf(entry) - 1]
  }
}

/** S3-FIFO with a small queue of a tenth and a memory of the last `0.9 max + 1` that left it. */
export class S3FifoModel implements Model {
  #small: Entry[] = []
  #main: Entry[] = []
  #ghost: number[] = []
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(key: number): boolean {
    const entry = [...this.#small, ...this.#main].find((one) => one.key === key)
    if (entry !== undefined) entry.uses = Math.min(3, entry.uses + 1)
    return entry !== undefined
  }

  set(key: number): void {
    if (this.get(key)) return
    while (this.#small.length + this.#main.length === this.#max) this.#evict()
    const at = this.#ghost.indexOf(key)
    if (at >= 0) this.#ghost[at] = Number.NaN
    const queue = at >= 0 ? this.#main : this.#small
    queue.unshift({ key, uses: 0 })
  }

  delete(key: number): boolean {
    const had = this.keys().includes(key)
    this.#small = this.#small.filter((one) => one.key !== key)
    this.#main = this.#main.filter((one) => one.key !== key)
    return had
  }

  keys(): number[] {
    return [...this.#main, ...this.#small].map((entry) => entry.key)
  }

  #evict(): void {
    const smallMost = Math.max(1, Math.floor(this.#max * 0.1))
    if (this.#small.length >= smallMost || this.#main.length === 0) {
      const entry = this.#small.pop()!
      if (entry.uses >= 2) this.#main.unshift({ key: entry.key, uses: 0 })
      else {
        this.#ghost.unshift(entry.key)
        this.#ghost.length = Math.min(this.#ghost.length, Math.floor(this.#max * 0.9) + 1)
      }
    } else {
      const entry = this.#main.pop()!
      if (entry.uses > 0) this.#main.unshift({ key: entry.key, uses: entry.uses - 1 })
    }
  }
}

/** W-TinyLFU; the sketch and the climber are the cache's own and have tests of their own. */
export class TinyLfuModel implements Model {
  #window: number[] = []
  #probation: number[] = []
  #protected: number[] = []
  #windowMost = 1
  #hits = 0
  #requests = 0
  readonly #climber = new WindowClimber(0.01)
  readonly #max: number
  readonly #hashOf: (key: number) => number
  readonly #sketch: FrequencySketch
  readonly #random: () => number

  constructor(max: number, hashOf: (key: number) => number, random: () => number) {
    this.#max = max
    this.#hashOf = hashOf
    this.#random = random
    this.#sketch = new FrequencySketch(max)
  }

  get(key: number): boolean {
    if (!this.keys().includes(key)) return false
    this.#sketch.count(this.#hashOf(key))
    if (this.#window.includes(key)) this.#window = moveFirst(this.#window, key)
    else {
      this.#probation = this.#probation.filter((one) => one !== key)
      this.#protected = moveFirst(this.#protected, key)
      const most = Math.floor((this.#max - this.#windowMost) * 0.8)
      for (let i = 0; i < 2 && this.#protected.length > most; i++) {
        this.#probation.unshift(this.#protected.pop()!)
      }
    }
    this.#sampled(1)
    return true
  }

  set(key: number): void {
    if (this.get(key)) return
    if (this.keys().length === this.#max) this.#evict()
    this.#sketch.count(this.#hashOf(key))
    this.#window.unshift(key)
    for (let i = 0; i < 2 && this.#window.length > this.#windowMost; i++) {
      this.#probation.unshift(this.#window.pop()!)
    }
    this.#sampled(0)
  }

  delete(key: number): boolean {
    const had = this.keys().includes(key)
    this.#window = this.#window.filter((one) => one !== key)
    this.#probation = this.#probation.filter((one) => one !== key)
    this.#protected = this.#protected.filter((one) => one !== key)
    return had
  }

  keys(): number[] {
    return [...this.#protected, ...this.#probation, ...this.#window]
  }

  #evict(): void {
    const main = this.#probation.length > 0 ? this.#probation : this.#protected
    if (main.length === 0) this.#window.pop()
    else if (this.#window.length < this.#windowMost) main.pop()
    else if (!this.#isWorthMore(this.#window.at(-1)!, main.at(-1)!)) this.#window.pop()
    else {
      main.pop()
      this.#probation.unshift(this.#window.pop()!)
    }
  }

  #isWorthMore(candidate: number, main: number): boolean {
    const count = this.#sketch.estimate(this.#hashOf(candidate))
    if (count > this.#sketch.estimate(this.#hashOf(main))) return true
    return count >= 6 && this.#random() < 1 / 128
  }

  #sampled(hits: number): void {
    this.#hits += hits
    if (++this.#requests < 15 * this.keys().length) return
    this.#climber.climb(this.#hits / this.#requests)
    this.#hits = 0
    this.#requests = 0
    this.#windowMost = Math.max(1, Math.floor(this.#max * this.#climber.part))
  }
}

function moveFirst(keys: number[], key: number): number[] {
  return [key, ...keys.filter((one) => one !== key)]
}
