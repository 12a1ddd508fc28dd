// A clock that reads what a test says, one reading a call, then the last one for ever.

export class ScriptedClock {
  reads = 0
  readonly #readings: readonly number[]

  constructor(...readings: number[]) {
    this.#readings = readings
  }

  readonly now = (): number => this.#readings[Math.min(this.reads++, this.#readings.length - 1)]!
}

/** Timers that fire at once, moving a clock by the delay that was asked for. */
export function jumpingTimers(advance: (ms: number) => void): {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
} {
  const cleared = new Set<unknown>()
  return {
    setTimeout(callback, delayMs) {
      const handle = Symbol('timer')
      queueMicrotask(() => {
        if (cleared.has(handle)) return
        advance(delayMs)
        callback()
      })
      return handle
    },
    clearTimeout: (handle) => {
      cleared.add(handle)
    },
  }
}
