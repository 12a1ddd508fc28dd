// Envoy's ring hash: points XXH64(host + "_" + i) on a 64-bit ring, a key belongs to the first
// point at or after XXH64(key). The same points, so that a client can know which host an Envoy
// proxy will choose.  high | low Uint32Array (halves of the sorted points), owners beside them;
// lookups compare halves and never make a bigint.
// Source: Envoy, ring_hash_lb.cc and thread_aware_lb_impl.cc.

import { type Halves, xxh64Into } from '@ashlar/hash'
import { readHash64 } from './key64.ts'
import type { NodeInput } from './member.ts'
import { liveNodes, nodeList, ownerArray } from './node-list.ts'
import type { Placement } from './placement.ts'
import { RingError } from './ring-error.ts'
import { checkCount, checkKey, type RingKey } from './ring-key.ts'
import { type RingNode, show } from './ring-node.ts'
import { sharesOf } from './weight-shares.ts'

/** Options of {@link envoyRing}, named as in Envoy's `RingHashLbConfig`. */
export interface EnvoyRingOptions {
  /** Least number of points: 1 to 2^23, default 1024. */
  readonly minimumRingSize?: number
  /** Most points: minimumRingSize to 2^23, default 2^23. */
  readonly maximumRingSize?: number
}

/** A point of an {@link EnvoyRing}. */
export interface EnvoyPoint {
  readonly point: bigint
  readonly id: string
}

const MOST_POINTS = 8 * 1024 * 1024
const scratch: Halves = { hi: 0, lo: 0 }

/**
 * A ring that maps keys exactly as Envoy's `RING_HASH` policy does (XXH64).
 *
 * How many points a host has depends on the weights of all hosts, and with uneven weights on their
 * order, as in Envoy: a change of hosts may move keys between the others. A host of weight 0 is
 * left out.
 *
 * @param hosts ids as Envoy hashes them (`address:port`, or the hostname), or nodes with a weight.
 * @throws {RingError} on a bad or repeated id, a bad weight, or sizes out of range.
 * @example
 * const ring = envoyRing(['127.0.0.1:90', '127.0.0.1:91'], { minimumRingSize: 12 })
 * ring.size // → 12
 */
export function envoyRing<N extends RingNode = RingNode>(
  hosts: Iterable<NodeInput<N>>,
  options: EnvoyRingOptions = {},
): EnvoyRing<N> {
  return new EnvoyRing<N>(hosts, options)
}

/**
 * See {@link envoyRing}. Immutable: build another for another set of hosts.
 *
 * @example
 * const ring: EnvoyRing = envoyRing(['10.0.0.1:80', '10.0.0.2:80'])
 * ring.points().length === ring.size // → true
 * ring.getN('user:42', 2).length // → 2
 */
export class EnvoyRing<N extends RingNode = RingNode> implements Placement<N> {
  readonly #hosts: readonly N[]
  readonly #high: Uint32Array
  readonly #low: Uint32Array
  readonly #owners: Uint16Array | Uint32Array

