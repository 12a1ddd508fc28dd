/**
 * Thrown by every part of this package on bad input.
 *
 * `code` is stable and is what a program should look at; the message says what was given, what
 * is allowed and how to mend it.
 *
 * @example
 * try {
 *   new HashRing(['cache-1', 'cache-1'])
 * } catch (error) {
 *   error instanceof RingError && error.code // → 'ERR_RING_DUPLICATE_ID'
 * }
 */
export class RingError extends Error {
  override readonly name = 'RingError'
  readonly code: RingErrorCode

  constructor(code: RingErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What went wrong, see {@link RingError}. */
export type RingErrorCode =
  | 'ERR_RING_ID'
  | 'ERR_RING_DUPLICATE_ID'
  | 'ERR_RING_UNKNOWN_ID'
  | 'ERR_RING_WEIGHT'
  | 'ERR_RING_OPTION'
  | 'ERR_RING_COUNT'
  | 'ERR_RING_KEY'
  | 'ERR_RING_FORMAT'
  | 'ERR_RING_INCOMPATIBLE'
