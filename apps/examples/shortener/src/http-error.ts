// From errors to answers: which status, which code, and when to come back.

import type { OutgoingHttpHeaders } from 'node:http'
import { PlanConflict } from '@ashlar/shard'
import { ShortenerError, type ShortenerErrorCode } from './shortener-error.ts'

/** A request that is answered with an error. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string
  readonly headers: OutgoingHttpHeaders

  constructor(status: number, code: string, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** The others can be tried again later: 503. */
const STATUS: Partial<Record<ShortenerErrorCode, number>> = {
  INVALID_URL: 400,
  INVALID_AFTER: 400,
  INVALID_REQUEST_KEY: 400,
  REQUEST_REUSED: 422,
}

/** The answer to a request that failed so; what nobody expected is a 500 that tells nothing. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof ShortenerError) {
    const { code, message, retryAfterMs } = error
    // Whole seconds, rounded up: that is all that the header can say.
    const retryAfter = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1_000))
    const headers = retryAfterMs === undefined ? {} : { 'retry-after': String(retryAfter) }
    return new HttpError(STATUS[code] ?? 503, code, message, headers)
  }
  if (error instanceof PlanConflict) return new HttpError(409, error.code, error.message)
  return new HttpError(500, 'INTERNAL', 'something went wrong here; it has been logged')
}
