// Lists of slots as text keeps them: runs [first, count], in the order of the list. A move takes
// thousands of slots, and many of them are neighbours.

/** Slots [first, first + count). */
export type SlotRun = readonly [first: number, count: number]

/** The list as runs. O(slots). */
export function runsOf(slots: readonly number[]): SlotRun[] {
  const runs: [number, number][] = []
  for (const slot of slots) {
    const last = runs.at(-1)
    if (last !== undefined && last[0] + last[1] === slot) last[1] += 1
    else runs.push([slot, 1])
  }
  return runs
}

/** The list that {@link runsOf} was given. */
export function slotsOfRuns(runs: readonly SlotRun[]): number[] {
  return runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
}
