// Uniqueness: whatever was given out was given out once. An `ok` gives out its result, or each
// element of it where it is an array (a batch); no result, or null, is no id. Operations of unknown
// outcome gave nothing to anybody, so there is nothing of theirs to compare.

import type { HistoryEvent } from './history-event.ts'
import { type Operation, operationsOf } from './operation.ts'
import { valueKey } from './value-key.ts'
import { named, type Verdict, type Violation, verdict, violation } from './verdict.ts'

/** Options of {@link checkUnique}. */
export interface UniqueOptions {
  /** Which operations give out ids; default all. */
  readonly f?: string
  /** Whether ids of different keys may be equal, each key a sequence of its own; default true. */
  readonly perKey?: boolean
}

/**
 * Judges whether no id was given out twice. A violation has the kind `duplicate-id` and the two
 * operations that got the same id (or the one that got it twice in its batch); the third and later
 * ones are each shown with the first.
 *
 * Time O(ids).
 *
 * @throws {HistoryError} for a malformed history.
 * @example
 * checkUnique(history, { f: 'take' }).ok
 */
export function checkUnique(
  history: readonly HistoryEvent[],
  options: UniqueOptions = {},
): Verdict {
  const { f, perKey = true } = options
  const giving = operationsOf(history).filter((operation) => {
    return operation.outcome === 'ok' && (f === undefined || operation.f === f)
  })
  const owners = new Map<string | undefined, Map<string | number, Operation>>()
  const violations: Violation[] = []
  for (const operation of giving) {
    const scope = perKey ? operation.key : undefined
    const owned = owners.get(scope) ?? new Map<string | number, Operation>()
    owners.set(scope, owned)
    const { result } = operation
    for (const id of Array.isArray(result) ? (result as unknown[]) : [result]) {
      if ((id ?? null) === null) continue
      const key = valueKey(id)
      const owner = owned.get(key)
      if (owner === undefined) owned.set(key, operation)
      else violations.push(duplicate(id, owner, operation))
    }
  }
  return verdict(giving.length, violations)
}

function duplicate(id: unknown, owner: Operation, operation: Operation): Violation {
  const owners = `${named(owner)} and by ${named(operation)}`
  const message = `${JSON.stringify(id)} was given out by ${owners}`
  return violation('duplicate-id', message, [owner, operation])
}
