// What the shortener refuses, with a stable code. `retryAfterMs` is there exactly when the same
// request can succeed later; whether a refused change took effect is then unknown, and a request
// with an Idempotency-Key finds out by being sent again.

import { BreakerOpenError, BreakerTimeoutError } from '@ashlar/breaker'
import { IdError } from '@ashlar/id'
import { ShardError } from '@ashlar/shard'

/** What a {@link ShortenerError} can be about. */
export type ShortenerErrorCode =
  | 'INVALID_URL'
  | 'INVALID_AFTER'
  | 'INVALID_REQUEST_KEY'
  | 'REQUEST_REUSED'
  | 'SHARD_UNAVAILABLE'
  | 'SHARD_MOVING'
  | 'SHARD_BUSY'
  | 'NO_ID'

/** A request that was not carried out, as far as is known. */
export class ShortenerError extends Error {
  override readonly name = 'ShortenerError'
  readonly code: ShortenerErrorCode
  /** When to try again; undefined where that is no help. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: ShortenerErrorCode,
    message: string,
    { retryAfterMs, cause }: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

const SOON_MS = 1_000

/** What shards refuse for a while, in the shortener's own terms. */
const PASSING: Readonly<Record<string, readonly [code: ShortenerErrorCode, message: string]>> = {
  SHARD_FROZEN: ['SHARD_MOVING', 'this link is moving to another shard'],
  SHARD_MOVED: ['SHARD_MOVING', 'this link is moving to another shard'],
  STALE_EPOCH: ['SHARD_MOVING', 'this link is moving to another shard'],
  ROLLED_BACK: ['SHARD_BUSY', 'others are changing this link just now'],
  UNREACHABLE: ['SHARD_UNAVAILABLE', 'the shard of this link does not answer'],
  CLOSED: ['SHARD_UNAVAILABLE', 'this server is shutting down'],
}

/** The error in the shortener's own terms; what nobody expects stays as it is. */
export function refusalOf(error: unknown): unknown {
  const cause = error
  if (error instanceof BreakerOpenError || error instanceof BreakerTimeoutError) {
    const openMs = 'retryAfterMs' in error ? error.retryAfterMs : 0
    const retryAfterMs = Math.min(Math.max(openMs, SOON_MS), 60_000)
    const message = 'the shard of this link has trouble'
    return new ShortenerError('SHARD_UNAVAILABLE', message, { retryAfterMs, cause })
  }
  if (error instanceof IdError && error.code === 'INVALID_ID') {
    return new ShortenerError('INVALID_AFTER', 'after is the id of a link', { cause })
  }
  if (error instanceof IdError) {
    const options = { retryAfterMs: error.waitMs ?? SOON_MS, cause }
    return new ShortenerError('NO_ID', 'this server can give no id for the moment', options)
  }
  const [code, message] = (error instanceof ShardError && PASSING[error.code]) || []
  if (code === undefined) return error
  return new ShortenerError(code, message!, { retryAfterMs: SOON_MS, cause })
}

/** Whether it tells of a shard that is ill, for its breaker: one that moves, or refuses, is not. */
export function isIllness(error: unknown): boolean {
  if (error instanceof BreakerTimeoutError) return true
  return error instanceof ShardError && error.code === 'UNREACHABLE'
}
