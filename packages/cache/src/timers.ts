// Timers as an option, so that tests and simulated worlds decide when time passes.

/** What starts and stops a delay; a simulator's, or the platform's by default. */
export interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

// Arrows, since browsers refuse these two as methods of another object.
/** The platform's timers. */
export const platformTimers: Timers = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as number),
}
