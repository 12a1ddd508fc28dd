// What moves between two rings, exactly: one sweep over both, from point to point.
//
//   a   |---x---|-------y-------|--x--|
//   b   |---x---|--z--|----y----|--x--|      one range moves from y to z
//
// Every place of the ring is in at most one range, and only if its owner changed.

import { type HashRing, layoutOf, ruleOf } from './hash-ring.ts'
import { RingError } from './ring-error.ts'
import type { RingLayout } from './ring-layout.ts'
import { type RingNode, show } from './ring-node.ts'

/** A range of hashes whose owner changed, as large as it can be. */
export interface RingMove {
  /** The id of the owner before, `undefined` if the ring owned nothing. */
  readonly from: string | undefined
  /** The id of the owner after, `undefined` if the ring owns nothing. */
  readonly to: string | undefined
  /** The first hash of the range. */
  readonly start: number
  /** The last hash of the range, itself in it; never less than `start`. */
  readonly end: number
  /** Its part of the whole ring. */
  readonly fraction: number
}

/** What {@link diffRings} found; fractions are exact parts of the whole ring. */
export interface RingDiff {
  /** By `start`. A range that goes through zero is two. */
  readonly moves: readonly RingMove[]
  /** How much moved in all. */
  readonly fraction: number
  /**
   * The least that any placement could move between these shares: half the sum of what each
   * node's share changed by. It is `fraction` where nodes only joined, or only left. Where one
   * joined for another, handing over all that the one had would do, and a ring, which cannot
   * know, moves up to twice that.
   */
  readonly optimal: number
  /**
   * How much moved between nodes that are in both rings with as many virtual nodes: nothing, for
   * rings of one hash. `fraction - collateral` is what the nodes that changed account for.
   */
  readonly collateral: number
}

/**
 * What moves when one ring takes the place of another: which hashes, from whom, to whom.
 *
 * Takes time of the virtual nodes of both. From an empty ring it lists what each node owns.
 *
 * @throws {RingError} `ERR_RING_INCOMPATIBLE` if the rings hash keys differently.
 * @example
 * const { moves } = diffRings(ring, ring.with('cache-4'))
 * for (const { from, start, end } of moves) copyRange(from, 'cache-4', start, end)
 */
export function diffRings<A extends RingNode, B extends RingNode>(
  a: HashRing<A>,
  b: HashRing<B>,
): RingDiff {
  if (!ruleOf(a).agreesWith(ruleOf(b))) {
    throw new RingError(
      'ERR_RING_INCOMPATIBLE',
      'rings can be compared only if they place keys alike: one has hash ' +
        `${show(a.hashName)} and seed ${a.seed}, the other ${show(b.hashName)} and ${b.seed}`,
    )
  }
  return sweep(layoutOf(a), layoutOf(b))
}

const PLACES = 2 ** 32

/** Owners by number, the same number in both rings. Number 0 is nobody: an empty ring's owner. */
interface Owners {
  readonly numbers: ReadonlyMap<string, number>
  readonly ids: readonly (string | undefined)[]
  /** Is the owner in both rings, with as many virtual nodes? */
  readonly isUnchanged: readonly boolean[]
}

function sweep<A extends RingNode, B extends RingNode>(
  a: RingLayout<A>,
  b: RingLayout<B>,
): RingDiff {
  const { numbers, ids, isUnchanged } = numberOwners(a, b)
  const before = new RangeCursor(a, numbers)
  const after = new RangeCursor(b, numbers)
  const gains = new Float64Array(ids.length)
  const ranges: { from: number; to: number; start: number; end: number }[] = []
  let collateral = 0
  for (let start = 0, end = 0; start < PLACES; start = end + 1) {
    before.seek(start)
    after.seek(start)
    end = Math.min(before.end, after.end)
    const from = before.owner
    const to = after.owner
    if (from === to) continue
    const size = end - start + 1
    gains[from]! -= size
    gains[to]! += size
    if (isUnchanged[from] && isUnchanged[to]) collateral += size
    const last = ranges.at(-1)
    if (last?.end === start - 1 && last.from === from && last.to === to) last.end = end
    else ranges.push({ from, to, start, end })
  }
  const moves = ranges.map(({ from, to, start, end }) => ({
    from: ids[from],
    to: ids[to],
    start,
    end,
    fraction: (end - start + 1) / PLACES,
  }))
  return {
    moves,
    fraction: ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0) / PLACES,
    optimal: gains.reduce((sum, gain) => sum + Math.abs(gain), 0) / 2 / PLACES,
    collateral: collateral / PLACES,
  }
}

function numberOwners<A extends RingNode, B extends RingNode>(
  a: RingLayout<A>,
  b: RingLayout<B>,
): Owners {
  const numbers = new Map<string, number>()
  const ids: (string | undefined)[] = [undefined]
  const virtualNodesInA = [0]
  const isUnchanged = [false]
  for (const member of a.members) {
    if (member === undefined) continue
    numbers.set(member.id, ids.push(member.id) - 1)
    virtualNodesInA.push(member.virtualNodes)
    isUnchanged.push(false)
  }
  for (const member of b.members) {
    if (member === undefined) continue
    const number = numbers.get(member.id) ?? ids.push(member.id) - 1
    numbers.set(member.id, number)
    isUnchanged[number] = virtualNodesInA[number] === member.virtualNodes
  }
  return { numbers, ids, isUnchanged }
}

/** Goes through the ranges of one ring, upwards from hash 0. */
class RangeCursor<N extends RingNode> {
  /** The last hash of the range it is at. */
  end = -1
  /** The number of the owner of that range. */
  owner = 0
  #next = 0
  readonly #layout: RingLayout<N>
  readonly #numberOfSlot: Uint32Array

  constructor(layout: RingLayout<N>, numbers: ReadonlyMap<string, number>) {
    this.#layout = layout
    this.#numberOfSlot = Uint32Array.from(layout.members, (member) =>
      member === undefined ? 0 : numbers.get(member.id)!,
    )
  }

  /** Goes on to the range that holds `hash`. */
  seek(hash: number): void {
    const { points, owners, count } = this.#layout
    while (this.end < hash) {
      const isPastLast = this.#next === count
      this.end = isPastLast ? PLACES - 1 : points[this.#next]!
      if (count > 0) this.owner = this.#numberOfSlot[owners[isPastLast ? 0 : this.#next]!]!
      if (!isPastLast) this.#next++
    }
  }
}
