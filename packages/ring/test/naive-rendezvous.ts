// Rendezvous hashing as its docs state it: hash bytes, take logarithms, sort. Slow and obvious.

import { xxh32 } from '@ashlar/hash'
import type { RingNode } from '@ashlar/ring'

/** All nodes of weight above 0 by score, highest first; equal scores by id. */
export function naiveOwners(nodes: readonly RingNode[], key: string, seed: number): RingNode[] {
  const s = Math.imul(seed, 0x9e3779b1) >>> 0
  const live = nodes.filter(({ weight }) => weight !== 0)
  const unweighted = live.every(({ weight }) => weight === live[0]!.weight)
  const scored = live.map((node) => {
    const bits = naiveBits(node.id, xxh32(key, s), s)
    const weighted = -(node.weight ?? 1) / Math.log((bits + 0.5) / 2 ** 32)
    return { node, score: unweighted ? bits : weighted }
  })
  scored.sort((a, b) => b.score - a.score || (a.node.id < b.node.id ? -1 : 1))
  return scored.map(({ node }) => node)
}

/** The 32 random bits of a node for a key's 32 bits. */
export function naiveBits(id: string, word: number, s: number): number {
  const words = new DataView(new ArrayBuffer(8))
  words.setUint32(0, word, true)
  words.setUint32(4, xxh32(id, (s + 1) >>> 0), true)
  return xxh32(new Uint8Array(words.buffer), xxh32(id, s))
}