  /** Made by {@link envoyRing}, which says what it throws. */
  constructor(hosts: Iterable<NodeInput<N>>, options: EnvoyRingOptions = {}) {
    const { minimumRingSize = 1024, maximumRingSize = MOST_POINTS } = options
    checkSizes(minimumRingSize, maximumRingSize)
    this.#hosts = liveNodes(nodeList<N>(hosts))
    const counts = pointCounts(this.#hosts, minimumRingSize, maximumRingSize)
    const size = counts.reduce((sum, count) => sum + count, 0)
    const high = new Uint32Array(size)
    const low = new Uint32Array(size)
    const owners = new Uint32Array(size)
    let p = 0
    this.#hosts.forEach((host, owner) => {
      for (let i = 0; i < counts[owner]!; i++) {
        xxh64Into(`${host.id}_${i}`, scratch)
        high[p] = scratch.hi
        low[p] = scratch.lo
        owners[p++] = owner
      }
    })
    const order = Uint32Array.from(high, (_, i) => i)
    order.sort((a, b) => high[a]! - high[b]! || low[a]! - low[b]! || a - b)
    this.#high = order.map((from) => high[from]!)
    this.#low = order.map((from) => low[from]!)
    this.#owners = ownerArray(size, this.#hosts.length)
    order.forEach((from, to) => {
      this.#owners[to] = owners[from]!
    })
  }

  /** How many points the ring has. */
  get size(): number {
    return this.#high.length
  }

  /**
   * The host that owns the key, or `undefined` on an empty ring. O(log points).
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    checkKey(key)
    xxh64Into(key, scratch)
    return this.#hosts[this.#owners[this.#find(scratch.hi, scratch.lo)]!]
  }

  /**
   * The host that owns a 64-bit hash: Envoy's own hash of a header, say.
   *
   * @throws {RingError} `ERR_RING_KEY` unless it is a 64-bit bigint or two halves.
   */
  getByHash(hash: bigint | Readonly<Halves>): N | undefined {
    readHash64(hash, scratch)
    return this.#hosts[this.#owners[this.#find(scratch.hi, scratch.lo)]!]
  }

  /**
   * The first n different hosts clockwise from the key, the owner first; all of them if there are
   * fewer. (Envoy's own retries may meet the same host again.)
   *
   * @throws {RingError} `ERR_RING_COUNT` if n is not a whole number >= 0.
   */
  getN(key: RingKey, n: number): N[] {
    checkKey(key)
    checkCount(n)
    xxh64Into(key, scratch)
    const found = new Set<number>()
    let at = this.#find(scratch.hi, scratch.lo)
    for (let step = 0; step < this.size && found.size < n; step++) {
      found.add(this.#owners[at]!)
      if (++at === this.size) at = 0
    }
    return Array.from(found, (owner) => this.#hosts[owner]!)
  }

  /** All points in ring order, for inspection and comparison. */
  points(): EnvoyPoint[] {
    return Array.from(this.#owners, (owner, i) => {
      const point = (BigInt(this.#high[i]!) << 32n) | BigInt(this.#low[i]!)
      return { point, id: this.#hosts[owner]!.id }
    })
  }

  /** Index of the first point at or after the hash, wrapping to the first. */
  #find(hi: number, lo: number): number {
    const high = this.#high
    const low = this.#low
    let from = 0
    let to = high.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const h = high[middle]!
      if (h < hi || (h === hi && low[middle]! < lo)) from = middle + 1
      else to = middle
    }
    return from === high.length ? 0 : from
  }
}

function checkSizes(minimum: number, maximum: number): void {
  for (const size of [minimum, maximum]) {
    if (!(Number.isInteger(size) && size >= 1 && size <= MOST_POINTS)) {
      throw new RingError(
        'ERR_RING_OPTION',
        `minimumRingSize and maximumRingSize must be whole numbers from 1 to ${MOST_POINTS}, ` +
          `got ${show(size)}`,
      )
    }
  }
  if (minimum > maximum) {
    throw new RingError(
      'ERR_RING_OPTION',
      `minimumRingSize must not be above maximumRingSize, got ${minimum} and ${maximum}`,
    )
  }
}

/**
 * Envoy scales the normalised weights so that the lightest host gets a whole number of points, then
 * walks the hosts with running sums, which is why their order shows when others get fractions.
 */
function pointCounts(hosts: readonly RingNode[], minimum: number, maximum: number): number[] {
  const shares = sharesOf(hosts)
  const least = shares.reduce((a, b) => Math.min(a, b), 1)
  const scale = Math.min(Math.ceil(least * minimum) / least, maximum)
  let current = 0
  let target = 0
  return shares.map((share) => {
    target += scale * share
    const count = Math.max(0, Math.ceil(target - current))
    current += count
    return count
  })
}
