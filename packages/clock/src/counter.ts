// Counters: how many events of a replica. JavaScript's safe integers are enough (2^53 is 285 years
// at a million events a second), so no bigint stands on a hot path.

import { ClockError, show } from './clock-error.ts'

/** Throws unless `given` is a safe integer of at least `least`. */
export function checkCounter(given: unknown, what: string, least = 0): void {
  if (Number.isSafeInteger(given) && (given as number) >= least) return
  throw new ClockError(
    'INVALID_COUNTER',
    `${what} must be a safe integer >= ${least}, got ${show(given)}`,
  )
}

/** The counter after `counter`; throws at the end of the safe integers. */
export function successor(counter: number, id: string): number {
  if (counter >= Number.MAX_SAFE_INTEGER) refuseOverflow(id)
  return counter + 1
}

function refuseOverflow(id: string): never {
  throw new ClockError(
    'INVALID_COUNTER',
    `the counter of ${show(id)} is at 2^53 - 1 and cannot grow: continue under a new incarnation`,
  )
}
