// A key as callers give it: a string, hashed as UTF-8 (lone surrogates as U+FFFD, never
// normalised), or bytes, hashed as they are. A string and its UTF-8 bytes are the same key.

import { RingError } from './ring-error.ts'
import { show } from './ring-node.ts'

/** A key: a string, taken as UTF-8, or bytes. */
export type RingKey = string | Uint8Array

/** Throws a {@link RingError} (`ERR_RING_KEY`) unless the key is a string or bytes. */
export function checkKey(key: RingKey): void {
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw new RingError(
      'ERR_RING_KEY',
      `key must be a string or a Uint8Array, got ${show(key)}; convert it, e.g. String(key)`,
    )
  }
}

/** Throws a {@link RingError} (`ERR_RING_COUNT`) unless n is a whole number of nodes to return. */
export function checkCount(n: number): void {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw new RingError('ERR_RING_COUNT', `n must be a whole number >= 0, got ${show(n)}`)
  }
}
