import { describe, expect, test, vi } from 'vitest'
import { settle } from './loading-rig.ts'
import { gate, TieredRig } from './tiered-rig.ts'

/** Lets all that waits for promises alone go on. */
async function rest(): Promise<void> {
  for (let i = 0; i < 5; i++) await settle()
}

/** Lets a check of the store's position pass; the first makes a cache forget what it has. */
async function checked(rig: TieredRig): Promise<void> {
  rig.time.pass(1_000)
  await rest()
}

describe('TieredCache', () => {
  test('loads a key once for all processes', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v')
    const [a, b] = [rig.open(), rig.open()]
    expect(await a.get('k')).toBe('v')
    await rest()
    expect(await b.get('k')).toBe('v')
    expect(await a.getMany(['k', 'k'])).toEqual(['v', 'v'])
    expect([rig.loads, b.peek('k'), a.peek('other')]).toEqual([1, 'v', undefined])
  })

  test('has a thousand misses in two processes wait for one load', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v')
    const held = gate()
    rig.gate = held.closed
    const [a, b] = [rig.open(), rig.open()]
    const reads = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? a : b).get('k'))
    await rest()
    held.open()
    await rest()
    for (let i = 0; i < 4; i++) {
      rig.time.pass(64)
      await rest()
    }
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['v']))
    expect(rig.loads).toBe(1)
  })

  test('loads after a while what another process does not come to load', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v')
    const held = gate()
    const [a, b] = [rig.open({ load: () => held.closed.then(() => 'late') }), rig.open()]
    const slow = a.get('k')
    await rest()
    const fast = b.get('k')
    for (let i = 0; i < 40; i++) {
      await rest()
      rig.time.pass(64)
    }
    expect(await fast).toBe('v')
    held.open()
    expect(await slow).toBe('late')
    await rest()
    // Its lease was taken, so it knows that what it has may be old.
    expect(await a.get('k')).toBe('v')
  })

  test('gives up a lease when its load fails or finds nothing', async () => {
    const rig = new TieredRig()
    const failing = rig.open({ load: () => Promise.reject(new Error('no')) })
    await expect(failing.get('k')).rejects.toThrow('no')
    await rest()
    const [a, b] = [rig.open(), rig.open()]
    expect(await a.get('k')).toBeUndefined()
    await rest()
    expect(await b.get('k')).toBeUndefined()
    expect(rig.loads).toBe(2)
  })

  test('shows a change in all processes once it is acknowledged', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const [a, b] = [rig.open(), rig.open()]
    await a.get('k')
    await b.get('k')
    rig.origin.set('k', 'new')
    await a.delete('k')
    await rest()
    expect([await a.get('k'), await b.get('k')]).toEqual(['new', 'new'])
  })

  test('does not keep near what was on its way when the change came', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const [a, b] = [rig.open(), rig.open()]
    const held = gate()
    rig.gate = held.closed
    const early = a.get('k')
    await rest()
    rig.origin.set('k', 'new')
    await b.delete('k')
    await rest()
    held.open()
    const late = a.get('k')
    expect(await early).toBe('old')
    expect(await late).toBe('new')
    await rest()
    expect([await a.get('k'), await b.get('k')]).toEqual(['new', 'new'])
  })

  test('writes through to the origin, and all read it', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const write = async (key: string, value: string) => void rig.origin.set(key, value)
    const [a, b] = [rig.open({ write }), rig.open()]
    await b.get('k')
    await a.set('k', 'new')
    await rest()
    expect([await a.get('k'), await b.get('k'), rig.loads]).toEqual(['new', 'new', 1])
  })

  test('takes a key out when a write has failed, for it may have got there', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const write = async (key: string, value: string) => {
      rig.origin.set(key, value)
      throw new Error('timeout')
    }
    const [a, b] = [rig.open({ write }), rig.open()]
    await b.get('k')
    await expect(a.set('k', 'new')).rejects.toThrow('timeout')
    await rest()
    expect(await b.get('k')).toBe('new')
  })

  test('keeps near and far within their times', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v1')
    const [a, b] = [rig.open(), rig.open()]
    await checked(rig)
    await a.get('k')
    rig.origin.set('k', 'v2')
    rig.time.pass(59_000)
    await rest()
    expect(await b.get('k')).toBe('v1')
    rig.time.pass(999)
    expect(b.peek('k')).toBe('v1')
    rig.time.pass(1)
    expect([await b.get('k'), rig.loads]).toEqual(['v2', 2])
    rig.time.pass(10_000)
    expect([b.peek('k'), await b.get('k'), rig.loads]).toEqual([undefined, 'v2', 2])
  })

  test('serves what is stale while it fetches it again', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v1')
    const a = rig.open({ nearTtlMs: 60_000, staleMs: 5_000 })
    await checked(rig)
    await a.get('k')
    rig.origin.set('k', 'v2')
    rig.time.pass(64_000)
    await rest()
    expect(await a.get('k')).toBe('v1')
    await rest()
    expect(await a.get('k')).toBe('v2')
  })

  test('invalidates by tag, by prefix, and all', async () => {
    const rig = new TieredRig()
    const tagged = { separator: ':', load: tagging(rig) }
    const [a, b] = [rig.open(tagged), rig.open(tagged)]
    const keys = ['user:1:name', 'user:2:name', 'page:1', '__proto__']
    const fill = async () => {
      for (const key of keys) rig.origin.set(key, 'old')
      for (const cache of [a, b]) await cache.getMany(keys)
      for (const key of keys) rig.origin.set(key, 'new')
    }
    const seen = async (cache = b) => {
      await rest()
      return (await cache.getMany(keys)).join(' ')
    }
    await fill()
    await a.invalidateTag('tag of page:1')
    expect([await seen(a), await seen()]).toEqual(['old old new old', 'old old new old'])
    await a.invalidatePrefix('user:1:')
    expect(await seen()).toBe('new old new old')
    await b.invalidatePrefix('user:')
    expect([await seen(a), await seen()]).toEqual(['new new new old', 'new new new old'])
    await a.clear()
    expect([await seen(a), await seen()]).toEqual(['new new new new', 'new new new new'])
  })

  test('takes tags of a value that is set', async () => {
    const rig = new TieredRig()
    const [a, b] = [rig.open(), rig.open()]
    await a.set('k', 'v', { tags: ['t'], ttlMs: 500 })
    expect(await b.get('k')).toBe('v')
    rig.origin.set('k', 'new')
    await a.invalidateTag('t')
    await rest()
    expect(await b.get('k')).toBe('new')
  })

  test('refuses bad input and is unharmed', async () => {
    const rig = new TieredRig()
    const a = rig.open()
    const { code } = { code: expect.any(String) }
    await expect(a.set('k', (() => {}) as never)).rejects.toMatchObject({ code: 'ERR_CACHE_CODEC' })
    await expect(a.set('k', 1n as never)).rejects.toMatchObject({ code: 'ERR_CACHE_CODEC' })
    await expect(a.get(7 as never)).rejects.toMatchObject({ code: 'ERR_CACHE_KEY' })
    await expect(a.delete(7 as never)).rejects.toMatchObject({ code: 'ERR_CACHE_KEY' })
    await expect(a.invalidatePrefix('u:')).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    for (const bad of [{ ttlMs: 0 }, { nearTtlMs: -1 }, { checkMs: Number.NaN }, { leaseMs: 0 }]) {
      expect(() => rig.open(bad)).toThrow(expect.objectContaining({ code }))
    }
    expect(() => rig.open({ writeBehind: {} })).toThrow('since writeBehind is given')
    expect(() => rig.open({ store: undefined })).toThrow('a Store such as RedisStore')
    rig.origin.set('k', 'v')
    expect(await a.get('k')).toBe('v')
  })

  test('serves a loaded value that has no text, and says so', async () => {
    const rig = new TieredRig()
    const a = rig.open({ load: () => 1n as never })
    expect(await a.get('k')).toBe(1n)
    await rest()
    expect(rig.errors).toEqual(['ERR_CACHE_CODEC'])
    expect(await a.get('k')).toBe(1n)
  })

  test('replaces what it cannot read', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v')
    const lease = await rig.store.inner.lease('k', { mode: 'write', leaseMs: 1 })
    if (lease.kind === 'granted') {
      await rig.store.inner.fill(lease.lease, '{broken', { ttlMs: 60_000, tags: [] })
    }
    const [a, b] = [rig.open(), rig.open()]
    expect(await a.get('k')).toBe('v')
    await rest()
    expect([rig.errors, await b.get('k'), rig.loads]).toEqual([['ERR_CACHE_GARBAGE'], 'v', 1])
  })

  test('closes twice, and does nothing more', async () => {
    const rig = new TieredRig()
    const a = rig.open()
    await a.close()
    await a.close()
    const isClosed = { code: 'ERR_CACHE_CLOSED' }
    await expect(a.get('k')).rejects.toMatchObject(isClosed)
    await expect(a.set('k', 'v')).rejects.toMatchObject(isClosed)
    await expect(a.clear()).rejects.toMatchObject(isClosed)
    expect(rig.time.pending).toBe(0)
  })
})

