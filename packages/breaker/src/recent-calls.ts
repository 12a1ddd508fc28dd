// The calls of the last `ms` milliseconds, in buckets. A bucket is a span of the clock,
// [tick × bucketMs, (tick + 1) × bucketMs); the window is the bucket of now and those before it,
// `buckets` in all. Each record moves the window to its own time first, so that an idle gap
// empties it; at most `buckets` steps, whatever the gap.
//
//   cells  [ calls failures slow | calls failures slow | … ]   bucket of tick t: (t mod n) × 3
// Invariant: the sums are those of the cells, and cells hold only ticks in (tick − n, tick].
// A plain array of small integers takes half the memory of a typed array of this size.

import {
  type BucketSnapshot,
  type CallMemory,
  FAILED,
  SLOW,
  type WindowSnapshot,
} from './call-memory.ts'

/** The outcomes of the calls of a span of time. */
export class RecentCalls implements CallMemory {
  readonly isTimed = true
  calls = 0
  failures = 0
  slowCalls = 0
  readonly #bucketMs: number
  readonly #cells: number[]
  /** Where the bucket of now begins in the cells. */
  #at = 0
  #tick: number
  /** When the bucket of now ends: the one comparison that most records need. */
  #endMs: number

  constructor(bucketMs: number, buckets: number, nowMs: number) {
    this.#bucketMs = bucketMs
    this.#cells = new Array<number>(buckets * 3).fill(0)
    this.#tick = Math.floor(nowMs / bucketMs)
    this.#endMs = (this.#tick + 1) * bucketMs
  }

  record(bits: number, nowMs: number): void {
    // A clock that went back or reads NaN keeps the window where it is.
    if (nowMs >= this.#endMs) this.advance(nowMs)
    const at = this.#at
    const cells = this.#cells
    cells[at] = cells[at]! + 1
    this.calls++
    if (bits === 0) return
    const failed = bits & FAILED
    const slow = (bits & SLOW) >> 1
    cells[at + 1] = cells[at + 1]! + failed
    cells[at + 2] = cells[at + 2]! + slow
    this.failures += failed
    this.slowCalls += slow
  }

  advance(nowMs: number): void {
    if (!(nowMs >= this.#endMs)) return
    const buckets = this.#cells.length / 3
    const tick = Math.floor(nowMs / this.#bucketMs)
    const steps = tick - this.#tick
    this.#tick = tick
    this.#endMs = (tick + 1) * this.#bucketMs
    if (steps >= buckets) {
      this.clear()
      return
    }
    for (let i = 0; i < steps; i++) {
      this.#at = this.#at + 3 === this.#cells.length ? 0 : this.#at + 3
      this.#forget(this.#at)
    }
  }

  clear(): void {
    this.calls = 0
    this.failures = 0
    this.slowCalls = 0
    this.#cells.fill(0)
  }

  toSnapshot(nowMs: number): WindowSnapshot {
    this.advance(nowMs)
    const { length } = this.#cells
    const buckets: BucketSnapshot[] = []
    for (let back = 0; back < length / 3; back++) {
      const at = (this.#at - back * 3 + length) % length
      const [calls, failures, slowCalls] = this.#cells.slice(at, at + 3)
      const ageMs = nowMs - (this.#tick - back + 0.5) * this.#bucketMs
      if (calls! > 0)
        buckets.push({ ageMs, calls: calls!, failures: failures!, slowCalls: slowCalls! })
    }
    return { kind: 'time', buckets }
  }

  /** Calls too old for this window are left out; a bucket goes where its middle falls. */
  fromSnapshot(snapshot: WindowSnapshot, nowMs: number): void {
    this.advance(nowMs)
    this.clear()
    if (snapshot.kind !== 'time') return
    const { length } = this.#cells
    for (const { ageMs, calls, failures, slowCalls } of snapshot.buckets) {
      const tick = Math.floor((nowMs - ageMs) / this.#bucketMs)
      const back = Math.max(0, this.#tick - tick)
      if (back >= length / 3) continue
      const at = (this.#at - back * 3 + length) % length
      this.#add(at, calls, failures, slowCalls)
    }
  }

  #add(at: number, calls: number, failures: number, slowCalls: number): void {
    const cells = this.#cells
    cells[at] = cells[at]! + calls
    cells[at + 1] = cells[at + 1]! + failures
    cells[at + 2] = cells[at + 2]! + slowCalls
    this.calls += calls
    this.failures += failures
    this.slowCalls += slowCalls
  }

  #forget(at: number): void {
    const cells = this.#cells
    this.calls -= cells[at]!
    this.failures -= cells[at + 1]!
    this.slowCalls -= cells[at + 2]!
    cells.fill(0, at, at + 3)
  }
}
