// What a call gets that did not settle within its `timeoutMs`. It counts once, as this error; what
// the function gives later is ignored. The name is the one that AbortSignal.timeout uses, so that
// programs need to know only one.

/**
 * A call that took longer than its `timeoutMs`; also the reason of the signal it was given.
 *
 * @example
 * try {
 *   await breaker.run(() => charge(order), { timeoutMs: 2_000 })
 * } catch (error) {
 *   if (error instanceof BreakerTimeoutError) console.log('slow', error.timeoutMs)
 * }
 */
export class BreakerTimeoutError extends Error {
  override readonly name: string = 'TimeoutError'
  readonly code = 'BREAKER_TIMEOUT'
  readonly timeoutMs: number
  /** The name of the breaker, '' if it has none. */
  readonly breaker: string

  constructor(breaker: string, timeoutMs: number) {
    super(`the call through breaker ${JSON.stringify(breaker)} took longer than ${timeoutMs} ms`)
    this.timeoutMs = timeoutMs
    this.breaker = breaker
  }
}
