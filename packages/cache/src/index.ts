export { AdaptiveCache } from './adaptive.ts'
export type {
  Cache,
  CacheDump,
  CacheStats,
  DumpedEntry,
  EntryOptions,
  EvictReason,
} from './cache.ts'
export { CacheError, type CacheErrorCode } from './cache-error.ts'
export type { CacheOptions } from './cache-options.ts'
export { FifoCache } from './fifo.ts'
export { LfuCache } from './lfu.ts'
export { LruCache } from './lru.ts'
export { S3FifoCache } from './s3-fifo.ts'
export { SieveCache } from './sieve.ts'
export { TinyLfuCache } from './tiny-lfu.ts'
