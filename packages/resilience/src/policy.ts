// What everything here is made of: a policy is a function that makes a call in its own way. It is
// given the call and what the call may want to know, and returns one promise of the outcome:
//
//   policy(next, ctx)  →  next(ctx), perhaps later, never, again, or twice  →  Promise
//
// So policies nest like any functions, and one of your own is three lines.

import type { RetryBudget } from './retry-budget.ts'

/** What a call is told by the policies around it; each hands on what it does not change. */
export interface CallContext {
  /** Aborts when the outcome is no longer wanted; undefined if nothing around it ever aborts. */
  readonly signal?: AbortSignal | undefined
  /** 1 for the first attempt, 2 for the first retry; undefined where nothing retries. */
  readonly attempt?: number | undefined
  /** 0 for the first of hedged tries, 1 for the second; undefined where nothing hedges. */
  readonly hedge?: number | undefined
  /** The budget in which this call is counted already. */
  readonly budget?: RetryBudget | undefined
}

/** The work itself. It may throw, or return a promise, a thenable or a plain value. */
export type Call<T> = (ctx: CallContext) => T | PromiseLike<T>

/**
 * A way of making a call. `Answer` is the type of what it may return in place of the call's own
 * result, which only {@link fallback} does.
 *
 * @example
 * const logged: Policy = async (next, ctx = {}) => {
 *   console.log('attempt', ctx.attempt)
 *   return await next(ctx)
 * }
 */
export interface Policy<Answer = never> {
  <T>(next: Call<T>, ctx?: CallContext): Promise<T | Answer>
  /** Never there: from it `pipe` infers `Answer`, which no one can from a generic function. */
  readonly [ANSWER]?: () => Answer
}

declare const ANSWER: unique symbol

/** What a policy may return in place of the call's result; unknown if its type does not tell. */
export type AnswerOf<P> = P extends { readonly [ANSWER]?: () => infer Answer } ? Answer : unknown

/** Makes a call; whatever `next` does, the outcome is a promise, and `begin` never throws. */
export function begin<T>(next: Call<T>, ctx: CallContext): Promise<T> {
  try {
    return Promise.resolve(next(ctx))
  } catch (error) {
    return Promise.reject(error)
  }
}
