// Ketama: 160 MD5 points a server of equal weight on a 32-bit ring, a key belongs to the first
// point at or after it. Kept for what it is equal to: the mapping is that of the C libketama, of
// libmemcached or of Python's hash_ring, point for point, so that a Node service can share a
// memcached cluster with them. For anything new take HashRing: faster, and a weight moves only
// its own keys.  points Uint32Array (sorted), owners Uint16Array beside it.
// Source: RJ/ketama (Last.fm, 2007); Karger et al., STOC 1997.

import { digest, type KetamaCompat, ketamaPoints, labelOf, wordOf } from './ketama-points.ts'
import type { NodeInput } from './member.ts'
import { liveNodes, nodeList, ownerArray } from './node-list.ts'
import type { Placement } from './placement.ts'
import { RingError } from './ring-error.ts'
import { checkCount, checkKey, type RingKey } from './ring-key.ts'
import { type RingNode, show, weightOf } from './ring-node.ts'

/** Options of {@link ketamaRing}. */
export interface KetamaOptions {
  /** Whose mapping to be equal to; there is no default, for a wrong guess misplaces keys. */
  readonly compat: KetamaCompat
}

/** A point of a {@link KetamaRing}: everything after the point before it, up to and with it. */
export interface KetamaPoint {
  readonly point: number
  readonly id: string
}

/**
 * A ring that maps keys exactly as libketama, libmemcached or Python's hash_ring do.
 *
 * - `libketama`: what the C library and its Python, PHP and Lua bindings answer.
 * - `libmemcached`: its weighted ketama (`MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`, pylibmc's
 *   `ketama_weighted`), where a trailing `:11211` is no part of a server's name.
 * - `hash_ring`: Python's hash_ring, which takes three points of each digest and, where a key
 *   hashes to a point itself, the point after it.
 *
 * As in the originals the number of points follows from the share of the total weight, so adding
 * or re-weighting a server of different weight also moves some keys between the others, a very
 * light server may get no point at all, and the order of servers matters where two points
 * collide. A server of weight 0 is left out as if it were not listed (hash_ring counts it).
 *
 * @param servers ids (`host:port`) or nodes with a `weight`: a whole number up to 2^32 - 1, for
 * hash_ring any finite number.
 * @throws {RingError} on a bad or repeated id, a weight the original cannot hold, or an unknown
 * `compat`.
 * @example
 * const ring = ketamaRing(['10.0.1.1:11211', '10.0.1.2:11211'], { compat: 'libmemcached' })
 * ring.get('user:42')?.id // → '10.0.1.1:11211'
 */
export function ketamaRing<N extends RingNode = RingNode>(
  servers: Iterable<NodeInput<N>>,
  options: KetamaOptions,
): KetamaRing<N> {
  return new KetamaRing<N>(servers, options)
}

/**
 * See {@link ketamaRing}. Immutable: build another for another set of servers.
 *
 * @example
 * const servers = ['10.0.1.1:11211', '10.0.1.2:11211']
 * const ring: KetamaRing = ketamaRing(servers, { compat: 'libmemcached' })
 * ring.getByHash(ring.hashOf('user:42')) === ring.get('user:42') // → true
 */
export class KetamaRing<N extends RingNode = RingNode> implements Placement<N> {
  readonly compat: KetamaCompat
  readonly #servers: readonly N[]
  readonly #points: Uint32Array
  readonly #owners: Uint16Array | Uint32Array

