// The fewest slots of a block that must change hands until every shard is within its bounds:
//
//   max(orphans + excess, shortage)
//
// An orphan (its owner left, or was drained) and a slot above its owner's most have to go, a slot
// that somebody lacks to its least has to come; one move can be both. Worked out here apart from
// how slots are assigned, so that a plan can be held against it.

import type { ShardJson } from './shard-map-json.ts'

/** The fewest moves; `held` is who owns how many of the block's slots now. */
export function fewestMoves(
  held: ReadonlyMap<string, number>,
  shards: readonly ShardJson[],
  slots: number,
  factor: number,
): number {
  const live = shards.filter(({ weight = 1 }) => weight > 0)
  // Relative to the largest, lest a sum of huge weights overflows.
  const largest = live.reduce((most, { weight = 1 }) => Math.max(most, weight), 0)
  const total = live.reduce((sum, { weight = 1 }) => sum + weight / largest, 0)
  let kept = 0
  let excess = 0
  let shortage = 0
  for (const { id, weight = 1 } of live) {
    const share = (slots * (weight / largest)) / total
    const owned = held.get(id) ?? 0
    kept += owned
    // The last digits of a product must not give a whole number one more: 50 x 1.1 is 55.
    excess += Math.max(0, owned - Math.ceil(share * factor * (1 - 1e-12)))
    shortage += Math.max(0, Math.floor((share / factor) * (1 + 1e-12)) - owned)
  }
  return Math.max(slots - kept + excess, shortage)
}
