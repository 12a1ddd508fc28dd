// The caches on npm under one shape, each with its fastest settings.

import { createLRU } from 'lru.min'
import { LRUCache } from 'lru-cache'
import { LRUMapWithDelete } from 'mnemonist'
import QuickLRU from 'quick-lru'
import { lru } from 'tiny-lru'

export const LRU_CACHE = 'lru-cache'

/** What a bench needs of a cache. */
export interface PlainCache<K> {
  get(key: K): number | undefined
  set(key: K, value: number): unknown
}

type MakePeer = <K extends string | number>(max: number) => PlainCache<K>

/** Makers by name. tiny-lru holds numbers and strings that read alike for one key. */
export const cachePeers: Readonly<Record<string, MakePeer>> = {
  [LRU_CACHE]: (max) => new LRUCache({ max }),
  mnemonist: (max) => new LRUMapWithDelete(max),
  'quick-lru': (max) => new QuickLRU({ maxSize: max }),
  'tiny-lru': (max) => lru(max),
  'lru.min': (max) => createLRU({ max }),
}
