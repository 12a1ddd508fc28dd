// What every checker answers. One shape for all, so that a test asks `verdict.ok` and prints
// `verdict.violations` whichever checker it ran.

import type { HistoryEvent } from './history-event.ts'
import { eventsOf, type Operation } from './operation.ts'

/** The answer of a checker. */
export interface Verdict {
  /** `unknown` when a search gave up before it could say; it then found no violation. */
  readonly ok: boolean | 'unknown'
  /** How many operations were judged: of a kind that the checker looks at, and not failed. */
  readonly operations: number
  readonly violations: readonly Violation[]
}

/** A broken promise, with the operations that show it. */
export interface Violation {
  /** Stable name, such as `not-linearizable` or `lost`; each checker lists its own. */
  readonly kind: string
  /** The object it concerns, where operations name one. */
  readonly key: string | undefined
  /** One sentence for a person. */
  readonly message: string
  /**
   * The events of the operations that show it, well-formed and in the order of the history: a
   * history for {@link drawTimeline}, and for the same checker.
   */
  readonly history: readonly HistoryEvent[]
  /** Whether no operation can be left out of `history`; false where a search for that gave up. */
  readonly isSmallest: boolean
}

/** Builds a violation from the operations that show it. */
export function violation(
  kind: string,
  message: string,
  operations: readonly Operation[],
): Violation {
  return { kind, key: operations[0]?.key, message, history: eventsOf(operations), isSmallest: true }
}

/** Builds the verdict of a checker that always decides. */
export function verdict(operations: number, violations: readonly Violation[]): Verdict {
  return { ok: violations.length === 0, operations, violations }
}

/** How messages name an operation: `write x 3 by a (id 7)`. */
export function named({ id, f, key, argument, outcome, result, process }: Operation): string {
  const values = [argument, outcome === 'ok' ? result : undefined]
    .filter((value) => value !== undefined && value !== null)
    .map((value) => JSON.stringify(value))
  const text = [f, key, values.join(' → ')].filter((part) => part !== undefined && part !== '')
  return `${text.join(' ')} by ${process} (id ${id})`
}
