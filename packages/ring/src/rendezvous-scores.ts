// The score of every node for one key: the node with the highest owns it. In terms of XXH32, with
// s the caller's seed, le32 little-endian bytes and word the key's 32 bits:
//
//   bits  = XXH32(le32(word) ++ le32(XXH32(id, s + 1)), seed XXH32(id, s))
//   u     = (bits + 0.5) / 2^32
//   score = -weight / ln(u)        where weights differ; where all are equal, bits itself
//
// Both order the nodes alike when weights are equal. Two words of the id, not one: two ids that
// collide in 32 bits would score alike for every key, and one of them would own nothing.
// Source: Thaler and Ravishankar (1998); weights: Schindelhauer and Schomaker, SPAA 2005.

import { xxh32 } from '@ashlar/hash'
import { type RingNode, weightOf } from './ring-node.ts'

const PRIME2 = 0x85ebca77
const PRIME3 = 0xc2b2ae3d
const PRIME4 = 0x27d4eb2f
const PRIME5 = 0x165667b1

/** Precomputed scores of a fixed list of nodes, all of weight above 0. */
export class RendezvousScores {
  readonly length: number
  readonly #starts: Int32Array
  readonly #words: Int32Array
  readonly #weights: Float64Array
  readonly #equal: boolean

  constructor(nodes: readonly RingNode[], seed: number) {
    this.length = nodes.length
    this.#starts = new Int32Array(nodes.length)
    this.#words = new Int32Array(nodes.length)
    this.#weights = Float64Array.from(nodes, weightOf)
    this.#equal = this.#weights.every((weight) => weight === this.#weights[0])
    nodes.forEach(({ id }, i) => {
      // What XXH32 of eight bytes adds before the first word, and of the second word.
      this.#starts[i] = (xxh32(id, seed) + PRIME5 + 8) | 0
      this.#words[i] = Math.imul(xxh32(id, (seed + 1) >>> 0), PRIME3)
    })
  }

  /** The score of node i for a key's 32 bits. */
  at(i: number, word: number): number {
    const bits = mix((this.#starts[i]! + Math.imul(word, PRIME3)) | 0, this.#words[i]!)
    return this.#equal ? bits >>> 0 : -this.#weights[i]! / Math.log(unit(bits))
  }

  /** The node with the highest score, the first of equals; -1 without nodes. O(nodes). */
  best(word: number): number {
    return this.#equal ? this.#bestOfEqual(word) : this.#bestOfWeighted(word)
  }

  #bestOfWeighted(word: number): number {
    const weights = this.#weights
    const lane = Math.imul(word, PRIME3)
    let best = -1
    let highest = -1
    for (let i = 0; i < weights.length; i++) {
      const u = unit(mix((this.#starts[i]! + lane) | 0, this.#words[i]!))
      const weight = weights[i]!
      // 1 - u <= -ln(u): most nodes are out without a logarithm, by more than rounding can hide.
      if ((1 - u) * highest > weight * (1 + 1e-12)) continue
      const score = -weight / Math.log(u)
      if (score > highest) {
        highest = score
        best = i
      }
    }
    return best
  }

  /** Compares the bits as signed numbers, the top bit flipped: 1.6 times as fast as unsigned. */
  #bestOfEqual(word: number): number {
    const starts = this.#starts
    const words = this.#words
    const lane = Math.imul(word, PRIME3)
    let best = -1
    let highest = -0x80000000
    for (let i = 0; i < starts.length; i++) {
      const score = mix((starts[i]! + lane) | 0, words[i]!) ^ 0x80000000
      if (score > highest || best < 0) {
        highest = score
        best = i
      }
    }
    return best
  }
}

/** XXH32 of eight bytes from where the seed and the first word are added to the last step. */
function mix(start: number, word: number): number {
  let h = Math.imul((start << 17) | (start >>> 15), PRIME4)
  h = (h + word) | 0
  h = Math.imul((h << 17) | (h >>> 15), PRIME4)
  h = Math.imul(h ^ (h >>> 15), PRIME2)
  h = Math.imul(h ^ (h >>> 13), PRIME3)
  return h ^ (h >>> 16)
}

/** 32 bits as a number above 0 and below 1. */
function unit(bits: number): number {
  return ((bits >>> 0) + 0.5) / 0x100000000
}
