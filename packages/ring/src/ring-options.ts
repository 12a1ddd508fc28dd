// The options of a ring and of its questions: what may be given, within what range, and what is
// taken if nothing is.

import { RingError } from './ring-error.ts'
import type { RingHash } from './ring-hash.ts'
import { type RingNode, show } from './ring-node.ts'

/** Options of `HashRing`. Rings place keys alike if and only if the first three are equal. */
export interface RingOptions {
  /**
   * Virtual nodes of a node of weight 1, a whole number from 1 to 65,536; default 256. The shares
   * of equal nodes scatter around their mean by 1/√virtualNodes: 6.3 % at 256.
   */
  readonly virtualNodes?: number
  /** A whole number from 0 to 2^32 - 1; default 0. Rings of different seeds are independent. */
  readonly seed?: number
  /** The hash function; XXH32 unless given. */
  readonly hash?: RingHash | undefined
  /**
   * How many answers of `get` to keep for string keys, from 0 (none, the default) to 2^24. Worth
   * it only where the same string objects are looked up again and again.
   */
  readonly memo?: number
}

/** What `HashRing.getN` may take into account. */
export interface GetNOptions<N extends RingNode> {
  /** `'spread'` takes each next node from a zone used least so far; default `'ignore'`. */
  readonly zones?: 'spread' | 'ignore'
  /** Nodes to pass over: their ids, or a test. */
  readonly exclude?: ReadonlySet<string> | ((node: N) => boolean) | undefined
}

/** What `HashRing.getBounded` may be told. */
export interface BoundedOptions {
  /** How far above its share of the load a node may go; above 1, default 1.25. */
  readonly factor?: number
  /** The sum of all loads, if it is known: saves asking every node. */
  readonly total?: number
}

const MAX_VIRTUAL_NODES = 65_536
const MAX_SEED = 2 ** 32 - 1
const MAX_MEMO = 2 ** 24

/** The options with their defaults, checked. */
export function readOptions(options: RingOptions): {
  virtualNodes: number
  seed: number
  memo: number
} {
  const { virtualNodes = 256, seed = 0, memo = 0 } = options
  checkRange('virtualNodes', virtualNodes, 1, MAX_VIRTUAL_NODES)
  checkRange('seed', seed, 0, MAX_SEED)
  checkRange('memo', memo, 0, MAX_MEMO)
  return { virtualNodes, seed, memo }
}

/** A list as callers give it; a bare string, a list of its letters to the language, is refused. */
export function checkList<T>(list: Iterable<T>, what: string): Iterable<T> {
  const given: unknown = list
  const isList = typeof given === 'object' && given !== null && Symbol.iterator in given
  if (isList) return list
  throw new RingError(
    'ERR_RING_OPTION',
    `${what} must be an array or another iterable, got ${show(given)}`,
  )
}

function checkRange(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return
  throw new RingError(
    'ERR_RING_OPTION',
    `${name} must be a whole number from ${low} to ${high}, got ${show(value)}`,
  )
}
