// What a reader or a writer is told when the board cannot do what was asked.

export type BoardErrorCode =
  | 'BAD_POST'
  | 'BAD_REQUEST'
  | 'NOT_FOUND'
  | 'NOT_ALLOWED'
  | 'THREAD_FULL'
  | 'TOO_LARGE'
  | 'DATABASE_DOWN'

/** An error whose message may be shown to whoever asked. */
export class BoardError extends Error {
  readonly code: BoardErrorCode
  /** When it is worth to try again, if the database is down. */
  readonly retryAfterSeconds: number

  constructor(
    code: BoardErrorCode,
    message: string,
    { retryAfterMs = 0, ...options }: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options)
    this.name = 'BoardError'
    this.code = code
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  }
}
