// Caches and cache servers with a flaw each; the promise that it breaks must be named.

import {
  CacheError,
  type Store,
  type StoreChange,
  TieredCache,
  type TieredCacheOptions,
} from '@ashlar/cache'
import type { CityCache } from '../src/city-caches.ts'
import type { CityRecord } from '../src/city-origin.ts'
import type { Parts } from '../src/world.ts'
import { flawed } from './flawed.ts'

type CacheOptions = TieredCacheOptions<CityRecord>
type CacheFlaws = (cache: CityCache, options: CacheOptions) => Partial<CityCache>

/** Every process has a cache with these flaws. */
function caches(flaws: CacheFlaws): Parts {
  return {
    makeCityCache: (options) => {
      const cache: CityCache = new TieredCache(options)
      return flawed(cache, flaws(cache, options))
    },
  }
}

/** Every server has these flaws. */
function stores(flaws: (store: Store) => Partial<Store>): Parts {
  return { makeCacheStore: (store) => flawed(store, flaws(store)) }
}

/** Loads for every reader who finds nothing fresh, or does not look. */
export const stampeding: Parts = caches((cache, { load }) => ({
  get: async (key) => {
    const { signal } = new AbortController()
    const get = (): Promise<CityRecord> => cache.get(key)
    return await load(key, { signal, stale: undefined, get, keep: () => {} })
  },
}))

/** Lets everybody load what nobody has. */
export const generous: Parts = stores((store) => ({
  lease: (key, { mode, leaseMs }) =>
    store.lease(key, { mode: mode === 'join' ? 'take' : mode, leaseMs }),
}))

/** Answers with nothing that is stale. */
export const impatient: Parts = {
  makeCityCache: (options) => new TieredCache({ ...options, staleMs: 0 }),
}

/** Fails where its server does. */
export const brittle: Parts = caches((cache, { cluster }) => ({
  get: async (key) => {
    if (cluster!.ownerOf(key)!.isUp) return cache.get(key)
    throw new CacheError('ERR_CACHE_STORE_DOWN', 'no server, no answer')
  },
}))

/** Now and then gives the answer before once more. */
export const confused: Parts = caches((cache) => {
  let last: CityRecord | undefined
  let asked = 0
  return {
    get: async (key) => {
      const record = await cache.get(key)
      const given = asked++ % 100 === 99 ? last : record
      last = record
      return given ?? record
    },
  }
})

/** Says of a value in twenty that it is kept, and does not keep it. */
export const forgetful: Parts = stores((store) => {
  let fills = 0
  return {
    fill: async (lease, text, options) => {
      if (fills++ % 20 < 19) return store.fill(lease, text, options)
      await store.release(lease)
      return true
    },
  }
})

/** Says that it was told of a change, also while it cannot be reached. */
export const obliging: Parts = stores((store) => {
  let version = 1e9
  const change = async (what: Parameters<Store['change']>[0]): Promise<StoreChange> => {
    try {
      return await store.change(what)
    } catch {
      return { epoch: 'elsewhere', version: ++version, previous: version - 1 }
    }
  }
  return { change }
})

/** Forgets everything when it hears of a change. */
export const bare: Parts = stores((store) => ({
  change: (what) => (what.tags.length > 0 ? store.clear() : store.change(what)),
}))

/** Places keys by the remainder of a sum: with one server more, nearly all of them move. */
export const shuffling: Parts = {
  makePlacement: (servers) => ({ get: (key) => servers[Number(key) % servers.length] }),
}

/** Acknowledges that a country is taken out, and does nothing. */
export const deaf: Parts = caches(() => ({ invalidateTag: async () => {} }))

/** Loads without a tag, so that no change of a country reaches what is loaded. */
export const untagged: Parts = {
  makeCityCache: (options) => {
    const load: CacheOptions['load'] = (key, context) =>
      options.load(key, flawed(context, { keep: () => {} }))
    return new TieredCache({ ...options, load })
  },
}

/** Stores what it is given at last, also what was loaded before a change. */
export const headstrong: Parts = stores((store) => ({
  fill: async (lease, text, options) => {
    if (await store.fill(lease, text, options)) return true
    const reply = await store.lease(lease.key, { mode: 'write', leaseMs: 1_000 })
    return reply.kind === 'granted' && store.fill(reply.lease, text, options)
  },
}))
