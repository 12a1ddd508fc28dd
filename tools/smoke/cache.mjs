// The main parts of @ashlar/cache, on any runtime.
import {
  AdaptiveCache,
  CacheCluster,
  cached,
  FifoCache,
  LfuCache,
  LoadingCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TieredCache,
  TinyLfuCache,
} from '@ashlar/cache'

export default async () => {
  const policies = [
    ...[AdaptiveCache, FifoCache, LfuCache, LruCache, S3FifoCache, SieveCache, TinyLfuCache],
  ]
  const kept = policies.map((Policy) => {
    const cache = new Policy({ max: 10 })
    for (let i = 0; i < 100; i++) cache.set(`key ${i}`, i)
    return cache.size === 10
  })
  let loads = 0
  const loading = new LoadingCache({ load: () => ++loads, store: new Map(), ttlMs: 1000 })
  await Promise.all([loading.get('a'), loading.get('a')])
  const double = cached((n) => n * 2, { store: new Map(), ttlMs: 1000 })
  return [
    ...kept,
    loads === 1,
    (await double(21)) === 42,
    [CacheCluster, TieredCache].every((each) => typeof each === 'function'),
  ]
}
