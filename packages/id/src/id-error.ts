// The one error class of this package. Its `code` is stable: programs switch on the code, people
// read the message, which names what was given, what is allowed and how to mend it. `waitMs` is
// there exactly when the same call can succeed after waiting. Built only when thrown.

/** What an {@link IdError} can be about. */
export type IdErrorCode =
  | 'CLOCK_BACKWARDS'
  | 'SEQUENCE_EXHAUSTED'
  | 'EPOCH_OVERFLOW'
  | 'BEFORE_EPOCH'
  | 'LEASE_LOST'
  | 'INVALID_LAYOUT'
  | 'INVALID_WORKER'
  | 'INVALID_ID'
  | 'INVALID_OPTION'
  | 'NOT_READY'
  | 'STORE_UNAVAILABLE'

/**
 * What went wrong while making or reading an id.
 *
 * | code | when |
 * |---|---|
 * | CLOCK_BACKWARDS | the clock is behind its highest reading by more than `maxHoldMs` |
 * | SEQUENCE_EXHAUSTED | ids are asked for faster than the layout holds, past `maxLeadMs` |
 * | EPOCH_OVERFLOW | the time field is full |
 * | BEFORE_EPOCH | the clock reads a time before the layout's epoch |
 * | LEASE_LOST | the tick lies outside the lease, or the lease is closed |
 * | INVALID_LAYOUT | a layout does not add up, or cannot give the output asked for |
 * | INVALID_WORKER | a worker or datacenter id is out of range |
 * | INVALID_ID | a text, number or part of an id is not one |
 * | INVALID_OPTION | another option is out of range |
 * | NOT_READY | nothing is there yet: no segment, no free worker id, no reserved ticks |
 * | STORE_UNAVAILABLE | the store failed or is closed |
 *
 * @example
 * try {
 *   ids.next()
 * } catch (error) {
 *   if (error instanceof IdError && error.waitMs !== undefined) await sleep(error.waitMs)
 * }
 */
export class IdError extends Error {
  override readonly name: string = 'IdError'
  /** Stable name of what went wrong. */
  readonly code: IdErrorCode
  /** After how many milliseconds the same call can succeed; undefined where waiting is no help. */
  readonly waitMs: number | undefined

  constructor(
    code: IdErrorCode,
    message: string,
    options?: { readonly waitMs?: number | undefined; readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.waitMs = options?.waitMs
  }
}

/** Throws INVALID_OPTION unless the option is an integer of the range. */
export function requireInteger(
  name: string,
  given: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(given) && given >= least && given <= most) return given
  throw new IdError(
    'INVALID_OPTION',
    `${name} must be an integer from ${least} to ${most}, got ${describe(given)}`,
  )
}

/** Throws INVALID_OPTION unless the option is a number of at least `least`; Infinity may pass. */
export function requireAtLeast(name: string, given: number, least: number): number {
  if (typeof given === 'number' && given >= least) return given
  throw new IdError(
    'INVALID_OPTION',
    `${name} must be a number of at least ${least}, got ${describe(given)}`,
  )
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
