// lru-cache under our interface, as far as it goes: it joins the laws that it keeps, and is the
// broken twin of those that it does not.

import { LRUCache } from 'lru-cache'
import type { Cache, CacheDump, CacheOptions, CacheStats, EvictReason } from '../src/index.ts'

const REASONS: Readonly<Record<string, EvictReason>> = {
  evict: 'evicted',
  expire: 'expired',
  set: 'replaced',
  delete: 'deleted',
}

/** A cache that lru-cache keeps; dumps, counters and new limits are not its own. */
export class LruCachePeer<K, V> implements Cache<K, V> {
  readonly #cache: LRUCache<K & NonNullable<unknown>, V & NonNullable<unknown>>

  constructor({ max, ttlMs, monotonic, onEvict }: CacheOptions<K, V>) {
    this.#cache = new LRUCache({
      max: max ?? 0,
      ...(ttlMs === undefined ? {} : { ttl: ttlMs, ttlResolution: 0 }),
      ...(monotonic === undefined ? {} : { perf: { now: monotonic } }),
      dispose: (value, key, reason) => onEvict?.(key, value, REASONS[reason]!),
    })
  }

  get(key: K): V | undefined {
    return this.#cache.get(key as K & NonNullable<unknown>)
  }

  peek(key: K): V | undefined {
    return this.#cache.peek(key as K & NonNullable<unknown>)
  }

  has(key: K): boolean {
    return this.#cache.has(key as K & NonNullable<unknown>)
  }

  set(key: K, value: V): this {
    this.#cache.set(key as K & NonNullable<unknown>, value as V & NonNullable<unknown>)
    return this
  }

  delete(key: K): boolean {
    return this.#cache.delete(key as K & NonNullable<unknown>)
  }

  clear(): void {
    this.#cache.clear()
  }

  purge(): number {
    const { size } = this.#cache
    this.#cache.purgeStale()
    return size - this.#cache.size
  }

  resize(): void {
    throw new Error('lru-cache keeps its bounds')
  }

  get size(): number {
    return this.#cache.size
  }

  get weight(): number {
    return this.#cache.size
  }

  *keys(): IterableIterator<K> {
    yield* this.#cache.keys()
  }

  *values(): IterableIterator<V> {
    yield* this.#cache.values()
  }

  *entries(): IterableIterator<[K, V]> {
    yield* this.#cache.entries()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  dump(): CacheDump<K, V> {
    throw new Error('lru-cache dumps otherwise')
  }

  load(): void {
    throw new Error('lru-cache loads otherwise')
  }

  stats(): CacheStats {
    throw new Error('lru-cache does not count')
  }
}
