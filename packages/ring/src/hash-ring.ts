// The consistent-hash ring (Karger et al., STOC 1997) with weighted virtual nodes. Each node has
// points on a circle of 2^32 places; a key belongs to the first point at or after its hash.
//
//   HashRing      who is in it, what was asked for      membership-change.ts plans and carries out
//   RingLayout    the sorted arrays behind it           read in place, shared by copies until a
//                                                       change, patched where a change falls
//
// Invariant: a ring is a function of its options and its members, never of how it came to them.

import { LRUCache } from 'lru-cache'
import { checkFactor, checkLoad, nearestWithRoom } from './bounded-load.ts'
import type { Member, NodeInput } from './member.ts'
import {
  carryOut,
  checkPoints,
  movementOf,
  planChange,
  type Wanted,
  withSlots,
} from './membership-change.ts'
import { nearest, nearestExcept, PreferenceWalk, readExclusion } from './preference-list.ts'
import { RingError } from './ring-error.ts'
import { fingerprintOf } from './ring-fingerprint.ts'
import { PlacementRule, type RingHash } from './ring-hash.ts'
import { checkFingerprint, plainNode, type RingJson, readRingJson } from './ring-json.ts'
import { checkCount, type RingKey } from './ring-key.ts'
import { RingLayout } from './ring-layout.ts'
import { byId, type RingNode, show } from './ring-node.ts'
import {
  type BoundedOptions,
  checkList,
  type GetNOptions,
  type RingOptions,
  readOptions,
} from './ring-options.ts'
import { nearestOverZones, takeCensus, type ZoneCensus } from './zone-spread.ts'

/** The arrays of a ring, for the parts of this package that compare rings. */
export let layoutOf: <N extends RingNode>(ring: HashRing<N>) => RingLayout<N>

/** The hash and seed of a ring, for the same. */
export let ruleOf: <N extends RingNode>(ring: HashRing<N>) => PlacementRule

/**
 * Says which node owns a key, so that a change of nodes moves as few keys as possible.
 *
 * A lookup takes constant time, whatever the number of nodes. With
 * `s = imul(seed, 0x9E3779B1)`, a key lies at `xxh32(utf8(key), s)` and virtual node `v` of a node
 * at `xxh32(utf8(id), xxh32(v, s))`, `v` in decimal digits. A node of weight `w` has
 * `max(1, round(virtualNodes × w))` virtual nodes, none if `w` is 0; no other node's weight
 * matters. A key belongs to the first virtual node at or after it; of several on
 * one point the smallest id, by UTF-16 code units, comes first. Ids that differ only in lone
 * surrogates have the same UTF-8 and share all points: the smallest owns them.
 *
 * @example
 * const ring = new HashRing(['cache-1', 'cache-2', { id: 'cache-3', weight: 2 }])
 * ring.get('user:42')?.id // the same on every machine
 * ring.getN('user:42', 2) // the owner, and who stands in for it
 * ring.remove('cache-1') // moves only the keys that cache-1 had
 */
export class HashRing<N extends RingNode = RingNode> {
  readonly virtualNodes: number
  readonly seed: number
  readonly #rule: PlacementRule
  readonly #memo: LRUCache<string, N> | undefined
  readonly #members = new Map<string, Member<N>>()
  #layout: RingLayout<N> = new RingLayout<N>()
  // Answers that hold until the next change.
  #sorted: readonly Member<N>[] | undefined
  #weights: number | undefined
  #census: ZoneCensus | undefined
  #fingerprint: string | undefined

