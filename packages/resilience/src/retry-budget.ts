// How much trying again a service can bear: retries are granted up to a share of the calls of the
// last window, so that callers who all fail at once do not multiply the load that broke it.
//
//   bucket   0 … 9 full        10 (now)       each a tenth of the window
//   retries  ├────────────────────────┤       at least the window: never counted too few
//   calls       ├─────────────────────┤       at most the window: never counted too many
//
// So whenever a retry is granted, retries ≤ max(minRetries, rate · calls) in the exact window
// before. Calls need no clock: one that is filed under an older bucket only expires sooner.
// After the retry budget of Finagle, with the window of Google's SRE book, chapter 21.

import { ResilienceError, requireCount, requireNumber } from './resilience-error.ts'

/** How much a {@link RetryBudget} grants. */
export interface RetryBudgetOptions {
  /** Retries for each call, from 0 to 1; default 0.2. */
  readonly rate?: number
  /** Retries in a window that are granted however few calls there are; default 3. */
  readonly minRetries?: number
  /** Length of the sliding window; default 10,000. */
  readonly windowMs?: number
  /** Elapsed milliseconds that never go back; default `performance.now`. */
  readonly monotonic?: () => number
}

/** What a budget has seen in its window, and how much it refused in all. */
export interface RetryBudgetCounts {
  readonly calls: number
  readonly retries: number
  /** Retries that were refused so far. */
  readonly refused: number
}

/** A window is this many buckets, and the one that is being filled. */
const BUCKETS = 10
/** The clock is read once in so many calls, and for every retry that is asked for. */
const CALLS_PER_READING = 16

/**
 * A share of calls that may be tried again, for all who call one service: give the same budget to
 * every {@link retry} and {@link hedge} around it. No timer; O(1) a call.
 *
 * @example
 * const budget = new RetryBudget()
 * const read = pipe(retry({ budget }), timeout(500))
 * const write = pipe(retry({ budget, attempts: 2 }), timeout(2_000))
 */
export class RetryBudget {
  readonly #rate: number
  readonly #minRetries: number
  readonly #bucketMs: number
  readonly #monotonic: () => number
  readonly #calls = new Float64Array(BUCKETS + 1)
  readonly #retries = new Float64Array(BUCKETS + 1)
  #startMs: number
  /** The bucket that is being filled, as a number that only grows. */
  #bucket = 0
  #callsUntilReading = CALLS_PER_READING
  #callsInWindow = 0
  #retriesInWindow = 0
  #refused = 0

  /** @throws ResilienceError INVALID_OPTION. */
  constructor(options: RetryBudgetOptions = {}) {
    const { rate = 0.2, minRetries = 3, windowMs = 10_000 } = options
    this.#rate = requireNumber('rate', rate, 0, 1)
    this.#minRetries = requireCount('minRetries', minRetries, 0)
    this.#bucketMs = requireNumber('windowMs', windowMs, 1, Number.MAX_SAFE_INTEGER) / BUCKETS
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#startMs = this.#read()
  }

  /** Counts a call; its retries are asked for with {@link tryRetry} and not counted here. */
  recordCall(): void {
    this.#calls[this.#bucket % (BUCKETS + 1)]! += 1
    this.#callsInWindow++
    if (--this.#callsUntilReading === 0) this.#advance()
  }

  /** Takes one retry out of the budget; false if there is none. */
  tryRetry(): boolean {
    this.#advance()
    const { calls } = this.#inWindow()
    if (this.#retriesInWindow + 1 > Math.max(this.#minRetries, this.#rate * calls)) {
      this.#refused++
      return false
    }
    this.#retries[this.#bucket % (BUCKETS + 1)]! += 1
    this.#retriesInWindow++
    return true
  }

  /** What the window holds now. */
  counts(): RetryBudgetCounts {
    this.#advance()
    return { ...this.#inWindow(), refused: this.#refused }
  }

  /** The oldest bucket may reach beyond the window, so its calls no longer count. */
  #inWindow(): { calls: number; retries: number } {
    const oldest = this.#calls[(this.#bucket + 1) % (BUCKETS + 1)]!
    return { calls: this.#callsInWindow - oldest, retries: this.#retriesInWindow }
  }

  /** Empties the buckets that time has passed over. */
  #advance(): void {
    this.#callsUntilReading = CALLS_PER_READING
    const now = Math.floor((this.#read() - this.#startMs) / this.#bucketMs)
    const passed = Math.min(now - this.#bucket, BUCKETS + 1)
    for (let i = 1; i <= passed; i++) {
      const at = (this.#bucket + i) % (BUCKETS + 1)
      this.#callsInWindow -= this.#calls[at]!
      this.#retriesInWindow -= this.#retries[at]!
      this.#calls[at] = 0
      this.#retries[at] = 0
    }
    if (now > this.#bucket) this.#bucket = now
  }

  #read(): number {
    const nowMs = this.#monotonic()
    if (Number.isFinite(nowMs)) return nowMs
    const rule = 'monotonic must return a finite number of milliseconds'
    throw new ResilienceError('INVALID_OPTION', `${rule}, got ${String(nowMs)}`)
  }
}
