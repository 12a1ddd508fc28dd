// What a breaker knows, to be kept across a restart. Versioned; only durations, since the instants
// of a monotonic clock mean nothing to another process. Holds do not travel: an isolated breaker
// leaves the snapshot of a closed one.

import { BreakerError, describe } from './breaker-error.ts'
import type { WindowSnapshot } from './call-memory.ts'

/** A breaker's knowledge, ready for JSON. */
export interface BreakerSnapshot {
  readonly version: 1
  readonly state: 'closed' | 'open' | 'half-open'
  /** How long it was to stay open; 0 unless `state` is 'open'. */
  readonly remainingMs: number
  readonly openings: number
  readonly generation: number
  /** What a closed breaker remembered; null where there was nothing. */
  readonly window: WindowSnapshot | null
}

/**
 * Checks what came from outside.
 *
 * @throws BreakerError INVALID_SNAPSHOT
 */
export function requireSnapshot(given: unknown): BreakerSnapshot {
  const snapshot = fieldsOf('snapshot', given)
  if (snapshot.version !== 1) fail('snapshot.version', '1', snapshot.version)
  if (!['closed', 'open', 'half-open'].includes(snapshot.state as string)) {
    fail('snapshot.state', "'closed', 'open' or 'half-open'", snapshot.state)
  }
  requireFinite('snapshot.remainingMs', snapshot.remainingMs, 0)
  requireCount('snapshot.openings', snapshot.openings)
  requireCount('snapshot.generation', snapshot.generation)
  if (snapshot.window !== null) requireWindow(snapshot.window)
  return given as BreakerSnapshot
}

function requireWindow(given: unknown): void {
  const held = fieldsOf('snapshot.window', given)
  if (held.kind === 'streak') {
    requireCount('snapshot.window.failures', held.failures)
  } else if (held.kind === 'count') {
    const { outcomes } = held
    if (typeof outcomes !== 'string' || !/^[0-3]*$/u.test(outcomes)) {
      fail('snapshot.window.outcomes', 'a string of the digits 0 to 3', outcomes)
    }
  } else if (held.kind === 'time') {
    if (!Array.isArray(held.buckets)) fail('snapshot.window.buckets', 'an array', held.buckets)
    for (const bucket of held.buckets) requireBucket(bucket)
  } else {
    fail('snapshot.window.kind', "'streak', 'count' or 'time'", held.kind)
  }
}

function requireBucket(given: unknown): void {
  const bucket = fieldsOf('snapshot.window.buckets', given)
  requireFinite('snapshot.window.buckets.ageMs', bucket.ageMs, Number.NEGATIVE_INFINITY)
  requireCount('snapshot.window.buckets.calls', bucket.calls)
  for (const part of ['failures', 'slowCalls']) {
    const field = `snapshot.window.buckets.${part}`
    requireCount(field, bucket[part])
    if (Number(bucket[part]) > Number(bucket.calls)) {
      fail(field, 'at most the calls of the bucket', bucket[part])
    }
  }
}

function fieldsOf(field: string, given: unknown): Record<string, unknown> {
  if (typeof given === 'object' && given !== null) return given as Record<string, unknown>
  return fail(field, 'an object', given)
}

function requireCount(field: string, given: unknown): void {
  if (!Number.isSafeInteger(given) || Number(given) < 0) {
    fail(field, 'a whole number of at least 0', given)
  }
}

function requireFinite(field: string, given: unknown, least: number): void {
  if (!Number.isFinite(given) || Number(given) < least) {
    fail(field, `a finite number of at least ${least}`, given)
  }
}

function fail(field: string, allowed: string, given: unknown): never {
  const message = `${field} must be ${allowed}, got ${describe(given)}`
  throw new BreakerError('INVALID_SNAPSHOT', message, field)
}
