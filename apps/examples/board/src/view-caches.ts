// The two caches that a board may have: in one process, or shared by several through Redis.

import { type Load, LoadingCache, LruCache, TieredCache } from '@ashlar/cache'
import { RedisBus, RedisStore } from '@ashlar/cache/redis'
import type { Redis } from 'ioredis'
import type { View } from './board.ts'

type LoadView = Load<string, View | undefined>

/** How many pages are kept in memory. */
const PAGES = 1_000

/** For one process: what it changes is void at once, what others change after `freshMs`. */
export function ownCache(load: LoadView, freshMs: number): LoadingCache<string, View | undefined> {
  return new LoadingCache({ load, store: new LruCache({ max: PAGES }), ttlMs: freshMs })
}

/** For several: what one changes is void in all one delivery later; without Redis, `freshMs`. */
export function sharedCache(
  load: LoadView,
  { freshMs, client }: { readonly freshMs: number; readonly client: Redis },
): TieredCache<View | undefined> {
  return new TieredCache({
    load,
    near: new LruCache({ max: PAGES }),
    store: new RedisStore({ client, prefix: 'board' }),
    bus: new RedisBus({ client, prefix: 'board' }),
    ttlMs: freshMs,
    nearTtlMs: freshMs,
    // A page is waited for: what Redis or another process cannot bring soon is read here.
    storeTimeoutMs: 200,
    leaseWaitMs: 300,
  })
}
