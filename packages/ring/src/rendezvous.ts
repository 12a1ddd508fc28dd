// Rendezvous (highest random weight) hashing: every node scores the key, the highest owns it. No
// table, exact weights, least movement on any change, and the order of scores is the order of
// replicas; the price is a score per node at each lookup.  nodes sorted by id, scores beside them.
// Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998).

import { xxh32 } from '@ashlar/hash'
import type { NodeInput } from './member.ts'
import { liveNodes, nodeList } from './node-list.ts'
import type { Placement } from './placement.ts'
import { RendezvousScores } from './rendezvous-scores.ts'
import { RingError } from './ring-error.ts'
import { checkCount, checkKey, type RingKey } from './ring-key.ts'
import { byId, type RingNode, show } from './ring-node.ts'

/** Options of {@link Rendezvous}. */
export interface RendezvousOptions {
  /** A whole number, 0 to 2^32 - 1; other seeds place independently. Default 0. */
  readonly seed?: number
}

/**
 * Rendezvous hashing over weighted nodes: the right choice for up to some tens of nodes.
 *
 * A node's share is exactly its weight's, in the mean; a change of one node moves only keys to or
 * from it, and the order of calls never matters. Lookups are O(nodes), some 3 ns a node.
 *
 * Anyone with XXH32 can compute the owner. With `s = imul(seed, 0x9E3779B1)`, every node has
 * `bits = XXH32(le32(XXH32(key, s)) ++ le32(XXH32(id, s + 1)), seed: XXH32(id, s))` and the score
 * `-weight / ln((bits + 0.5) / 2^32)`, which for equal weights has the order of `bits`. The highest
 * score owns the key, the smallest id (by UTF-16 code units) among equals.
 *
 * @example
 * const nodes = new Rendezvous(['a', 'b', { id: 'c', weight: 2 }])
 * nodes.getN('user:42', 2).length // → 2
 */
export class Rendezvous<N extends RingNode = RingNode> implements Placement<N> {
  readonly #seed: number
  readonly #nodes: Map<string, N>
  #live: readonly N[] = []
  #scores: RendezvousScores = new RendezvousScores([], 0)

  /** @throws {RingError} on a bad or repeated id, a bad weight or seed. */
  constructor(nodes: Iterable<NodeInput<N>> = [], options: RendezvousOptions = {}) {
    const { seed = 0 } = options
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff)) {
      throw new RingError(
        'ERR_RING_OPTION',
        `seed must be a whole number from 0 to 4294967295, got ${show(seed)}`,
      )
    }
    // As in HashRing: multiplied, so that seeds 0, 1, 2 have no s and s + 1 in common.
    this.#seed = Math.imul(seed, 0x9e3779b1) >>> 0
    this.#nodes = new Map(nodeList<N>(nodes).map((node) => [node.id, node]))
    this.#rebuild()
  }

  /** How many nodes there are, drained ones included. */
  get size(): number {
    return this.#nodes.size
  }

  /** All nodes, drained ones included, sorted by id. */
  nodes(): N[] {
    return [...this.#nodes.values()].sort(byId)
  }

  /**
   * The node that owns the key, or `undefined` when none can. O(nodes).
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    checkKey(key)
    return this.getByHash(xxh32(key, this.#seed))
  }

  /** The node that owns a hash of 32 bits: the key's `XXH32(key, s)`. */
  getByHash(hash: number): N | undefined {
    return this.#live[this.#scores.best(hash)]
  }

  /**
   * The n nodes with the highest scores, best first; all of them if there are fewer. Prefixes are
   * stable, and a node that leaves only closes the gap.
   *
   * O(nodes + n^2 log nodes) expected.
   *
   * @param key a string or bytes
   * @throws {RingError} `ERR_RING_COUNT` if n is not a whole number >= 0.
   */
  getN(key: RingKey, n: number): N[] {
    checkKey(key)
    checkCount(n)
    const word = xxh32(key, this.#seed)
    const top: number[] = []
    const scores: number[] = []
    for (let i = 0; i < this.#scores.length && n > 0; i++) {
      const score = this.#scores.at(i, word)
      if (top.length === n && score <= scores[n - 1]!) continue
      if (top.length < n) top.push(i)
      let at = Math.min(scores.length, n - 1)
      for (; at > 0 && score > scores[at - 1]!; at--) {
        scores[at] = scores[at - 1]!
        top[at] = top[at - 1]!
      }
      scores[at] = score
      top[at] = i
    }
    return top.map((i) => this.#live[i]!)
  }

  /**
   * Adds nodes. O(nodes).
   *
   * @throws {RingError} `ERR_RING_DUPLICATE_ID` if one is there already; nothing changes then.
   */
  add(...nodes: NodeInput<N>[]): this {
    const added = nodeList<N>(nodes)
    for (const { id } of added) {
      if (this.#nodes.has(id)) {
        throw new RingError(
          'ERR_RING_DUPLICATE_ID',
          `node ${show(id)} is there already; use set() to replace or re-weight it`,
        )
      }
    }
    for (const node of added) this.#nodes.set(node.id, node)
    return this.#rebuild()
  }

  /**
   * Removes nodes by id. O(nodes).
   *
   * @throws {RingError} `ERR_RING_UNKNOWN_ID` if one is not there; nothing changes then.
   */
  remove(...ids: string[]): this {
    for (const id of ids) {
      if (!this.#nodes.has(id)) {
        throw new RingError('ERR_RING_UNKNOWN_ID', `node ${show(id)} is not here`)
      }
    }
    for (const id of ids) this.#nodes.delete(id)
    return this.#rebuild()
  }

  /**
   * Adds a node or replaces that of the same id. A greater weight moves keys only to it, a smaller
   * one only away from it; weight 0 drains it: still known, owning nothing.
   *
   * @throws {RingError} on a bad id or weight.
   */
  set(node: NodeInput<N>): this {
    for (const read of nodeList<N>([node])) this.#nodes.set(read.id, read)
    return this.#rebuild()
  }

  #rebuild(): this {
    // Sorted by id, so that the first of equal scores is the one with the smallest id.
    this.#live = liveNodes(this.nodes())
    this.#scores = new RendezvousScores(this.#live, this.#seed)
    return this
  }
}