  /**
   * @param nodes Any order gives the same ring; a string is short for `{ id }`.
   * @param options See {@link RingOptions}.
   * @throws {RingError} `ERR_RING_OPTION`, `ERR_RING_ID`, `ERR_RING_DUPLICATE_ID`, or
   * `ERR_RING_WEIGHT` if there would be more than 2^26 virtual nodes.
   */
  constructor(nodes?: Iterable<N>, options?: RingOptions)
  constructor(nodes: Iterable<NodeInput<N>>, options?: RingOptions)
  constructor(nodes: Iterable<N | string> = [], options: RingOptions = {}) {
    const { virtualNodes, seed, memo } = readOptions(options)
    this.virtualNodes = virtualNodes
    this.seed = seed
    this.#rule = new PlacementRule(options.hash, seed)
    this.#memo = memo > 0 ? new LRUCache<string, N>({ max: memo }) : undefined
    this.#change({ add: checkList(nodes, 'nodes') })
  }

  /** How many nodes the ring knows, drained ones too. */
  get size(): number {
    return this.#members.size
  }

  /** The name of the hash function, `'xxh32'` unless one was given. */
  get hashName(): string {
    return this.#rule.name
  }

  /** Does the ring know a node of this id? */
  has(id: string): boolean {
    return this.#members.has(id)
  }

  /** The node of this id as it was given. */
  node(id: string): N | undefined {
    return this.#members.get(id)?.node
  }

  /** All nodes, drained ones too, sorted by id. */
  nodes(): N[] {
    return this.#sortedMembers().map((member) => member.node)
  }

  /**
   * The node that owns a key, `undefined` if no node owns anything. Constant time.
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    if (this.#memo !== undefined) return this.#recall(this.#memo, key)
    return this.#layout.nodeOf(this.#rule.hashOf(key))
  }

  /** The node that owns a hash, a place on the ring, taken modulo 2^32; see {@link keyHash}. */
  getByHash(hash: number): N | undefined {
    return this.#layout.nodeOf(hash >>> 0)
  }

  /**
   * Where a key lies on the ring, 0 … 2^32 - 1.
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  keyHash(key: RingKey): number {
    return this.#rule.hashOf(key)
  }

  /**
   * The first `n` different nodes for a key, all if there are fewer; `getN(key, 1)[0]` is
   * `get(key)`, and fewer nodes are a prefix of more.
   *
   * With `zones: 'spread'` each next node comes from a zone used least so far, the nearest of
   * those, until `n` are found even if there are fewer zones. Nodes without a zone count as one
   * zone together, for nothing says that they fail apart. Without it the list of the other nodes
   * stays as it is when one leaves: if the owner does, `getN(key, 2)[1]` is the next owner.
   *
   * Drained and excluded nodes are left out. With both `exclude` and `'spread'` it asks about
   * every node, else only about those on the way.
   *
   * @throws {RingError} `ERR_RING_COUNT` unless `n` is a whole number; `ERR_RING_KEY`.
   */
  getN(key: RingKey, n: number, options?: GetNOptions<N>): N[] {
    const hash = this.#rule.hashOf(key)
    checkCount(n)
    if (options === undefined) return nearest(this.#layout, hash, n)
    return this.#choose(hash, n, options)
  }

  /**
   * The preference list of a key, found step by step: every node that owns something, nearest
   * first. It is that of the ring at the first step, so the ring may be changed meanwhile.
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   * @example
   * for (const node of ring.iterate('user:42')) if (await isUp(node)) return node
   */
  iterate(key: RingKey): IterableIterator<N> {
    return this.#iterate(this.#rule.hashOf(key))
  }

  /**
   * The first node for a key that has room: one whose `load + 1` is at most
   * `ceil(factor × share × (total + 1))`, where its share is its part of all weights. The loads
   * are the caller's to count; give each key back to where it was placed.
   *
   * With a `total` less than the true sum every node can be full: then the one with most room.
   *
   * @param load How many keys a node carries now; asked for nodes on the way, and for all nodes
   * that own something if no `total` is given.
   * @throws {RingError} `ERR_RING_OPTION` for a factor ≤ 1, `ERR_RING_COUNT` for a load or total
   * that is no finite number ≥ 0, `ERR_RING_KEY`.
   */
  getBounded(key: RingKey, load: (node: N) => number, options: BoundedOptions = {}): N | undefined {
    const hash = this.#rule.hashOf(key)
    const { factor = 1.25, total } = options
    checkFactor(factor)
    if (total !== undefined) checkLoad(total, 'total')
    return this.#read((layout) =>
      nearestWithRoom(layout, hash, load, {
        factor,
        total: total ?? this.#totalLoad(load),
        weights: this.#totalWeight(),
      }),
    )
  }

