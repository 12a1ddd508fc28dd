// An answer of second choice. A caller who aborted wants none, so the abort passes through.

import { begin, type CallContext, type Policy } from './policy.ts'
import { requireFunction } from './resilience-error.ts'

/** When {@link fallback} answers. */
export interface FallbackOptions {
  /** Which errors it answers; the others pass through. Default all. */
  readonly when?: (error: unknown) => boolean
}

/**
 * Answers failed calls with what `answer` returns for the error. If `answer` throws or rejects,
 * so does the call. A call whose caller has aborted is not answered.
 *
 * @throws ResilienceError INVALID_OPTION.
 * @example
 * const policy = fallback(() => ({ cities: cache.get(key), isStale: true }))
 */
export function fallback<Answer>(
  answer: (error: unknown, ctx: CallContext) => Answer | PromiseLike<Answer>,
  { when = () => true }: FallbackOptions = {},
): Policy<Answer> {
  requireFunction('answer', answer)
  requireFunction('when', when)
  return (next, ctx = {}) => {
    if (ctx.signal?.aborted) return Promise.reject(ctx.signal.reason)
    return begin(next, ctx).then(undefined, (error: unknown) => {
      if (ctx.signal?.aborted || !when(error)) throw error
      return answer(error, ctx)
    })
  }
}
