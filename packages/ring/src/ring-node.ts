// A node as callers give it, to a ring, a table or a slot map, and what is checked about it.

import { RingError } from './ring-error.ts'

/**
 * A member of a ring, table or slot map. Fields of your own are kept and handed back.
 *
 * `id` is any non-empty string and is all that placement depends on besides `weight` (default 1;
 * 0 drains: the node stays known but owns nothing). `zone` names the failure domain that
 * `getN(…, { zones: 'spread' })` spreads over.
 */
export interface RingNode {
  readonly id: string
  readonly weight?: number
  readonly zone?: string
}

/** The weight of a node, 1 unless it has its own. */
export function weightOf(node: RingNode): number {
  return node.weight ?? 1
}

/** Throws a {@link RingError} unless the node has a non-empty string id and a usable weight. */
export function checkNode(node: RingNode): void {
  const given: unknown = node
  if (typeof given !== 'object' || given === null) {
    throw new RingError('ERR_RING_ID', `a node must be an object with an id, got ${String(given)}`)
  }
  const id: unknown = node.id
  if (typeof id !== 'string' || id === '') {
    throw new RingError('ERR_RING_ID', `node.id must be a non-empty string, got ${show(id)}`)
  }
  const weight: unknown = node.weight
  if (weight !== undefined && !(typeof weight === 'number' && weight >= 0 && weight < Infinity)) {
    throw new RingError(
      'ERR_RING_WEIGHT',
      `weight of node ${show(id)} must be a finite number >= 0 (0 drains it), got ${show(weight)}`,
    )
  }
  const zone: unknown = node.zone
  if (zone !== undefined && typeof zone !== 'string') {
    throw new RingError(
      'ERR_RING_ID',
      `zone of node ${show(id)} must be a string or left out, got ${show(zone)}`,
    )
  }
}

/** Orders by id, by UTF-16 code units: the same on every machine and in every locale. */
export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

/** A value as it reads in an error message: strings quoted, everything else as text. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