  /** Made by {@link ketamaRing}, which says what it throws. */
  constructor(servers: Iterable<NodeInput<N>>, options: KetamaOptions) {
    const compat = checkCompat(options)
    const list = checkServers(nodeList<N>(servers), compat)
    // Python's hash_ring counts a server of weight 0 in the number of nodes, C has none.
    const total = list.reduce((sum, server) => sum + weightOf(server), 0)
    const counted = compat === 'hash_ring' && total > 0 ? list : liveNodes(list)
    const { points, owners } = ketamaPoints(counted, compat)
    this.compat = compat
    this.#servers = counted
    this.#points = new Uint32Array(points.length)
    this.#owners = ownerArray(points.length, counted.length)
    const order = Uint32Array.from(points, (_, i) => i)
    order.sort((a, b) => points[a]! - points[b]! || a - b)
    order.forEach((from, to) => {
      this.#points[to] = points[from]!
      this.#owners[to] = owners[from]!
    })
    if (compat === 'hash_ring') lastOwnerWins(this.#points, this.#owners)
  }

  /** How many points the ring has. */
  get size(): number {
    return this.#points.length
  }

  /**
   * The server that owns the key, or `undefined` on an empty ring. O(log points) after one MD5.
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    return this.getByHash(this.hashOf(key))
  }

  /** The server that owns a hash of {@link hashOf}: an unsigned 32-bit number. */
  getByHash(hash: number): N | undefined {
    return this.#servers[this.#owners[this.#find(hash)]!]
  }

  /**
   * The position of a key on the ring: the first four bytes of its MD5, little-endian.
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  hashOf(key: RingKey): number {
    checkKey(key)
    return wordOf(digest(key), 0)
  }

  /**
   * The first n different servers clockwise from the key, the owner first; all of them if there
   * are fewer.
   *
   * @throws {RingError} `ERR_RING_COUNT` if n is not a whole number >= 0.
   */
  getN(key: RingKey, n: number): N[] {
    checkCount(n)
    const found = new Set<number>()
    const size = this.#points.length
    let at = this.#find(this.hashOf(key))
    for (let step = 0; step < size && found.size < n; step++) {
      found.add(this.#owners[at]!)
      if (++at === size) at = 0
    }
    return Array.from(found, (owner) => this.#servers[owner]!)
  }

  /** All points in ring order, for inspection and comparison. */
  points(): KetamaPoint[] {
    return Array.from(this.#points, (point, i) => {
      return { point, id: this.#servers[this.#owners[i]!]!.id }
    })
  }

  /** Index of the first point at (hash_ring: after) the hash, wrapping to the first. */
  #find(hash: number): number {
    const points = this.#points
    const key = this.compat === 'hash_ring' ? hash + 1 : hash
    let low = 0
    let high = points.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (points[middle]! < key) low = middle + 1
      else high = middle
    }
    return low === points.length ? 0 : low
  }
}

function checkCompat(options: KetamaOptions): KetamaCompat {
  const compat: unknown = options?.compat
  if (compat === 'libketama' || compat === 'hash_ring' || compat === 'libmemcached') return compat
  throw new RingError(
    'ERR_RING_OPTION',
    `compat must be 'libketama', 'hash_ring' or 'libmemcached', got ${show(compat)}`,
  )
}

function checkServers<N extends RingNode>(servers: N[], compat: KetamaCompat): N[] {
  const labels = new Set<string>()
  for (const server of servers) {
    const weight = weightOf(server)
    if (compat !== 'hash_ring' && !(Number.isInteger(weight) && weight <= 0xffffffff)) {
      throw new RingError(
        'ERR_RING_WEIGHT',
        `weight of server ${show(server.id)} must be a whole number up to 4294967295, ` +
          `as ${compat} reads it, got ${weight}; scale all weights up, e.g. by 100`,
      )
    }
    const label = labelOf(server.id, compat)
    if (labels.has(label)) {
      throw new RingError(
        'ERR_RING_DUPLICATE_ID',
        `server ${show(label)} is there twice: ${compat} takes :11211 as no part of the name`,
      )
    }
    labels.add(label)
  }
  return servers
}

/** hash_ring keeps points in a dict: where two collide, the server listed last has them both. */
function lastOwnerWins(points: Uint32Array, owners: Uint16Array | Uint32Array): void {
  for (let i = points.length - 2; i >= 0; i--) {
    if (points[i] === points[i + 1]) owners[i] = owners[i + 1]!
  }
}
