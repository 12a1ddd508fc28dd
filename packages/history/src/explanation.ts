// The smallest set that still shows something, for a property that more elements cannot undo. Under
// that law one element is found by doubling and halving: the shortest prefix that shows it ends
// with an element that is needed, and none after it is. Junker's QuickXplain (2004) rests on the
// same. Doubling keeps every set that is tried about as small as the answer.
//
// Invariant of the loop: needed ∪ candidates shows it.

import { leastFrom } from './bisection.ts'

/**
 * A subset of `elements` that shows it and of which nothing can be left out; undefined if a test
 * gave up on the way. Elements that come early are preferred.
 *
 * `shows` must hold for all `elements`, and for every superset of a set for which it holds. Needs
 * about 2·|result|·log2(position of the last one needed) calls of `shows`.
 */
export function smallestCore<T>(
  elements: readonly T[],
  shows: (subset: readonly T[]) => boolean,
): T[] | undefined {
  const needed: T[] = []
  let candidates = elements
  while (!shows(needed)) {
    if (candidates.length === 0) return undefined
    const size = shortest(candidates.length, (length) => {
      return shows([...needed, ...candidates.slice(0, length)])
    })
    needed.push(candidates[size - 1]!)
    candidates = candidates.slice(0, size - 1)
  }
  return needed
}

/** The least length from 1 to `longest` that shows it, given that `longest` does. */
function shortest(longest: number, shows: (length: number) => boolean): number {
  let low = 1
  let high = 1
  while (high < longest && !shows(high)) {
    low = high + 1
    high *= 2
  }
  return leastFrom(low, Math.min(high, longest), shows)
}
