// The oracle of the ring's laws: a list of all virtual nodes, looked through from end to end for
// every question. Slow, and too plain to be wrong.

import { xxh32 } from '@ashlar/hash'
import type { RingHash, RingNode } from '@ashlar/ring'

export interface VirtualNode {
  readonly point: number
  readonly node: RingNode
}

export class NaiveRing {
  readonly virtualNodes: readonly VirtualNode[]
  readonly nodes: readonly RingNode[]

  constructor(
    nodes: readonly RingNode[],
    options: { virtualNodes?: number; seed?: number; hash?: RingHash | undefined } = {},
  ) {
    const { virtualNodes = 256, seed = 0, hash } = options
    const hash32 = hash?.hash32 ?? xxh32
    const keySeed = Math.imul(seed, 0x9e3779b1) >>> 0
    this.nodes = nodes
    this.virtualNodes = nodes
      .flatMap((node) => {
        const weight = node.weight ?? 1
        const count = weight === 0 ? 0 : Math.max(1, Math.round(virtualNodes * weight))
        return Array.from({ length: count }, (_, v) => ({
          point: hash32(node.id, hash32(String(v), keySeed) >>> 0) >>> 0,
          node,
        }))
      })
      .sort((a, b) => a.point - b.point || (a.node.id < b.node.id ? -1 : 1))
  }

  /** All nodes that own something, in the order in which they follow a hash. */
  preference(hash: number): RingNode[] {
    const after = this.virtualNodes.filter(({ point }) => point >= hash)
    const before = this.virtualNodes.filter(({ point }) => point < hash)
    return [...new Set([...after, ...before].map(({ node }) => node))]
  }

  owner(hash: number): RingNode | undefined {
    return this.preference(hash)[0]
  }

  /** Greedily, as the rule is stated: the zone used least, then ring order. */
  spread(hash: number, n: number, isExcluded: (node: RingNode) => boolean): RingNode[] {
    const left = this.preference(hash).filter((node) => !isExcluded(node))
    const chosen: RingNode[] = []
    const uses = (node: RingNode) => chosen.filter((other) => other.zone === node.zone).length
    while (chosen.length < n && left.length > 0) {
      const least = Math.min(...left.map(uses))
      const next = left.findIndex((node) => uses(node) === least)
      chosen.push(...left.splice(next, 1))
    }
    return chosen
  }

  /** Every hash at which an owner may change, with its neighbours, and the ends of the ring. */
  tellingHashes(): number[] {
    const around = this.virtualNodes.flatMap(({ point }) => [point - 1, point, point + 1])
    return [...new Set([0, 1, 2 ** 31, 2 ** 32 - 1, ...around.map((hash) => hash >>> 0)])]
  }
}
