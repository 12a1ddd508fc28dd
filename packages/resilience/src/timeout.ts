// A call that takes too long is aborted, and its caller is answered at that moment, whether the
// call listens to its signal or not. What the call still does or says is ignored.
//
//   call ends, time is up, caller aborts: the first of the three settles, once, and ends the
//   timer and the listener of the others.

import { LazyAbort } from './lazy-abort.ts'
import { begin, type Policy } from './policy.ts'
import { ResilienceError, requireNumber } from './resilience-error.ts'
import { MAX_DELAY_MS, platformTimers, type Timers } from './timers.ts'

/** How {@link timeout} tells time. */
export interface TimeoutOptions {
  /** Default: the platform's. */
  readonly timers?: Timers
}

/**
 * Rejects with TIMEOUT when a call takes longer than `timeoutMs`, and aborts the call's signal
 * with that error. When the caller aborts, rejects at once with the caller's reason.
 *
 * The signal ends with the call: read a response's body inside of it. A call that ignores its
 * signal goes on unobserved; to have its place counted until it ends, put a {@link bulkhead}
 * inside of the timeout.
 *
 * @param timeoutMs from 0 to 2,147,483,647
 * @throws ResilienceError INVALID_OPTION.
 * @example
 * const data = await timeout(2_000)(async ({ signal }) => {
 *   const response = await fetch(url, { signal: signal ?? null })
 *   return await response.json()
 * })
 */
export function timeout(timeoutMs: number, options: TimeoutOptions = {}): Policy {
  requireNumber('timeoutMs', timeoutMs, 0, MAX_DELAY_MS)
  const { timers = platformTimers } = options
  return (next, ctx = {}) =>
    new Promise((resolve, reject) => {
      const { signal, attempt, hedge, budget } = ctx
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const abort = new LazyAbort()
      const end = () => {
        timers.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const giveUp = (reason: unknown) => {
        end()
        reject(reason)
        abort.abort(reason)
      }
      const onAbort = () => giveUp(signal?.reason)
      const timer = timers.setTimeout(() => giveUp(tooLate(timeoutMs)), timeoutMs)
      signal?.addEventListener('abort', onAbort)
      // The signal is a property of the object itself, so that a copy by spread has it too.
      const inner = {
        get signal() {
          return abort.signal
        },
        attempt,
        hedge,
        budget,
      }
      begin(next, inner).then(
        (value) => {
          end()
          resolve(value)
        },
        (error) => {
          end()
          reject(error)
        },
      )
    })
}

function tooLate(timeoutMs: number): ResilienceError {
  return new ResilienceError('TIMEOUT', `the call was given up after ${timeoutMs} ms`)
}
