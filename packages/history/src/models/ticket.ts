// A ticket dispenser: fetch-and-add. Each `take` returns the next number; a take of unknown outcome
// may have used one up. With gaps allowed, each must only be greater than all taken before it.

import type { Model } from '../model.ts'

/**
 * A ticket dispenser: `take` with the result n.
 *
 * @param options `first`: the first number, default 1; `gaps`: numbers may be skipped (a server
 *   that hands out segments), default false.
 * @example
 * // Ann took 1, Bob took 3.
 * checkLinearizable(numbers, ticket()).ok // → false
 * checkLinearizable(numbers, ticket({ gaps: true })).ok // → true
 */
export function ticket(
  options: { readonly first?: number; readonly gaps?: boolean } = {},
): Model<number> {
  const { first = 1, gaps = false } = options
  return {
    name: 'ticket',
    operations: ['take'],
    init: () => first,
    step: (next, { outcome, result }) => {
      if (outcome !== 'ok') return gaps ? next : next + 1
      const isNext = gaps ? (result as number) >= next : result === next
      return isNext ? (result as number) + 1 : undefined
    },
    isTooLate: (next, { result }) => (result as number) < next,
    ignoresProcess: true,
    key: (next) => next,
    complaint: ({ outcome, result }) =>
      outcome === 'ok' && typeof result !== 'number' ? 'result must be a number' : undefined,
  }
}
