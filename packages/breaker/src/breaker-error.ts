// The error of wrong use. Its `code` is stable: programs switch on the code, people read the
// message, which names the option, what was given, what is allowed and how to mend it. A call that
// is refused is no wrong use: see breaker-open-error.ts.

/** What a {@link BreakerError} can be about. */
export type BreakerErrorCode = 'INVALID_OPTION' | 'INVALID_SNAPSHOT' | 'ISOLATED'

/**
 * A breaker that was set up or used wrongly.
 *
 * | code | when |
 * |---|---|
 * | INVALID_OPTION | an option or argument is out of its range; `option` names it |
 * | INVALID_SNAPSHOT | what `restore` was given is no snapshot; `option` names the field |
 * | ISOLATED | `restore` while the breaker is isolated |
 *
 * @example
 * try {
 *   consecutive(0)
 * } catch (error) {
 *   error instanceof BreakerError && error.code // → 'INVALID_OPTION'
 * }
 */
export class BreakerError extends Error {
  override readonly name: string = 'BreakerError'
  /** Stable name of what went wrong. */
  readonly code: BreakerErrorCode
  /** The option or field at fault, undefined where there is none. */
  readonly option: string | undefined

  constructor(code: BreakerErrorCode, message: string, option?: string) {
    super(message)
    this.code = code
    this.option = option
  }
}

/** Throws INVALID_OPTION unless the option is an integer of the range. */
export function requireInteger(option: string, given: number, least: number, most: number): number {
  if (Number.isInteger(given) && given >= least && given <= most) return given
  refuse(option, `an integer from ${least} to ${most.toLocaleString('en-US')}`, given)
}

/** Throws INVALID_OPTION unless the option is a rate above 0 and up to 1. */
export function requireRate(option: string, given: number): number {
  if (typeof given === 'number' && given > 0 && given <= 1) return given
  refuse(option, 'a rate above 0 and up to 1', given)
}

/** Throws INVALID_OPTION unless the option is a finite number of milliseconds above 0. */
export function requireDuration(option: string, given: number): number {
  if (Number.isFinite(given) && given > 0) return given
  refuse(option, 'a finite number of milliseconds above 0', given)
}

/** Throws INVALID_OPTION unless the option is a finite number of the range. */
export function requireNumber(option: string, given: number, least: number, most?: number): number {
  if (Number.isFinite(given) && given >= least && !(given > (most ?? Infinity))) return given
  const range = most === undefined ? `of at least ${least}` : `from ${least} to ${most}`
  refuse(option, `a finite number ${range}`, given)
}

/** Throws INVALID_OPTION unless the option is a function. */
export function requireFunction<F>(option: string, given: F): F {
  if (typeof given === 'function') return given
  refuse(option, 'a function', given)
}

/** Throws INVALID_OPTION: `option` must be `allowed`. */
export function refuse(option: string, allowed: string, given: unknown): never {
  const message = `${option} must be ${allowed}, got ${describe(given)}`
  throw new BreakerError('INVALID_OPTION', message, option)
}

/** A value as a message shows it: short, and with its type where that is the mistake. */
export function describe(given: unknown): string {
  if (typeof given === 'string') {
    return given.length > 60 ? `a string of ${given.length} characters` : JSON.stringify(given)
  }
  if (typeof given === 'bigint') return `${given}n`
  if (typeof given === 'object' && given !== null) return 'an object'
  return typeof given === 'function' ? 'a function' : String(given)
}
