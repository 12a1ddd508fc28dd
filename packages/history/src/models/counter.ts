// A counter: `add n` (1 if no argument is given) and `read`. An `add` whose ok carries a number
// promises that it is the count after adding.

import type { Model } from '../model.ts'
import type { Operation } from '../operation.ts'

/**
 * A counter: `add n`, and `read` with the result n.
 *
 * @param options `initial`: the count before the first operation; default 0.
 * @example
 * // Ann added 1 to 10, and Bob read 11.
 * checkLinearizable(additions, counter({ initial: 10 })).ok // → true
 * checkLinearizable(additions, counter()).ok // → false
 */
export function counter(options: { readonly initial?: number } = {}): Model<number> {
  const model: Model<number> = {
    name: 'counter',
    operations: ['add', 'read'],
    init: () => options.initial ?? 0,
    step: (count, operation) => {
      const next = count + amountOf(operation)
      return isChecked(operation) && operation.result !== next ? undefined : next
    },
    key: (count) => count,
    isRead: ({ f }) => f === 'read',
    ignoresProcess: true,
    complaint: ({ f, argument }) =>
      f === 'add' && typeof (argument ?? 1) !== 'number' ? 'argument must be a number' : undefined,
    // A count that only grows never comes back to what it was.
    specialize: (operations) =>
      operations.some((operation) => amountOf(operation) < 0) ? model : { ...model, isTooLate },
  }
  return model
}

function amountOf({ f, argument }: Operation): number {
  return f === 'add' ? ((argument ?? 1) as number) : 0
}

function isChecked({ f, outcome, result }: Operation): boolean {
  return outcome === 'ok' && (f === 'read' || (result ?? null) !== null)
}

function isTooLate(count: number, operation: Operation): boolean {
  return isChecked(operation) && (operation.result as number) < count + amountOf(operation)
}
