// Halving: the search for the place from which on something holds.

/** The least integer of `low` … `high` at which it holds; it is taken to hold at `high`. */
export function leastFrom(low: number, high: number, holds: (at: number) => boolean): number {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = (from + to) >> 1
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
