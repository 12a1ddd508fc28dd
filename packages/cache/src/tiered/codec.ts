// How values leave the process, as text.

import { CacheError } from '../cache-error.ts'

/** Turns values into text and back. */
export interface Codec<V> {
  encode(value: V): string
  /** Throws on text that it never wrote. */
  decode(text: string): V
}

/** JSON: what it drops or changes (dates, maps, undefined in objects) comes back changed. */
export function jsonCodec<V>(): Codec<V> {
  return { encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text) }
}

/** @throws {CacheError} `ERR_CACHE_CODEC` for a value that has no text */
export function encodeWith<V>(codec: Codec<V>, value: V, key: string): string {
  let cause: unknown
  try {
    const text: unknown = codec.encode(value)
    if (typeof text === 'string') return text
  } catch (error) {
    cause = error
  }
  const hint = 'allowed is what JSON can hold; give another codec for other values'
  const message = `value of ${JSON.stringify(key)}: cannot be turned into text; ${hint}`
  throw new CacheError('ERR_CACHE_CODEC', message, { cause })
}

/** @throws {CacheError} `ERR_CACHE_GARBAGE` for text that is not of this codec */
export function decodeWith<V>(codec: Codec<V>, text: string, key: string): V {
  try {
    return codec.decode(text)
  } catch (cause) {
    const hint = 'it is loaded again and replaced'
    const message = `store: what is there for ${JSON.stringify(key)} cannot be read; ${hint}`
    throw new CacheError('ERR_CACHE_GARBAGE', message, { cause })
  }
}
