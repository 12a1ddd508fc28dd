// Timers whose time jumps to the next callback once all else has come to rest: what waits for a
// lease to end takes no time, and a slow machine changes nothing.

import type { Timers } from '../src/timers.ts'

interface Alarm {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock that stands still but for its own timers. */
export class VirtualTimers implements Timers {
  #nowMs = 0
  #isAdvancing = false
  readonly #alarms = new Set<Alarm>()

  readonly now = (): number => this.#nowMs

  setTimeout(callback: () => void, delayMs: number): unknown {
    const alarm = { atMs: this.#nowMs + delayMs, callback }
    this.#alarms.add(alarm)
    this.#advanceSoon()
    return alarm
  }

  clearTimeout(handle: unknown): void {
    this.#alarms.delete(handle as Alarm)
  }

  #advanceSoon(): void {
    if (this.#isAdvancing || this.#alarms.size === 0) return
    this.#isAdvancing = true
    setImmediate(() => {
      this.#isAdvancing = false
      const [next] = [...this.#alarms].sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) return
      this.#alarms.delete(next)
      this.#nowMs = next.atMs
      next.callback()
      this.#advanceSoon()
    })
  }
}
