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
export {
  CacheCluster,
  type CacheClusterOptions,
  type CachePlacement,
  type CacheServer,
  type FarOptions,
} from './cluster/cache-cluster.ts'
export { FifoCache } from './fifo.ts'
export { LfuCache } from './lfu.ts'
export type { CacheLike } from './loading/cache-like.ts'
export { type Cached, type CachedOptions, cached, type PrimitiveKey } from './loading/cached.ts'
export type { Entry } from './loading/entry.ts'
export type {
  KeepOptions,
  Load,
  LoadContext,
  LoadedMany,
  LoadMany,
  LoadManyContext,
} from './loading/load.ts'
export { LoadCycleError } from './loading/load-cycle-error.ts'
export { LoadingCache } from './loading/loading-cache.ts'
export type { LoadingEvent, LoadingStats } from './loading/loading-events.ts'
export type { LoadingCacheOptions, LoadingGetOptions } from './loading/loading-options.ts'
export { namespaced } from './loading/namespace.ts'
export { LruCache } from './lru.ts'
export {
  MissRatioCurve,
  type MissRatioCurveOptions,
  type MissRatioPoint,
  missRatioCurve,
} from './miss-ratio-curve.ts'
export { S3FifoCache } from './s3-fifo.ts'
export { SieveCache } from './sieve.ts'
export type { Announcement, Bus, BusListener } from './tiered/bus.ts'
export type { Codec } from './tiered/codec.ts'
export { MemoryBus } from './tiered/memory-bus.ts'
export { MemoryStore, type MemoryStoreOptions } from './tiered/memory-store.ts'
export type {
  FillOptions,
  LeaseMode,
  LeaseReply,
  Store,
  StoreChange,
  StoredValue,
  StoreLease,
  StorePosition,
} from './tiered/store.ts'
export { TieredCache } from './tiered/tiered-cache.ts'
export type { TieredCacheOptions, TieredSetOptions } from './tiered/tiered-options.ts'
export type { WriteBehindOptions } from './tiered/write-behind.ts'
export type { Timers } from './timers.ts'
export { TinyLfuCache } from './tiny-lfu.ts'
