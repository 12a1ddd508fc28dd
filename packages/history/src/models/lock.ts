// A lock that one process at a time holds. `acquire` is legal when nobody holds it, `release` only
// by its holder; the lock is not re-entrant. Record a try that did not get it as `fail`.

import type { Model } from '../model.ts'

/**
 * A lock, free at first: `acquire` and `release`, by the process of the operation.
 *
 * @example
 * // Ann and Bob both have the lock, and neither has released it.
 * checkLinearizable(acquisitions, lock()).ok // → false
 */
export function lock(): Model<string | null> {
  return {
    name: 'lock',
    operations: ['acquire', 'release'],
    init: () => null,
    step: (holder, { f, process }) => {
      if (f === 'acquire') return holder === null ? process : undefined
      return holder === process ? null : undefined
    },
    key: (holder) => (holder === null ? 0 : holder),
  }
}
