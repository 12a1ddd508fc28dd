// What a refused call gets. Refusing must be cheap where a service is down and everybody asks, and
// capturing a stack takes longer than all the rest: so there is none unless the breaker was told
// to capture it. `Error.stackTraceLimit` is the one switch that engines have for that. Name, code
// and message are read off the prototype, for the same reason: most refusals are never printed.

/**
 * A call that a breaker refused: the function was not called.
 *
 * @example
 * try {
 *   return await breaker.run(() => charge(order))
 * } catch (error) {
 *   if (error instanceof BreakerOpenError) return busy({ retryAfterMs: error.retryAfterMs })
 *   throw error
 * }
 */
export class BreakerOpenError extends Error {
  /**
   * After how many milliseconds a call may be admitted: the rest of the open time; 0 if half-open,
   * where that is up to the probes; Infinity if isolated.
   */
  readonly retryAfterMs: number
  /** The name of the breaker, '' if it has none. */
  readonly breaker: string

  constructor(breaker: string, retryAfterMs: number) {
    super()
    this.retryAfterMs = retryAfterMs
    this.breaker = breaker
  }

  override get name(): string {
    return 'BreakerOpenError'
  }

  get code(): 'BREAKER_OPEN' {
    return 'BREAKER_OPEN'
  }

  override get message(): string {
    return `breaker ${JSON.stringify(this.breaker)} admits no call: ${advice(this.retryAfterMs)}`
  }
}

/** The error with an empty stack trace, where the engine can leave it out. */
export function stacklessOpenError(breaker: string, retryAfterMs: number): BreakerOpenError {
  if (!isLimitWritable) return new BreakerOpenError(breaker, retryAfterMs)
  const limits = Error as { stackTraceLimit?: number | undefined }
  const limit = limits.stackTraceLimit
  limits.stackTraceLimit = 0
  const error = new BreakerOpenError(breaker, retryAfterMs)
  limits.stackTraceLimit = limit
  return error
}

// Other engines do not have it; in a hardened realm Error is frozen. Then errors have stacks.
const isLimitWritable = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable === true

function advice(retryAfterMs: number): string {
  if (retryAfterMs === Number.POSITIVE_INFINITY) return 'it is isolated'
  if (retryAfterMs === 0) return 'its probes are under way'
  return `it is open for ${Math.ceil(retryAfterMs)} ms more`
}
