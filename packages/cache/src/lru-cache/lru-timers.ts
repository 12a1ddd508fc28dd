// Where the drop-in gets time from: a clock, a wall clock for dumps, and timers.

/** Elapsed milliseconds; `performance` and `Date` are such. */
export interface Perf {
  now(): number
}

/** What starts and stops a delay; a simulator's, or the platform's by default. */
export interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

// Arrows, since browsers refuse these as methods of another object.
/** The platform's timers. */
export const platformTimers: Timers = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** Starts a delay that keeps no process alive, where the platform knows of such. */
export function startTimer(timers: Timers, callback: () => void, delayMs: number): unknown {
  const handle = timers.setTimeout(callback, delayMs)
  if (typeof handle === 'object' && handle !== null && 'unref' in handle) {
    if (typeof handle.unref === 'function') handle.unref()
  }
  return handle
}

/** A clock that is read at most once in so many milliseconds. */
export class CoarseClock {
  readonly #perf: Perf
  readonly #timers: Timers
  #reading: number | undefined

  constructor(perf: Perf, timers: Timers) {
    this.#perf = perf
    this.#timers = timers
  }

  /** The time, at most `resolutionMs` old if timers are on time; 0 reads the clock each time. */
  read(resolutionMs: number): number {
    if (this.#reading !== undefined) return this.#reading
    const reading = this.#perf.now()
    if (resolutionMs > 0) {
      this.#reading = reading
      startTimer(
        this.#timers,
        () => {
          this.#reading = undefined
        },
        resolutionMs,
      )
    }
    return reading
  }

  /** The time, now. */
  readExactly(): number {
    return this.#perf.now()
  }
}
