// Against the long tail: a call that has not answered for a while is made a second time beside
// the first, the faster answer counts, and the slower call is aborted.
//
//   try 0 ├──────────────────────────────────✗ aborted
//   try 1          ├───────────── answer     delayMs after try 0
//
// After Dean and Barroso, The Tail at Scale (CACM 2013). For calls that may be made twice only.

import { LazyAbort } from './lazy-abort.ts'
import { begin, type Call, type CallContext, type Policy } from './policy.ts'
import { ResilienceError, requireCount, requireNumber } from './resilience-error.ts'
import type { RetryBudget } from './retry-budget.ts'
import { MAX_DELAY_MS, platformTimers, type Timers } from './timers.ts'

/** When {@link hedge} starts another try. */
export interface HedgeOptions {
  /**
   * How long a try may take before the next one starts beside it. A function is asked for every
   * try, and may return the 95th percentile of late: then one call in twenty is hedged. Undefined
   * or NaN (nothing measured yet) means no further try.
   */
  readonly delayMs: number | (() => number | undefined)
  /** How many tries run at once at most, the first included; default 2. */
  readonly tries?: number
  /** Further tries are taken out of it; share it with {@link retry}. Default none. */
  readonly budget?: RetryBudget
  /** Default: the platform's. */
  readonly timers?: Timers
}

/**
 * Starts a second try of a slow call and takes the first success. A failure while another try
 * runs waits for that one; when no try is left running, rejects with the last error: to try again
 * what failed is {@link retry}'s part. When the caller aborts, rejects at once with its reason.
 *
 * The signal of a try that lost is aborted with HEDGE_LOST. `ctx.hedge` numbers the tries, so
 * that the second can go to another replica.
 *
 * @throws ResilienceError INVALID_OPTION.
 * @example
 * const policy = hedge({ delayMs: () => latency.percentile(95), budget })
 * const row = await policy(({ signal, hedge }) => replicas[hedge].get(key, { signal }))
 */
export function hedge(options: HedgeOptions): Policy {
  const { delayMs, tries = 2, budget, timers = platformTimers } = options
  if (typeof delayMs !== 'function') requireNumber('delayMs', delayMs, 0, MAX_DELAY_MS)
  requireCount('tries', tries, 1)
  return (next, ctx = {}) => {
    if (ctx.signal?.aborted) return Promise.reject(ctx.signal.reason)
    if (budget !== undefined && ctx.budget !== budget) budget.recordCall()
    const settings = { delayMs, tries, budget, timers }
    return new Promise((resolve, reject) => {
      new HedgedCall(next, ctx, settings, { resolve, reject }).start()
    })
  }
}

type Settings = Required<Omit<HedgeOptions, 'budget'>> & {
  readonly budget: RetryBudget | undefined
}

interface Outcome<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** One call and its tries. */
class HedgedCall<T> {
  readonly #next: Call<T>
  readonly #ctx: CallContext
  readonly #settings: Settings
  readonly #outcome: Outcome<T>
  /** Of each try that was started, in order. */
  readonly #aborts: LazyAbort[] = []
  readonly #onAbort = (): void => this.#abandon(this.#ctx.signal?.reason)
  #running = 0
  #timer: unknown
  #isSettled = false

  constructor(next: Call<T>, ctx: CallContext, settings: Settings, outcome: Outcome<T>) {
    this.#next = next
    this.#ctx = ctx
    this.#settings = settings
    this.#outcome = outcome
  }

  start(): void {
    this.#ctx.signal?.addEventListener('abort', this.#onAbort)
    this.#try()
  }

  #try(): void {
    const abort = new LazyAbort()
    const inner = {
      get signal() {
        return abort.signal
      },
      attempt: this.#ctx.attempt,
      hedge: this.#aborts.length,
      budget: this.#settings.budget ?? this.#ctx.budget,
    }
    this.#aborts.push(abort)
    this.#running++
    begin(this.#next, inner).then(
      (value) => this.#win(abort, value),
      (error) => this.#lose(error),
    )
    this.#schedule()
  }

  /** The timer of the next try, if there may be one. */
  #schedule(): void {
    const { delayMs, tries, timers } = this.#settings
    if (this.#isSettled || this.#aborts.length >= tries) return
    const delay = typeof delayMs === 'function' ? this.#ask(delayMs) : delayMs
    if (delay === undefined || !(delay >= 0 && delay <= MAX_DELAY_MS)) return
    this.#timer = timers.setTimeout(() => {
      if (this.#settings.budget?.tryRetry() !== false) this.#try()
    }, delay)
  }

  /** A function of the user's that throws fails the call, as everything else in it does. */
  #ask(delayMs: () => number | undefined): number | undefined {
    try {
      return delayMs()
    } catch (error) {
      this.#abandon(error)
      return undefined
    }
  }

  #win(winner: LazyAbort, value: T): void {
    if (this.#isSettled) return
    this.#settle()
    this.#outcome.resolve(value)
    const others = this.#aborts.filter((abort) => abort !== winner)
    if (others.length === 0) return
    const reason = new ResilienceError('HEDGE_LOST', 'another try of this call was faster')
    for (const abort of others) abort.abort(reason)
  }

  #lose(error: unknown): void {
    this.#running--
    if (this.#isSettled || this.#running > 0) return
    this.#settle()
    this.#outcome.reject(error)
  }

  #abandon(reason: unknown): void {
    this.#settle()
    this.#outcome.reject(reason)
    for (const abort of this.#aborts) abort.abort(reason)
  }

  #settle(): void {
    this.#isSettled = true
    this.#settings.timers.clearTimeout(this.#timer)
    this.#ctx.signal?.removeEventListener('abort', this.#onAbort)
  }
}
