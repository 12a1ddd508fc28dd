// Sources of tickets made of sources of tickets. Together they are the form that Flickr made known:
// two databases, one counting 1, 3, 5, … and one 2, 4, 6, …, either of which may die.

import { IdError, requireInteger } from './id-error.ts'
import type { Master } from './step-sequence.ts'
import type { TicketFetch } from './ticket-store.ts'

/**
 * The numbers n of a source as `offset + n · step`, as one master of several counts.
 *
 * @throws IdError INVALID_OPTION unless offset and step are integers from 0 and from 1.
 *
 * @example
 * const fetch = failover([
 *   strided((count) => left.fetch(count), { offset: 1, step: 2 }),
 *   strided((count) => right.fetch(count), { offset: 2, step: 2 }),
 * ])
 */
export function strided(fetch: TicketFetch, { offset, step }: Master): TicketFetch {
  requireInteger('offset', offset, 0)
  requireInteger('step', step, 1)
  return async (count, options) => {
    const segment = await fetch(count, options)
    return {
      first: offset + segment.first * step,
      count: segment.count,
      step: (segment.step ?? 1) * step,
    }
  }
}

/**
 * Asks the sources in turn and, where one fails, the ones after it. The sources must be disjoint;
 * their numbers come in approximate order only, since one may be ahead of another.
 *
 * @throws IdError INVALID_OPTION without a source; the fetch rejects with STORE_UNAVAILABLE, whose
 *   `cause` is an AggregateError, if all fail.
 * @example
 * const fetch = failover([(count) => odd.fetch(count), (count) => even.fetch(count)])
 * const tickets = new TicketPool({ fetch })
 */
export function failover(sources: readonly TicketFetch[]): TicketFetch {
  requireInteger('the number of sources', sources.length, 1)
  let turn = 0
  return async (count, options) => {
    const errors: unknown[] = []
    const start = turn++
    for (let i = 0; i < sources.length; i++) {
      try {
        return await sources[(start + i) % sources.length]!(count, options)
      } catch (error) {
        options?.signal?.throwIfAborted()
        errors.push(error)
      }
    }
    throw new IdError(
      'STORE_UNAVAILABLE',
      `all ${sources.length} sources of tickets failed: see cause`,
      { cause: new AggregateError(errors) },
    )
  }
}