describe('a bus that loses announcements', () => {
  test('shows by the next one', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const [a, b] = [rig.open(), rig.open()]
    await b.get('k')
    await a.delete('before')
    await rest()
    await b.get('k')
    rig.origin.set('k', 'new')
    const lost = vi.spyOn(rig.bus, 'publish').mockResolvedValueOnce()
    await a.delete('k')
    await rest()
    expect(b.peek('k')).toBe('old')
    await a.delete('another')
    await rest()
    expect(await b.get('k')).toBe('new')
    lost.mockRestore()
  })

  test('shows after two checks if none comes', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const [a, b] = [rig.open(), rig.open()]
    await checked(rig)
    await b.get('k')
    rig.origin.set('k', 'new')
    vi.spyOn(rig.bus, 'publish').mockResolvedValueOnce()
    await a.delete('k')
    await checked(rig)
    await checked(rig)
    expect(await b.get('k')).toBe('new')
  })
})

describe('a store that is down', () => {
  const pending = { code: 'ERR_CACHE_CHANGE_PENDING' }

  test('costs one time limit, and reads go to the loader under single flight', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'v').set('l', 'w')
    const a = rig.open({ storeTimeoutMs: 300 })
    rig.store.isHanging = true
    const reads = [a.get('k'), a.get('k'), a.get('k')]
    await rest()
    rig.time.pass(300)
    expect(await Promise.all(reads)).toEqual(['v', 'v', 'v'])
    const { calls } = rig.store
    expect([await a.get('l'), rig.loads, rig.store.calls]).toEqual(['w', 2, calls])
    expect(rig.errors).toEqual(['ERR_CACHE_STORE_DOWN'])
  })

  test('is told what was deleted meanwhile before it is read again', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const [a, b] = [rig.open(), rig.open()]
    await b.get('k')
    rig.store.isDown = true
    rig.origin.set('k', 'new')
    await expect(a.delete('k')).rejects.toMatchObject(pending)
    expect(await a.get('k')).toBe('new')
    rig.store.isDown = false
    a.peek('k')
    rig.time.pass(1_000)
    await rest()
    expect([await a.get('k'), await b.get('k')]).toEqual(['new', 'new'])
  })

  test('is voided if it was not told of too much', async () => {
    const rig = new TieredRig()
    const a = rig.open({ maxPending: 3 })
    const keys = ['k0', 'k1', 'k2', 'k3', 'k4']
    for (const key of keys) rig.origin.set(key, 'old')
    await a.getMany(keys)
    rig.store.isDown = true
    for (const key of keys) {
      rig.origin.set(key, 'new')
      await expect(a.delete(key)).rejects.toMatchObject(pending)
    }
    const before = await rig.store.inner.position()
    rig.store.isDown = false
    rig.time.pass(1_000)
    await rest()
    expect((await rig.store.inner.position()).epoch).not.toBe(before.epoch)
    expect(new Set(await rig.open().getMany(keys))).toEqual(new Set(['new']))
  })

  test('does not keep a write from the origin', async () => {
    const rig = new TieredRig()
    const write = async (key: string, value: string) => void rig.origin.set(key, value)
    const a = rig.open({ write })
    rig.store.isDown = true
    await expect(a.set('k', 'v')).rejects.toMatchObject(pending)
    expect([rig.origin.get('k'), await a.get('k')]).toEqual(['v', 'v'])
  })

  test('that comes back empty lets no old fill in', async () => {
    const rig = new TieredRig()
    rig.origin.set('k', 'old')
    const held = gate()
    rig.gate = held.closed
    const [a, b] = [rig.open(), rig.open()]
    const early = a.get('k')
    await rest()
    rig.store.restart()
    rig.origin.set('k', 'new')
    await b.delete('k')
    await rest()
    held.open()
    await early
    await rest()
    expect([await a.get('k'), await b.get('k')]).toEqual(['new', 'new'])
  })
})

function tagging(rig: TieredRig) {
  return async (key: string, { keep }: { keep: (o: { tags: string[] }) => void }) => {
    keep({ tags: [`tag of ${key}`] })
    return await rig.load(key)
  }
}
