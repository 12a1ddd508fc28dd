// Caches with a flaw each, racing against a sound one; the promise it breaks must be named.

import { type CacheStats, LruCache } from '@ashlar/cache'
import type { City } from '../src/city.ts'
import { RACERS, type Racer } from '../src/racer.ts'
import type { Parts } from '../src/world.ts'

/** A race of LRU and of this instead of W-TinyLFU. */
function against(make: Racer['make']): Parts {
  const sound = RACERS.filter(({ id }) => id === 'lru')
  return { racers: [...sound, { id: 'tiny-lfu', name: 'flawed', make }] }
}

/** Now and then answers with the city that came last. */
export const lying: Parts = against((options) => new LyingCache(options))

class LyingCache extends LruCache<string, City> {
  #last: City | undefined

  override set(key: string, city: City): this {
    this.#last = city
    return super.set(key, city)
  }

  override get(key: string): City | undefined {
    const city = super.get(key)
    return city !== undefined && city.id % 7 === 0 ? this.#last : city
  }
}

/** Takes in one more than it may. */
export const roomy: Parts = against((options) => {
  return new LruCache({ ...options, max: options.max! + 1 })
})

/** Counts more hits than it had. */
export const boastful: Parts = against((options) => new BoastfulCache(options))

class BoastfulCache extends LruCache<string, City> {
  override stats(): CacheStats {
    const stats = super.stats()
    return { ...stats, hits: stats.hits + 10 }
  }
}

/** Holds everything, and says that it is small. */
export const bottomless: Parts = against((options) => new BottomlessCache(options))

class BottomlessCache extends LruCache<string, City> {
  constructor(options: ConstructorParameters<typeof LruCache<string, City>>[0]) {
    super({ ...options, max: 1_000_000 })
  }

  override get size(): number {
    return 1
  }
}

/** Uses a tenth of its room. */
export const timid: Parts = against((options) => {
  return new LruCache({ ...options, max: Math.ceil(options.max! / 10) })
})
