// Maglev hashing: a table of a prime number of entries, shared out evenly; a key's hash modulo the
// size says the entry, the entry the node. The fastest lookup and the evenest shares here, paid
// for with a table per node set and a little movement between nodes that stayed. Hash and order
// are Envoy's: offset = XXH64(id) % size, skip = XXH64(id, 1) % (size - 1) + 1, ids by bytes.
// Source: Eisenbud et al., "Maglev", NSDI 2016; Envoy, maglev_lb.cc.

import { type Halves, xxh64Into } from '@ashlar/hash'
import { readHash64 } from './key64.ts'
import { fillMaglev } from './maglev-fill.ts'
import type { NodeInput } from './member.ts'
import { liveNodes, nodeList, ownerArray } from './node-list.ts'
import type { Placement } from './placement.ts'
import { RingError } from './ring-error.ts'
import { checkKey, type RingKey } from './ring-key.ts'
import { type RingNode, show } from './ring-node.ts'
import { sharesOf } from './weight-shares.ts'

/** Options of {@link MaglevTable}. */
export interface MaglevOptions {
  /**
   * Entries: a prime, 2 to 5,000,011 (Envoy's limit), and at least one for each node; 65537 by
   * default. Take at least 100 for each node: the shares differ by about one part in that many.
   */
  readonly size?: number
}

const LARGEST = 5_000_011
const encoder = new TextEncoder()
const scratch: Halves = { hi: 0, lo: 0 }

/**
 * A Maglev table that maps keys exactly as Envoy's `MAGLEV` policy does.
 *
 * Shares are even to within about one entry; the order of nodes does not matter. A change of the
 * nodes moves somewhat more than the least possible (with 100 nodes and 65537 entries about 1.6
 * times that). Nodes of weight 0 own nothing. Immutable: build another for another set of nodes
 * (about 2 ms). Memory: 2 bytes an entry.
 *
 * @example
 * const table = new MaglevTable(['90', '91', '92', '93', '94', '95'], { size: 7 })
 * table.ids() // → ['92', '95', '90', '93', '94', '91', '90']
 */
export class MaglevTable<N extends RingNode = RingNode> implements Placement<N> {
  /** How many entries the table has. */
  readonly size: number
  readonly #nodes: readonly N[]
  readonly #owners: Uint16Array | Uint32Array

  /**
   * @throws {RingError} on a bad or repeated id, a bad weight, or a size that is not a prime in
   * range or smaller than the number of nodes.
   */
  constructor(nodes: Iterable<NodeInput<N>>, options: MaglevOptions = {}) {
    const { size = 65537 } = options
    const live = liveNodes(nodeList<N>(nodes))
    checkSize(size, live.length)
    this.size = size
    this.#nodes = sortByBytes(live)
    const shares = sharesOf(this.#nodes)
    const turns = this.#nodes.map(({ id }, i) => {
      const offset = remainder(id, 0, size)
      // Modulo size - 1 and one up: a skip of 0 would visit one entry for ever.
      return { offset, skip: remainder(id, 1, size - 1) + 1, share: shares[i]! }
    })
    this.#owners = ownerArray(turns.length === 0 ? 0 : size, turns.length)
    if (turns.length > 0) this.#owners.set(fillMaglev(size, turns))
  }

  /**
   * The node that owns the key, or `undefined` on an empty table. O(1).
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    checkKey(key)
    xxh64Into(key, scratch)
    return this.#nodes[this.#owners[modulo(scratch, this.size)]!]
  }

  /**
   * The node that owns a 64-bit hash.
   *
   * @throws {RingError} `ERR_RING_KEY` unless it is a 64-bit bigint or two halves.
   */
  getByHash(hash: bigint | Readonly<Halves>): N | undefined {
    readHash64(hash, scratch)
    return this.#nodes[this.#owners[modulo(scratch, this.size)]!]
  }

  /** The id behind each entry, for inspection and comparison; empty without nodes. */
  ids(): string[] {
    return Array.from(this.#owners, (owner) => this.#nodes[owner]!.id)
  }
}

function remainder(id: string, seed: number, divisor: number): number {
  xxh64Into(id, scratch, seed)
  return modulo(scratch, divisor)
}

/** 64 bits modulo a divisor up to LARGEST: no step here leaves the 53 bits of a number. */
function modulo({ hi, lo }: Halves, divisor: number): number {
  return ((hi % divisor) * (0x100000000 % divisor) + lo) % divisor
}

/** Envoy sorts by the bytes of the names; UTF-16 order differs above U+FFFF. */
function sortByBytes<N extends RingNode>(nodes: readonly N[]): N[] {
  const named = nodes.map((node) => ({ node, bytes: encoder.encode(node.id) }))
  named.sort((a, b) => compareBytes(a.bytes, b.bytes) || (a.node.id < b.node.id ? -1 : 1))
  return named.map(({ node }) => node)
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!
  }
  return a.length - b.length
}

function checkSize(size: number, nodes: number): void {
  if (!(Number.isInteger(size) && size >= 2 && size <= LARGEST && isPrime(size))) {
    throw new RingError(
      'ERR_RING_OPTION',
      `size must be a prime from 2 to ${LARGEST}, got ${show(size)}; e.g. 65537 or 655373`,
    )
  }
  if (nodes > size) {
    throw new RingError(
      'ERR_RING_OPTION',
      `size must be at least the number of nodes (${nodes}), got ${size}; take 100 times that`,
    )
  }
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    if (n % divisor === 0) return false
  }
  return true
}
