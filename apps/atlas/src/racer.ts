// The caches that race: one line each, and all the same interface behind.

import {
  AdaptiveCache,
  type Cache,
  type CacheOptions,
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '@ashlar/cache'
import type { City } from './city.ts'

/** A cache of cities by their key. */
export type CityCache = Pick<Cache<string, City>, 'get' | 'set' | 'size' | 'stats'>

/** A policy that races. */
export interface Racer {
  readonly id: string
  readonly name: string
  readonly make: (options: CacheOptions<string, City>) => CityCache
}

/** All policies there are, the simplest first, the one that moves between the others last. */
export const RACERS: readonly Racer[] = [
  { id: 'fifo', name: 'FIFO', make: (options) => new FifoCache(options) },
  { id: 'lru', name: 'LRU', make: (options) => new LruCache(options) },
  { id: 'lfu', name: 'LFU', make: (options) => new LfuCache(options) },
  { id: 'sieve', name: 'SIEVE', make: (options) => new SieveCache(options) },
  { id: 's3-fifo', name: 'S3-FIFO', make: (options) => new S3FifoCache(options) },
  { id: 'tiny-lfu', name: 'W-TinyLFU', make: (options) => new TinyLfuCache(options) },
  { id: 'adaptive', name: 'Adaptive', make: (options) => new AdaptiveCache(options) },
]

/** The policy that serves the crowd unless another one is chosen. */
export const DEFAULT_POLICY = 'adaptive'
