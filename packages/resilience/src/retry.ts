// Tries again what failed, later each time and at a random moment, as long as the budget lasts.
//
//   failure n  →  wait  retryAfterMs + random · min(maxDelayMs, baseDelayMs · 2^(n−1))  →  n + 1
//
// That is the "full jitter" of Brooker, Exponential Backoff And Jitter (AWS, 2015): of the ways to
// spread retries it needs the fewest calls. What `retryAfterMs` asks for is kept in full, since to
// come sooner is to fail again.

import { begin, type Call, type CallContext, type Policy } from './policy.ts'
import { requireCount, requireFunction, requireNumber } from './resilience-error.ts'
import { RetryBudget } from './retry-budget.ts'
import { MAX_DELAY_MS, platformTimers, sleep, type Timers } from './timers.ts'

/** What {@link retry} tries again, how often and when. */
export interface RetryOptions {
  /** How many attempts a call gets, the first included; default 3. */
  readonly attempts?: number
  /** Upper bound of the wait before the first retry; doubles with each; default 100. */
  readonly baseDelayMs?: number
  /** Upper bound of every such wait, and of a `retryAfterMs` worth waiting for; default 10,000. */
  readonly maxDelayMs?: number
  /** Asked once for every failed attempt but the last; default: every error is. */
  readonly retryable?: (error: unknown, attempt: number) => boolean
  /** Shared by all who call the same service. Default one of its own; false for none. */
  readonly budget?: RetryBudget | false
  /** A number in [0, 1); default `Math.random`. */
  readonly random?: () => number
  /** For the budget, if it is its own; default `performance.now`. */
  readonly monotonic?: () => number
  /** Default: the platform's. */
  readonly timers?: Timers
}

/**
 * Tries a failed call again. What it rejects with is the error of the last attempt itself, its
 * `cause` included, or the caller's reason as soon as the caller aborts between two attempts.
 *
 * An error with a number `retryAfterMs` (an open circuit breaker's, or yours, from a Retry-After
 * header) is tried again only after that time, and not at all if it is above `maxDelayMs`.
 *
 * @throws ResilienceError INVALID_OPTION.
 * @example
 * const policy = retry({ attempts: 4, retryable: (error) => error.status !== 404 })
 * const page = await policy(({ signal, attempt }) => load(url, { signal, attempt }))
 */
export function retry(options: RetryOptions = {}): Policy {
  const plan = planOf(options)
  const { budget } = plan
  return (next, ctx = {}) => {
    if (ctx.signal?.aborted) return Promise.reject(ctx.signal.reason)
    // A policy around this one that shares the budget has counted the call.
    if (budget !== undefined && ctx.budget !== budget) budget.recordCall()
    return begin(next, attemptOf(ctx, 1, budget)).then(undefined, (error: unknown) =>
      tryAgain(plan, next, ctx, error),
    )
  }
}

type Plan = Required<Omit<RetryOptions, 'budget' | 'monotonic'>> & {
  readonly budget: RetryBudget | undefined
}

function planOf(options: RetryOptions): Plan {
  const { attempts = 3, baseDelayMs = 100, maxDelayMs = 10_000 } = options
  const { retryable = () => true, budget, random = Math.random, monotonic } = options
  const ownBudget = () => new RetryBudget(monotonic === undefined ? {} : { monotonic })
  return {
    attempts: requireCount('attempts', attempts, 1),
    baseDelayMs: requireNumber('baseDelayMs', baseDelayMs, 0, MAX_DELAY_MS),
    maxDelayMs: requireNumber('maxDelayMs', maxDelayMs, 0, MAX_DELAY_MS >> 1),
    retryable: requireFunction('retryable', retryable),
    budget: budget === false ? undefined : (budget ?? ownBudget()),
    random: requireFunction('random', random),
    timers: options.timers ?? platformTimers,
  }
}

/** What follows the failure of the first attempt. */
async function tryAgain<T>(
  { attempts, retryable, budget, timers, ...plan }: Plan,
  next: Call<T>,
  ctx: CallContext,
  firstError: unknown,
): Promise<T> {
  let error = firstError
  for (let failed = 1; ; failed++) {
    ctx.signal?.throwIfAborted()
    if (failed >= attempts || !retryable(error, failed)) throw error
    const delayMs = delayAfter(failed, error, plan)
    if (delayMs === undefined || budget?.tryRetry() === false) throw error
    await sleep(timers, delayMs, ctx.signal)
    try {
      return await next(attemptOf(ctx, failed + 1, budget))
    } catch (later) {
      error = later
    }
  }
}

function attemptOf(
  { signal, hedge, budget: counted }: CallContext,
  attempt: number,
  budget = counted,
): CallContext {
  return { signal, attempt, hedge, budget }
}

/** How long to wait after so many failures; undefined if the service asks for too much. */
function delayAfter(
  failed: number,
  error: unknown,
  { baseDelayMs, maxDelayMs, random }: Pick<Plan, 'baseDelayMs' | 'maxDelayMs' | 'random'>,
): number | undefined {
  const asked = (error as { readonly retryAfterMs?: unknown } | null | undefined)?.retryAfterMs
  const leastMs = typeof asked === 'number' && asked > 0 ? asked : 0
  if (leastMs > maxDelayMs) return undefined
  return leastMs + random() * Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failed - 1, 31))
}
