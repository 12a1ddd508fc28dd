// A clock and timers that move only when told to.

import type { Timers } from '../src/index.ts'

export class ManualTime {
  nowMs = 0
  readonly #timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>()
  #made = 0

  readonly monotonic = (): number => this.nowMs

  readonly timers: Timers = {
    setTimeout: (callback, delayMs) => {
      this.#timers.set(++this.#made, { dueMs: this.nowMs + delayMs, callback })
      return this.#made
    },
    clearTimeout: (handle) => void this.#timers.delete(handle as number),
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  /** Timers that were ever set. */
  get made(): number {
    return this.#made
  }

  /** Moves the clock and fires what is due, in order. */
  pass(ms: number): void {
    this.nowMs += ms
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= this.nowMs)
    for (const [handle, { callback }] of due.toSorted(([, a], [, b]) => a.dueMs - b.dueMs)) {
      if (this.#timers.delete(handle)) callback()
    }
  }
}
