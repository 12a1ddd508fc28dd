// The one error class of this package. Its `code` is stable: programs switch on the code, people
// read the message, which names the argument, what was given, what is allowed and how to mend it.
// Built only when thrown.

/** What a {@link ClockError} can be about. */
export type ClockErrorCode =
  | 'INVALID_ID'
  | 'INVALID_COUNTER'
  | 'DRIFT'
  | 'FUTURE_CONTEXT'
  | 'BUFFER_FULL'
  | 'INVALID_BYTES'
  | 'NOT_STABLE'

/**
 * A refusal of this package; what was refused left no trace in the object that refused it.
 *
 * - `INVALID_ID`: a replica id that is not a well-formed string, or is given twice.
 * - `INVALID_COUNTER`: not a safe integer ≥ 0, out of the range of its field, or an overflow.
 * - `DRIFT`: a remote timestamp too far in the future; `driftMs` says how far.
 * - `FUTURE_CONTEXT`: somebody knows more of a replica's own events than the replica itself.
 * - `BUFFER_FULL`: a causal buffer holds as many waiting messages as it may.
 * - `INVALID_BYTES`: bytes or text that this package did not write, or that were altered.
 * - `NOT_STABLE`: not everybody has seen it yet.
 *
 * @example
 * try {
 *   clock.receive(stamp)
 * } catch (error) {
 *   if (error instanceof ClockError && error.code === 'DRIFT') console.log(error.driftMs)
 * }
 */
export class ClockError extends Error {
  override readonly name: string = 'ClockError'
  /** Stable name of what went wrong. */
  readonly code: ClockErrorCode
  /** With `DRIFT`: how far ahead of this machine's clock the timestamp is, in milliseconds. */
  readonly driftMs: number | undefined

  constructor(
    code: ClockErrorCode,
    message: string,
    { driftMs, cause }: { driftMs?: number; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.driftMs = driftMs
  }
}

/** A value as a message shows it: short, on one line. */
export function show(given: unknown): string {
  if (typeof given === 'string') {
    return JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}…` : given)
  }
  if (typeof given === 'bigint') return `${given}n`
  if (typeof given === 'function') return 'a function'
  if (typeof given === 'object' && given !== null) return Object.prototype.toString.call(given)
  return String(given)
}
