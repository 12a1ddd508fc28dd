// The failures in a row. A success ends the row; slowness does not matter. No clock is read.

import { type CallMemory, FAILED, type WindowSnapshot } from './call-memory.ts'

/** How many calls failed since the last success. */
export class FailureStreak implements CallMemory {
  readonly isTimed = false
  failures = 0

  /** The row itself: what came before it is forgotten. */
  get calls(): number {
    return this.failures
  }

  get slowCalls(): number {
    return 0
  }

  record(bits: number): void {
    this.failures = (bits & FAILED) === 0 ? 0 : this.failures + 1
  }

  advance(): void {}

  clear(): void {
    this.failures = 0
  }

  toSnapshot(): WindowSnapshot {
    return { kind: 'streak', failures: this.failures }
  }

  fromSnapshot(snapshot: WindowSnapshot): void {
    if (snapshot.kind === 'streak') this.failures = snapshot.failures
  }
}
