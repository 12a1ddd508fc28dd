// The one error class of this package. Its `code` is stable: programs switch on the code, people
// read the message, which names what was given, what is allowed and how to mend it.

/** What a {@link ResilienceError} can be about. */
export type ResilienceErrorCode = 'TIMEOUT' | 'BULKHEAD_FULL' | 'HEDGE_LOST' | 'INVALID_OPTION'

/**
 * What a policy itself has to say. Errors of the call, and the reason with which a caller aborts,
 * pass through every policy unchanged.
 *
 * | code | when |
 * |---|---|
 * | TIMEOUT | the call took longer than its {@link timeout}; also the reason of its signal |
 * | BULKHEAD_FULL | all places of a {@link bulkhead} and of its queue were taken |
 * | HEDGE_LOST | only as the reason of a signal: the other try of a {@link hedge} was faster |
 * | INVALID_OPTION | an option is out of range; thrown when the policy is made |
 *
 * @example
 * try {
 *   await timeout(100)(({ signal }) => fetchCity(id, signal))
 * } catch (error) {
 *   if (error instanceof ResilienceError && error.code === 'TIMEOUT') return cached
 *   throw error
 * }
 */
export class ResilienceError extends Error {
  override readonly name: string = 'ResilienceError'
  /** Stable name of what happened. */
  readonly code: ResilienceErrorCode

  constructor(code: ResilienceErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Throws INVALID_OPTION unless the option is an integer of at least `least`, or Infinity. */
export function requireCount(name: string, given: number, least: number): number {
  if ((Number.isInteger(given) || given === Infinity) && given >= least) return given
  const rule = `${name} must be an integer of at least ${least}, or Infinity`
  throw new ResilienceError('INVALID_OPTION', `${rule}, got ${describe(given)}`)
}

/** Throws INVALID_OPTION unless the option is a number from `least` to `most`. */
export function requireNumber(name: string, given: number, least: number, most: number): number {
  if (typeof given === 'number' && given >= least && given <= most) return given
  const rule = `${name} must be a number from ${least} to ${most}`
  throw new ResilienceError('INVALID_OPTION', `${rule}, got ${describe(given)}`)
}

/** Throws INVALID_OPTION unless the option is a function. */
export function requireFunction<F>(name: string, given: F): F {
  if (typeof given === 'function') return given
  const rule = `${name} must be a function`
  throw new ResilienceError('INVALID_OPTION', `${rule}, got ${describe(given)}`)
}

function describe(given: unknown): string {
  if (typeof given === 'string') return JSON.stringify(given.slice(0, 60))
  if (typeof given === 'bigint') return `${given}n`
  if (typeof given === 'object' && given !== null) return 'an object'
  return typeof given === 'function' ? 'a function' : String(given)
}
