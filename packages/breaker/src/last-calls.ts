// The last n calls: a ring of one byte a call that holds its bits, and running sums, so that a
// call costs the same whatever n is. No clock is read.
//
//   bytes  [ 0 1 0 0 3 0 … ]     `next` is where the next call goes: once the ring is full, the
//              ▲ next            place of the oldest, whose bits leave the sums
// Invariant: the sums are those of the `calls` bytes before `next`.

import { type CallMemory, FAILED, SLOW, type WindowSnapshot } from './call-memory.ts'

/** The outcomes of the last `size` calls. */
export class LastCalls implements CallMemory {
  readonly isTimed = false
  calls = 0
  failures = 0
  slowCalls = 0
  readonly #bytes: Uint8Array
  #next = 0

  constructor(size: number) {
    this.#bytes = new Uint8Array(size)
  }

  record(bits: number): void {
    const at = this.#next
    const bytes = this.#bytes
    if (this.calls < bytes.length) this.calls++
    else this.#leave(bytes[at]!)
    bytes[at] = bits
    this.#next = at + 1 === bytes.length ? 0 : at + 1
    if (bits === 0) return
    this.failures += bits & FAILED
    this.slowCalls += (bits & SLOW) >> 1
  }

  advance(): void {}

  clear(): void {
    this.calls = 0
    this.failures = 0
    this.slowCalls = 0
    this.#next = 0
  }

  toSnapshot(): WindowSnapshot {
    const { length } = this.#bytes
    const oldest = this.calls < length ? 0 : this.#next
    const digits = Array.from({ length: this.calls }, (_, i) => this.#bytes[(oldest + i) % length])
    return { kind: 'count', outcomes: digits.join('') }
  }

  /** Of more calls than this window holds, the last ones. */
  fromSnapshot(snapshot: WindowSnapshot): void {
    this.clear()
    if (snapshot.kind !== 'count') return
    for (const digit of snapshot.outcomes) this.record(Number(digit))
  }

  #leave(bits: number): void {
    this.failures -= bits & FAILED
    this.slowCalls -= (bits & SLOW) >> 1
  }
}
