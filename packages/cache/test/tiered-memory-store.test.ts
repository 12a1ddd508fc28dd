import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../src/tiered/memory-store.ts'
import type { Store } from '../src/tiered/store.ts'
import { STORE_LAWS, type StorePlace, storeLaws } from './tiered-store-laws.ts'

let places = 0

/** A place whose clock stands still but for `wait`, and which forgets by being small. */
function place(
  max: number | undefined,
  wrap: (store: MemoryStore) => Store = (s) => s,
): StorePlace {
  let nowMs = 0
  let bits = ++places
  const random = () => {
    bits = (Math.imul(bits, 1_103_515_245) + 12_345) >>> 0
    return bits / 2 ** 32
  }
  const store = wrap(new MemoryStore({ max, monotonic: () => nowMs, random }))
  return {
    open: () => store,
    evict: async (choice) => {
      await store.lease(`filler ${choice}`, { mode: 'write', leaseMs: 20_000 })
    },
    wait: async (ms) => {
      nowMs += ms
    },
  }
}

storeLaws('MemoryStore', () => place(undefined), 300)

test('a store of two keys and two tags forgets much and brings back nothing', async () => {
  const { fc } = await import('@fast-check/vitest')
  const { followSteps, step } = await import('./tiered-store-laws.ts')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => followSteps(place(2), steps)),
    { numRuns: 500, seed: 7 },
  )
})

describe('a broken twin is caught by the laws of stores:', () => {
  const twins: Readonly<Record<string, readonly [string, (store: MemoryStore) => Store]>> = {
    'one that fills without looking at the lease': [
      'a refill that began before a delete never writes',
      (store) =>
        around(store, {
          fill: async (lease, text, options) => {
            const reply = await store.lease(lease.key, { mode: 'write', leaseMs: 1_000 })
            return reply.kind === 'granted' && (await store.fill(reply.lease, text, options))
          },
        }),
    ],
    'one that stores whatever was written last': [
      'of two writes at once neither is left behind',
      (store) =>
        around(store, {
          commit: async (lease, text, options) => {
            const reply = await store.lease(lease.key, { mode: 'write', leaseMs: 1_000 })
            const own = reply.kind === 'granted' ? reply.lease : lease
            return await store.commit(own, text, options)
          },
        }),
    ],
    'one that invalidates a tag by deleting what has it': [
      'a tag that is invalidated voids all its values, also those on their way',
      scanning,
    ],
    'one that knows keys without their namespace': [
      'every string is a key of its own',
      (store) => {
        const bare = (key: string) => key.slice(key.indexOf(':') + 1)
        return around(store, {
          get: (key) => store.get(bare(key)),
          lease: (key, options) => store.lease(bare(key), options),
        })
      },
    ],
    'one that clears what is there and keeps the leases': [
      'clear voids all, and all leases',
      (store) => around(store, { clear: async () => store.change({ keys: ['a'], tags: [] }) }),
    ],
  }
  test.each(Object.entries(twins))('%s', async (_, [law, wrap]) => {
    await expect(STORE_LAWS[law]!(place(undefined, wrap))).rejects.toThrow()
    await STORE_LAWS[law]!(place(undefined))
  })
})

/** A store with some methods of its own. */
function around(store: MemoryStore, own: Partial<Store>): Store {
  const bound: Store = {
    get: (key) => store.get(key),
    lease: (key, options) => store.lease(key, options),
    fill: (lease, text, options) => store.fill(lease, text, options),
    release: (lease) => store.release(lease),
    commit: (lease, text, options) => store.commit(lease, text, options),
    change: (what) => store.change(what),
    clear: () => store.clear(),
    position: () => store.position(),
  }
  return { ...bound, ...own }
}

function scanning(store: MemoryStore): Store {
  const tagged = new Map<string, readonly string[]>()
  return around(store, {
    fill: async (lease, text, options) => {
      tagged.set(lease.key, options.tags)
      return await store.fill(lease, text, { ...options, tags: [] })
    },
    change: async ({ keys, tags }) => {
      const found = [...tagged].filter(([, own]) => own.some((tag) => tags.includes(tag)))
      // What is on its way is not there to be found.
      const stored = []
      for (const [key] of found) if (await store.get(key)) stored.push(key)
      return await store.change({ keys: [...keys, ...stored], tags: [] })
    },
  })
}
