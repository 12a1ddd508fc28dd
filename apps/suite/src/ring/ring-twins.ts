// Rings with one thing wrong each: mistakes that rings in use make.

import { xxh32 } from '@ashlar/hash'
import { HashRing, type RingKey, type RingNode } from '@ashlar/ring'
import type { Settings } from '../../../../packages/ring/test/arbitrary-ring.ts'

/** Takes the hash modulo the number of nodes: one node leaves and most keys move. */
export class ModuloRing extends HashRing {
  override getByHash(hash: number): RingNode | undefined {
    const owning = this.nodes().filter(({ weight }) => weight !== 0)
    return owning[hash % owning.length]
  }
}

type Hash32 = (text: string, seed: number) => number

/** Right, but slow: all points in a list. Its twins differ from it by one line. */
export class ListedRing extends HashRing {
  readonly #settings: Settings
  #arrived: string[] = []
  /** The points, and the nodes that they are of. */
  #points: { readonly node: RingNode; readonly point: number }[] = []
  #of = ''

  constructor(nodes: readonly RingNode[], settings: Settings) {
    super([], settings)
    this.#settings = settings
    this.add(...nodes)
  }

  /** Where virtual node `v` lies. */
  protected pointOf(id: string, v: number, hash32: Hash32, keySeed: number): number {
    return hash32(id, hash32(String(v), keySeed))
  }

  /** Which of two nodes owns a point that both have: below 0 for the first. */
  protected compare(a: string, b: string): number {
    return a < b ? -1 : 1
  }

  override add(...nodes: RingNode[]): this {
    super.add(...nodes)
    const added = nodes.map(({ id }) => id)
    this.#arrived = this.#arrived.filter((id) => !added.includes(id)).concat(added)
    return this
  }

  override getByHash(hash: number): RingNode | undefined {
    const nodes = this.nodes()
    const of = JSON.stringify([nodes, this.#arrived])
    if (of !== this.#of) this.#points = this.#list(nodes)
    this.#of = of
    return (this.#points.find(({ point }) => point >= hash) ?? this.#points[0])?.node
  }

  #list(nodes: readonly RingNode[]): { readonly node: RingNode; readonly point: number }[] {
    const { virtualNodes, seed, hash: crowded } = this.#settings
    const keySeed = Math.imul(seed, 0x9e3779b1) >>> 0
    const hash32: Hash32 = (text, by) => (crowded?.hash32 ?? xxh32)(text, by >>> 0) >>> 0
    const members = new Map(nodes.map((node) => [node.id, node]))
    return this.#arrived
      .flatMap((id) => members.get(id) ?? [])
      .flatMap((node) => {
        const weight = node.weight ?? 1
        const count = weight === 0 ? 0 : Math.max(1, Math.round(virtualNodes * weight))
        return Array.from({ length: count }, (_, v) => {
          return { node, point: this.pointOf(node.id, v, hash32, keySeed) }
        })
      })
      .sort((a, b) => a.point - b.point || this.compare(a.node.id, b.node.id))
  }
}

/** A point that two nodes share goes to the one that came first. */
export class TiesByArrival extends ListedRing {
  protected override compare(): number {
    return 0
  }
}

/** Hashes `id + v`: virtual node 11 of `node` is virtual node 1 of `node1`. */
export class GluedNames extends ListedRing {
  protected override pointOf(id: string, v: number, hash32: Hash32, keySeed: number): number {
    return hash32(`${id}${v}`, keySeed)
  }
}

/** Begins a list of n at another place for each n: a third replica reshuffles the first two. */
export class TurnedLists extends HashRing {
  override getN(key: RingKey, n: number, options?: object): RingNode[] {
    const [first, ...rest] = super.getN(key, this.size, options)
    if (first === undefined) return []
    const from = rest.length === 0 ? 0 : n % rest.length
    return [first, ...rest.slice(from), ...rest.slice(0, from)].slice(0, n)
  }
}

/** Looks at the load before the key is placed: the fullest node gets one too many. */
export class OneTooMany extends HashRing {
  override getBounded(
    key: RingKey,
    load: (node: RingNode) => number,
    options?: { factor?: number; total?: number },
  ): RingNode | undefined {
    return super.getBounded(key, (node) => Math.max(0, load(node) - 1), options)
  }
}