  /**
   * Adds nodes. What takes time is to move the arrays: O(points), 0.2 ms in a ring of 1,000 nodes.
   *
   * @throws {RingError} `ERR_RING_DUPLICATE_ID` if a node is there already (see {@link set}), and
   * as the constructor; then nothing has changed. So with every method that changes the ring.
   */
  add(...nodes: NodeInput<N>[]): this {
    return this.#change({ add: nodes })
  }

  /** Removes nodes by their ids. @throws {RingError} `ERR_RING_UNKNOWN_ID` if one is not there. */
  remove(...ids: string[]): this {
    return this.#change({ remove: ids })
  }

  /**
   * Adds a node or replaces that of the same id. A greater weight moves keys only to it, a smaller
   * one only away from it; weight 0 drains it: still known, owning nothing.
   */
  set(node: NodeInput<N>): this {
    return this.#change({ set: [node] })
  }

  /** Makes a change in one step, or throws as `add` and `remove` do. An id in both is replaced. */
  update(change: { add?: Iterable<NodeInput<N>>; remove?: Iterable<string> }): this {
    const { add = [], remove = [] } = change
    return this.#change({ add: checkList(add, 'add'), remove: checkList(remove, 'remove') })
  }

  /** A copy with these nodes added. */
  with(...nodes: NodeInput<N>[]): HashRing<N> {
    return this.clone().add(...nodes)
  }

  /** A copy without the nodes of these ids. */
  without(...ids: string[]): HashRing<N> {
    return this.clone().remove(...ids)
  }

