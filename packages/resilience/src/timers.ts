// Timers as an option, so that tests and simulated worlds decide when time passes.

/** What starts and stops a delay; a simulator's, or the platform's by default. */
export interface Timers {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

/** The longest delay that platforms know, 24.8 days: a longer one would be over at once. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

// Arrows, since browsers refuse these two as methods of another object.
/** The platform's timers. */
export const platformTimers: Timers = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle as number),
}

/** Resolves after the delay; rejects with the signal's reason if that comes first. */
export function sleep(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      timers.clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = timers.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
