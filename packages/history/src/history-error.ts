// The one error class of this package. Its `code` is stable: programs switch on the code, people
// read the message, which names the place, what was given and what is allowed. A broken promise of
// the system under test is never an error: it is a violation in a verdict.

/** What a {@link HistoryError} can be about. */
export type HistoryErrorCode =
  | 'ERR_HISTORY_LINE'
  | 'ERR_HISTORY_EVENT'
  | 'ERR_HISTORY_TYPE'
  | 'ERR_HISTORY_ID'
  | 'ERR_HISTORY_NO_INVOKE'
  | 'ERR_HISTORY_COMPLETED_TWICE'
  | 'ERR_HISTORY_MISMATCH'
  | 'ERR_HISTORY_TIME'
  | 'ERR_HISTORY_OVERLAP'
  | 'ERR_HISTORY_OPERATION'
  | 'ERR_HISTORY_VALUE'
  | 'ERR_HISTORY_VERSION'
  | 'ERR_HISTORY_OPTION'

/**
 * Thrown for a history or an option that cannot be judged.
 *
 * | code | what is wrong |
 * |---|---|
 * | `ERR_HISTORY_LINE` | a line is not a JSON object |
 * | `ERR_HISTORY_EVENT` | a field of an event is missing or of the wrong type |
 * | `ERR_HISTORY_TYPE` | `type` is none of invoke, ok, fail, info |
 * | `ERR_HISTORY_ID` | two operations have one id |
 * | `ERR_HISTORY_NO_INVOKE` | a completion without an invocation before it |
 * | `ERR_HISTORY_COMPLETED_TWICE` | two completions of one operation |
 * | `ERR_HISTORY_MISMATCH` | a completion names another process, `f` or key than its invocation |
 * | `ERR_HISTORY_TIME` | time goes back |
 * | `ERR_HISTORY_OVERLAP` | two operations at once in one process, where sessions are judged |
 * | `ERR_HISTORY_OPERATION` | an operation that the model or the checker does not know |
 * | `ERR_HISTORY_VALUE` | a value written twice where values tell writes apart |
 * | `ERR_HISTORY_VERSION` | versions on some operations of a key and not on others |
 * | `ERR_HISTORY_OPTION` | an option out of range |
 *
 * @example
 * try {
 *   parseHistory('not JSON')
 * } catch (error) {
 *   error instanceof HistoryError && error.code // → 'ERR_HISTORY_LINE'
 * }
 */
export class HistoryError extends Error {
  override readonly name: string = 'HistoryError'
  /** Stable name of what went wrong. */
  readonly code: HistoryErrorCode
  /** The line of the text it stands in, counted from 1, when a text was parsed. */
  readonly line: number | undefined

  constructor(code: HistoryErrorCode, message: string, line?: number) {
    super(message)
    this.code = code
    this.line = line
  }
}

/** A value as an error shows it: JSON, shortened. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  const text = typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