  /** A copy that changes apart from this ring; until then they share their arrays. */
  clone(): HashRing<N> {
    const { virtualNodes, seed } = this
    const hash = this.#rule.custom
    const copy = new HashRing<N>([], { virtualNodes, seed, hash, memo: this.#memo?.max ?? 0 })
    for (const [id, member] of this.#members) copy.#members.set(id, member)
    copy.#layout = this.#layout
    this.#layout.holders++
    return copy
  }

  /** Each node's part of the ring by id: exact, summing to 1 if any node owns something. */
  ownership(): Map<string, number> {
    const lengths = this.#layout.arcLengths()
    const parts = new Map<string, number>()
    for (const { id, slot } of this.#sortedMembers()) parts.set(id, lengths[slot]! / 2 ** 32)
    return parts
  }

  /** 64 bits as hexadecimal digits, equal for rings with equal options and members. */
  fingerprint(): string {
    this.#fingerprint ??= fingerprintOf(this.#rule, this, this.#sortedMembers())
    return this.#fingerprint
  }

  /** The ring as plain data for JSON.stringify, with the nodes' own fields. */
  toJSON(): RingJson {
    return {
      format: '@ashlar/ring',
      version: 1,
      hash: this.hashName,
      virtualNodes: this.virtualNodes,
      seed: this.seed,
      nodes: this.#sortedMembers().map(plainNode),
      fingerprint: this.fingerprint(),
    }
  }

  /**
   * The ring that {@link toJSON} described.
   *
   * @param value What JSON.parse returned. That nodes have the fields of `N` is the caller's word.
   * @param options `hash`: the function of the name in the JSON, unless it is `'xxh32'`; `memo`.
   * @throws {RingError} `ERR_RING_FORMAT` if it is not such a value or was altered,
   * `ERR_RING_INCOMPATIBLE` if it needs another hash; as the constructor.
   */
  static fromJSON<N extends RingNode = RingNode>(
    value: unknown,
    options: { hash?: RingHash; memo?: number } = {},
  ): HashRing<N> {
    const { hash, virtualNodes, seed, nodes, fingerprint } = readRingJson(value)
    const ring = new HashRing<N>([], { ...options, virtualNodes, seed })
    if (ring.hashName !== hash) {
      throw new RingError(
        'ERR_RING_INCOMPATIBLE',
        `the stored ring needs the hash ${show(hash)}, this one would use ` +
          `${show(ring.hashName)}: give that function as options.hash`,
      )
    }
    ring.#change({ add: nodes as readonly N[] })
    checkFingerprint(fingerprint, ring.fingerprint())
    return ring
  }

  static {
    layoutOf = (ring) => ring.#layout
    ruleOf = (ring) => ring.#rule
  }

  #recall(memo: LRUCache<string, N>, key: RingKey): N | undefined {
    const known = typeof key === 'string' ? memo.get(key) : undefined
    if (known !== undefined) return known
    const node = this.#layout.nodeOf(this.#rule.hashOf(key))
    if (node !== undefined && typeof key === 'string') memo.set(key, node)
    return node
  }

  #choose(hash: number, n: number, options: GetNOptions<N>): N[] {
    const { zones = 'ignore', exclude } = options
    if (zones !== 'ignore' && zones !== 'spread') {
      throw new RingError(
        'ERR_RING_OPTION',
        `zones must be "spread" or "ignore", got ${show(zones)}`,
      )
    }
    if (exclude === undefined) {
      if (zones === 'ignore') return nearest(this.#layout, hash, n)
      this.#census ??= takeCensus(this.#layout)
      return nearestOverZones(this.#layout, hash, n, this.#census)
    }
    const isExcluded = readExclusion(exclude)
    return this.#read((layout) =>
      zones === 'ignore'
        ? nearestExcept(layout, hash, n, isExcluded)
        : nearestOverZones(layout, hash, n, takeCensus(layout, isExcluded)),
    )
  }

  *#iterate(hash: number): Generator<N, void, undefined> {
    const layout = this.#layout
    layout.holders++
    try {
      const walk = new PreferenceWalk(layout, hash)
      for (let slot = walk.next(); slot >= 0; slot = walk.next()) yield layout.nodes[slot]!
    } finally {
      layout.holders--
    }
  }

  /** Runs code that calls back into the caller's, who may well change the ring meanwhile. */
  #read<T>(reader: (layout: RingLayout<N>) => T): T {
    const layout = this.#layout
    layout.holders++
    try {
      return reader(layout)
    } finally {
      layout.holders--
    }
  }

  #change(wanted: Wanted<N>): this {
    const changes = planChange(this.#members, this.virtualNodes, wanted)
    if (changes.length === 0) return this
    const layout = this.#layout
    checkPoints(layout.count, changes)
    const movement = movementOf(changes, this.#rule)
    const places = layout.locate(withSlots(movement.gone, changes, this.#members))
    if (layout.holders > 1) {
      this.#layout = layout.copy(movement.come.points.length)
      layout.holders--
    }
    carryOut(changes, movement, places, this.#layout, this.#members)
    this.#sorted = undefined
    this.#weights = undefined
    this.#census = undefined
    this.#fingerprint = undefined
    this.#memo?.clear()
    return this
  }

  #sortedMembers(): readonly Member<N>[] {
    this.#sorted ??= [...this.#members.values()].sort(byId)
    return this.#sorted
  }

  /** Summed by id: sums of fractions depend on their order, which must not depend on history. */
  #totalWeight(): number {
    this.#weights ??= this.#sortedMembers().reduce((sum, { weight }) => sum + weight, 0)
    return this.#weights
  }

  #totalLoad(load: (node: N) => number): number {
    let total = 0
    for (const { node, virtualNodes } of this.#sortedMembers()) {
      if (virtualNodes === 0) continue
      const carried = load(node)
      checkLoad(carried, `load of node ${show(node.id)}`)
      total += carried
    }
    return total
  }
}
