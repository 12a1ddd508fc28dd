// How a Maglev table is filled: nodes take turns, each taking the next free entry of its own
// permutation (offset + skip * j) mod size. A node of less than the largest weight sits out turns:
// with a third of it, it takes one turn in three.
// Source: Eisenbud et al., "Maglev", NSDI 2016, listing 1; weights as in Envoy's maglev_lb.cc.

/** A node's permutation of the entries, and its share of all weight. */
export interface MaglevTurn {
  readonly offset: number
  readonly skip: number
  readonly share: number
}

/**
 * Fills a table of `size` entries (a prime above 1) with indexes into `turns` (at least one, with
 * shares above 0). O(size log size) expected for equal shares.
 */
export function fillMaglev(size: number, turns: readonly MaglevTurn[]): Uint32Array {
  const table = new Uint32Array(size)
  const taken = new Uint8Array(size)
  const next = Uint32Array.from(turns, (turn) => turn.offset)
  const target = new Float64Array(turns.length)
  const most = turns.reduce((max, turn) => Math.max(max, turn.share), 0)
  let filled = 0
  for (let round = 1; filled < size; round++) {
    for (let i = 0; i < turns.length && filled < size; i++) {
      const { skip, share } = turns[i]!
      if (round * share < target[i]!) continue
      target[i]! += most
      let entry = next[i]!
      while (taken[entry] === 1) entry = step(entry, skip, size)
      table[entry] = i
      taken[entry] = 1
      next[i] = step(entry, skip, size)
      filled++
    }
  }
  return table
}

function step(entry: number, skip: number, size: number): number {
  const next = entry + skip
  return next < size ? next : next - size
}
