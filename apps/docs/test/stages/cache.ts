// What the examples of @ashlar/cache have at hand: a database of one user, stores in memory.

import { LruCache, MemoryBus, MemoryStore } from '@ashlar/cache'

export { default as Keyv } from 'keyv'

interface User {
  readonly name: string
}

export const user: User = { name: 'Ann' }
export const db = {
  async user(_id: string): Promise<User> {
    return user
  },
  async rename(_id: string, _name: string): Promise<void> {},
}
export const load = db.user
export const loadUser = db.user
export const loadPost = async (id: string): Promise<string> => `post ${id}`
export const ttlMs = 60_000
export const store: MemoryStore = new MemoryStore({ max: 100 })
export const storeA: MemoryStore = new MemoryStore({ max: 100 })
export const storeB: MemoryStore = new MemoryStore({ max: 100 })
export const bus: MemoryBus = new MemoryBus()
export const busA: MemoryBus = new MemoryBus()
export const busB: MemoryBus = new MemoryBus()
export const cache: LruCache<string, number> = new LruCache({ max: 2 })
export const requests = ['a', 'b', 'a']

cache.set('a', 1)
cache.set('b', 2)
