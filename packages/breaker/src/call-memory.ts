// What a breaker remembers of past calls, and the rule by which that makes it open. Three kinds:
// the calls of a time (recent-calls.ts), the last n calls (last-calls.ts), the failures in a row
// (failure-streak.ts). Windows only count; the rates are judged here, once for all.

/** How a call ended, as one bit for a failure and one for slowness. */
export const FAILED = 1
export const SLOW = 2

/** What calls amount to. */
export interface Tally {
  readonly calls: number
  readonly failures: number
  readonly slowCalls: number
}

/** Counts of the calls that are remembered. */
export interface CallMemory extends Tally {
  /** Whether `nowMs` means anything to it: where not, no clock needs to be read. */
  readonly isTimed: boolean
  /** Remembers a call that ended now: the bits {@link FAILED} and {@link SLOW}. */
  record(bits: number, nowMs: number): void
  /** Forgets what is too old. */
  advance(nowMs: number): void
  /** Forgets everything. */
  clear(): void
  /** What it holds, without absolute times; see snapshot.ts. */
  toSnapshot(nowMs: number): WindowSnapshot
  /** Takes what another window of the same kind held. */
  fromSnapshot(snapshot: WindowSnapshot, nowMs: number): void
}

/** What a window held, with ages instead of times. */
export type WindowSnapshot =
  | { readonly kind: 'streak'; readonly failures: number }
  /** One digit a call, oldest first: its bits are 1 for failed and 2 for slow. */
  | { readonly kind: 'count'; readonly outcomes: string }
  | { readonly kind: 'time'; readonly buckets: readonly BucketSnapshot[] }

/** The calls of one part of a time window; `ageMs` is that of its middle. */
export interface BucketSnapshot extends Tally {
  readonly ageMs: number
}

/** When what is remembered makes a breaker open. */
export interface TripRule {
  readonly minCalls: number
  readonly rate: number
  /** Above 1 where slowness does not count. */
  readonly slowRate: number
}

/** Why these counts make a breaker open, undefined if they do not. */
export function judge(tally: Tally, rule: TripRule): 'failures' | 'slow' | undefined {
  const { calls } = tally
  if (calls < rule.minCalls) return undefined
  if (tally.failures > 0 && reaches(tally.failures, calls, rule.rate)) return 'failures'
  if (tally.slowCalls > 0 && reaches(tally.slowCalls, calls, rule.slowRate)) return 'slow'
  return undefined
}

/** Whether `part` of `whole` is at least `rate`. */
export function reaches(part: number, whole: number, rate: number): boolean {
  // A quotient: 3 / 10 rounds to the very 0.3 that a person writes, 0.3 × 10 need not be 3.
  return part / whole >= rate
}
