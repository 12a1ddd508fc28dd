// The preference list of a hash: the nodes in the order in which their first points follow it
// around the ring, each once. Who stands where does not depend on who else is in the ring.
//
//   ring   … hash → b a b b c a d …      list  [ b, a, c, d ]

import { RingError } from './ring-error.ts'
import type { RingLayout } from './ring-layout.ts'
import { type RingNode, show } from './ring-node.ts'

/** Up to this many, comparing with those found is faster than marking them. */
const FEW = 16

/** The first `n` of the list, all if there are not so many. */
export function nearest<N extends RingNode>(layout: RingLayout<N>, hash: number, n: number): N[] {
  const wanted = Math.min(n, layout.active)
  if (wanted === 0) return []
  if (wanted <= 3) return nearestThree(layout, hash, wanted)
  if (wanted > FEW) return nearestOfMany(layout, hash, wanted)
  const { nodes, owners, count } = layout
  const list = new Array<N>(wanted)
  let found = 0
  for (let at = layout.indexOf(hash); ; at = at + 1 < count ? at + 1 : 0) {
    const node = nodes[owners[at]!]!
    let k = 0
    while (k < found && list[k] !== node) k++
    if (k < found) continue
    list[found++] = node
    if (found === wanted) return list
  }
}

/** Replicas are two or three as a rule; without a list to search they take a third less time. */
function nearestThree<N extends RingNode>(
  layout: RingLayout<N>,
  hash: number,
  wanted: number,
): N[] {
  const { nodes, owners, count } = layout
  let at = layout.indexOf(hash)
  const first = owners[at]!
  if (wanted === 1) return [nodes[first]!]
  let second: number
  do {
    at = at + 1 < count ? at + 1 : 0
    second = owners[at]!
  } while (second === first)
  if (wanted === 2) return [nodes[first]!, nodes[second]!]
  let third: number
  do {
    at = at + 1 < count ? at + 1 : 0
    third = owners[at]!
  } while (third === first || third === second)
  return [nodes[first]!, nodes[second]!, nodes[third]!]
}

function nearestOfMany<N extends RingNode>(
  layout: RingLayout<N>,
  hash: number,
  wanted: number,
): N[] {
  const { nodes, owners, count } = layout
  const found = new Uint8Array(nodes.length)
  const list: N[] = []
  let at = layout.indexOf(hash)
  while (list.length < wanted) {
    const slot = owners[at]!
    if (found[slot] === 0) {
      found[slot] = 1
      list.push(nodes[slot]!)
    }
    at = at + 1 < count ? at + 1 : 0
  }
  return list
}

/** The first `n` of the list that are not excluded, all if there are not so many. */
export function nearestExcept<N extends RingNode>(
  layout: RingLayout<N>,
  hash: number,
  n: number,
  isExcluded: (node: N) => boolean,
): N[] {
  const list: N[] = []
  const walk = new PreferenceWalk(layout, hash)
  while (list.length < n) {
    const slot = walk.next()
    if (slot < 0) break
    const node = layout.nodes[slot]!
    if (!isExcluded(node)) list.push(node)
  }
  return list
}

/** A test for excluded nodes from what callers give: a set of ids or a test. */
export function readExclusion<N extends RingNode>(
  exclude: ReadonlySet<string> | ((node: N) => boolean),
): (node: N) => boolean {
  if (typeof exclude === 'function') return exclude
  const ids: unknown = exclude
  if (typeof ids === 'object' && ids !== null && 'has' in ids) {
    return (node) => exclude.has(node.id)
  }
  throw new RingError(
    'ERR_RING_OPTION',
    `exclude must be a Set of ids or a function of a node, got ${show(ids)}; use new Set(ids)`,
  )
}

/** A walk along the list, slot by slot. Reads one layout, which must not change meanwhile. */
export class PreferenceWalk<N extends RingNode> {
  readonly #layout: RingLayout<N>
  readonly #hash: number
  #at = 0
  #left: number
  #first = -1
  #found: Set<number> | undefined

  constructor(layout: RingLayout<N>, hash: number) {
    this.#layout = layout
    this.#hash = hash
    this.#left = layout.active
  }

  /** The slot of the next node, -1 after the last. */
  next(): number {
    if (this.#left === 0) return -1
    this.#left--
    const { owners, count } = this.#layout
    if (this.#first < 0) {
      this.#at = this.#layout.indexOf(this.#hash)
      this.#first = owners[this.#at]!
      return this.#first
    }
    // Most walks end at their first node and need no set.
    this.#found ??= new Set([this.#first])
    let slot: number
    do {
      this.#at = this.#at + 1 < count ? this.#at + 1 : 0
      slot = owners[this.#at]!
    } while (this.#found.has(slot))
    this.#found.add(slot)
    return slot
  }
}
