// A case of a conformance kit: a name that says the rule, and a run that throws where it is broken.
// For any test runner: `test(name, run)`. Values are compared as an engine's user sees them: 1 and
// 1n are the same number, the order of a row's columns does not matter.

import type { ShardErrorCode } from '../shard-error.ts'
import { sleep, type Timers } from '../timers.ts'

/** One rule, to be run as one test. */
export interface ConformanceCase {
  /** The rule, as a sentence. */
  readonly name: string
  /** Rejects with a {@link ConformanceFailure} if the rule is broken. */
  run(): Promise<void>
}

/**
 * A rule that was broken.
 *
 * @example
 * const [{ name, run }] = engineConformance({ open })
 * await run().catch((error) => {
 *   if (!(error instanceof ConformanceFailure)) throw error
 *   console.error(name, error.message)
 * })
 */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure'
}

/** Throws, naming the rule, unless the condition holds. */
export function demand(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new ConformanceFailure(`broken: ${rule}`)
}

/** Throws, naming the rule and showing both, unless they are equal. */
export function demandSame(found: unknown, expected: unknown, rule: string): void {
  const [is, should] = [show(found), show(expected)]
  if (is !== should) {
    throw new ConformanceFailure(`broken: ${rule}\n  found    ${is}\n  expected ${should}`)
  }
}

/** The error a promise rejects with; throws, naming the rule, if it resolves. */
export async function demandRefusal(attempt: () => unknown, rule: string): Promise<unknown> {
  let given: unknown
  try {
    given = await attempt()
  } catch (error) {
    return error
  }
  throw new ConformanceFailure(`broken: ${rule}\n  it resolved to ${show(given)}`)
}

/** As `demandRefusal`, with an error of that code, which it gives. */
export async function demandCode(
  attempt: () => unknown,
  code: ShardErrorCode,
  rule: string,
): Promise<Partial<Record<'shard' | 'slot' | 'epoch', unknown>>> {
  const error = await demandRefusal(attempt, rule)
  const found = error instanceof Error && 'code' in error ? error.code : undefined
  if (found === code) return error as object
  throw new ConformanceFailure(`broken: ${rule}\n  expected the code ${code}, found ${error}`, {
    cause: error,
  })
}

/** Whether the promise settles within that time. */
export async function settlesWithin(
  promise: Promise<unknown>,
  timers: Timers,
  ms: number,
): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  )
  const control = new AbortController()
  const late = sleep(timers, ms, control.signal).then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    // A timer left running would keep the process of a test runner alive.
    control.abort()
  }
}

/** A value as text, equal for what counts as equal. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (value instanceof Uint8Array) return `bytes(${value.join(' ')})`
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{ ${entries.map(([key, one]) => `${key}: ${show(one)}`).join(', ')} }`
}
