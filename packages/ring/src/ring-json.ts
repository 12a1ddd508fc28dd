// A ring as JSON: its options, its nodes, and a fingerprint by which a reader knows that it got
// the same ring. Points are not stored: they follow from the ids.

import type { Member } from './member.ts'
import { RingError } from './ring-error.ts'
import { type RingNode, show } from './ring-node.ts'

/** What `HashRing.toJSON` returns and `HashRing.fromJSON` reads. */
export interface RingJson {
  readonly format: '@ashlar/ring'
  readonly version: 1
  /** The name of the hash function. */
  readonly hash: string
  readonly virtualNodes: number
  readonly seed: number
  /** Sorted by id, with the fields that the caller gave them. */
  readonly nodes: readonly RingNode[]
  /** See `HashRing.fingerprint`; checked by the reader. */
  readonly fingerprint: string
}

/** A member as plain data: its own fields, and what the ring read from it when it came in. */
export function plainNode({ node, id, weight, zone }: Member): RingNode {
  return {
    ...node,
    id,
    ...(node.weight === undefined && weight === 1 ? {} : { weight }),
    ...(zone === undefined ? {} : { zone }),
  }
}

/** Checks the shape of a stored ring; nodes and ranges are checked when a ring is made of it. */
export function readRingJson(value: unknown): RingJson {
  if (typeof value !== 'object' || value === null) {
    throw malformed(`must be the object that toJSON returned, got ${show(value)}`)
  }
  const json: Partial<Record<keyof RingJson, unknown>> = value
  const { format, version, hash, virtualNodes, seed, nodes, fingerprint } = json
  if (format !== '@ashlar/ring') {
    throw malformed(`must have format "@ashlar/ring", got ${show(format)}`)
  }
  if (version !== 1)
    throw malformed(`must have version 1, the only one known, got ${show(version)}`)
  if (typeof hash !== 'string') throw malformed(`must name its hash, got ${show(hash)}`)
  if (typeof virtualNodes !== 'number' || typeof seed !== 'number') {
    throw malformed(
      `must have numbers as virtualNodes and seed, got ${show(virtualNodes)} and ${show(seed)}`,
    )
  }
  if (!Array.isArray(nodes)) throw malformed(`must have an array of nodes, got ${show(nodes)}`)
  for (const node of nodes) {
    if (typeof node !== 'object') throw malformed(`must have objects as nodes, got ${show(node)}`)
  }
  if (typeof fingerprint !== 'string') {
    throw malformed(`must have a fingerprint, got ${show(fingerprint)}`)
  }
  return { format, version, hash, virtualNodes, seed, nodes, fingerprint }
}

/** Throws unless the ring that was made is the ring that was stored. */
export function checkFingerprint(stored: string, made: string): void {
  if (stored === made) return
  throw malformed(
    `has fingerprint ${show(stored)} but its contents have ${made}: it was altered on the way, ` +
      'or the hash given is not the one that placed its keys',
  )
}

function malformed(what: string): RingError {
  return new RingError('ERR_RING_FORMAT', `a stored ring ${what}`)
}
