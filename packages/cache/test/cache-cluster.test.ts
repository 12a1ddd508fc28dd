import { describe, expect, test } from 'vitest'
import type { CachePlacement } from '../src/cluster/cache-cluster.ts'
import { CacheCluster } from '../src/cluster/cache-cluster.ts'
import { settle } from './loading-rig.ts'
import { MortalStore, TieredRig } from './tiered-rig.ts'

const KEYS = Array.from({ length: 300 }, (_, i) => `k${i}`)

/** The server with the greatest score for a key: one that joins takes only what is its own. */
function placement(...names: string[]): CachePlacement {
  const score = (name: string, key: string) => {
    let hash = 0x811c9dc5
    for (const char of `${name}/${key}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
    return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  }
  return { get: (key) => names.toSorted((a, b) => score(b, key) - score(a, key))[0] }
}

/** By the remainder: what everybody tries first, and what moves nearly everything. */
function moduloPlacement(...names: string[]): CachePlacement {
  return { get: (key) => names[Number(key.slice(1)) % names.length] }
}

function rigWith(...names: string[]) {
  const rig = new TieredRig()
  const stores: Record<string, MortalStore> = {}
  for (const name of names) stores[name] = new MortalStore(rig.time)
  for (const key of KEYS) rig.origin.set(key, `old ${key}`)
  return { rig, stores }
}

async function rest(): Promise<void> {
  for (let i = 0; i < 8; i++) await settle()
}

/** How many of the keys change hands. */
function moved(before: CachePlacement, after: CachePlacement): number {
  return KEYS.filter((key) => before.get(key) !== after.get(key)).length
}

describe('CacheCluster', () => {
  test('loses with a dead server its share only, and asks it once', async () => {
    const { rig, stores } = rigWith('a', 'b', 'c')
    const where = placement('a', 'b', 'c')
    const cluster = rig.cluster(stores, where)
    const filler = rig.open({ cluster })
    await filler.getMany(KEYS)
    await rest()
    stores.b!.isDown = true
    const cold = rig.open({ cluster })
    await cold.get(KEYS.find((key) => where.get(key) === 'b')!)
    const before = { loads: rig.loads, calls: stores.b!.calls }
    const values = await cold.getMany(KEYS)
    expect(values).toEqual(KEYS.map((key) => `old ${key}`))
    const share = KEYS.filter((key) => where.get(key) === 'b').length
    expect([rig.loads - before.loads, stores.b!.calls]).toEqual([share - 1, before.calls])
    expect(cluster.servers().filter(({ isUp }) => !isUp)).toEqual([{ name: 'b', isUp: false }])
    stores.b!.isDown = false
    rig.time.pass(1_000)
    await rest()
    expect(cluster.servers().every(({ isUp }) => isUp)).toBe(true)
  })

  test('moves to a server that joins about its share of the keys, and no other', async () => {
    const { rig, stores } = rigWith('a', 'b', 'c', 'd')
    const [before, after] = [placement('a', 'b', 'c'), placement('a', 'b', 'c', 'd')]
    const cluster = rig.cluster(stores, before)
    await rig.open({ cluster }).getMany(KEYS)
    await rest()
    cluster.prepare(after)
    cluster.place(after)
    const { loads } = rig
    await rig.open({ cluster }).getMany(KEYS)
    expect(rig.loads - loads).toBe(moved(before, after))
    const fair = KEYS.length / 4
    expect(Math.abs(moved(before, after) - fair)).toBeLessThan(4 * Math.sqrt(fair))
  })

  test('would move nearly everything by a placement by the remainder', () => {
    const [before, after] = [moduloPlacement('a', 'b', 'c'), moduloPlacement('a', 'b', 'c', 'd')]
    expect(moved(before, after)).toBeGreaterThan(KEYS.length / 2)
  })

  /** Two processes go from one placement to another and back, one after the other. */
  async function moveAndBack(prepares: boolean): Promise<string[]> {
    const { rig, stores } = rigWith('a', 'b')
    const [one, two] = [placement('a'), placement('a', 'b')]
    const clusters = [rig.cluster(stores, one), rig.cluster(stores, one)]
    const caches = clusters.map((cluster) => rig.open({ cluster, nearTtlMs: 1 }))
    const reads = async () => {
      rig.time.pass(2)
      await rest()
      const values: string[] = []
      for (const cache of caches) {
        values.push(await cache.get('k0'))
        await rest()
      }
      return values
    }
    const wrong: string[] = []
    let version = 0
    const change = async (by: number) => {
      rig.origin.set('k0', `${++version}`)
      await caches[by]!.delete('k0')
      for (const value of await reads()) if (value !== `${version}`) wrong.push(`${value}`)
    }
    for (const next of [two, one, two]) {
      if (prepares) for (const cluster of clusters) cluster.prepare(next)
      await change(0)
      clusters[0]!.place(next)
      await reads()
      await change(0)
      await change(1)
      clusters[1]!.place(next)
      await reads()
      await change(1)
    }
    return wrong
  }

  test('brings nothing back that was deleted before, during or after a move', async () => {
    expect(await moveAndBack(true)).toEqual([])
  })

  test('would bring much back if processes placed what not all have prepared', async () => {
    expect(await moveAndBack(false)).not.toEqual([])
  })

  test('tells every server of a tag, and says if one does not hear', async () => {
    const { rig, stores } = rigWith('a', 'b')
    const cluster = rig.cluster(stores, placement('a', 'b'))
    const cache = rig.open({ cluster })
    await cache.set('k1', 'x', { tags: ['t'] })
    await cache.set('k2', 'y', { tags: ['t'] })
    stores.a!.isDown = true
    await expect(cache.invalidateTag('t')).rejects.toMatchObject({
      code: 'ERR_CACHE_CHANGE_PENDING',
    })
    stores.a!.isDown = false
    rig.time.pass(1_000)
    await rest()
    expect(await rig.open({ cluster }).getMany(['k1', 'k2'])).toEqual(['old k1', 'old k2'])
  })

  test('serves keys that nobody owns from the loader', async () => {
    const { rig, stores } = rigWith('a')
    const cache = rig.open({ cluster: rig.cluster(stores, { get: () => undefined }) })
    expect(await cache.get('k1')).toBe('old k1')
    rig.origin.set('k1', 'new')
    await cache.set('k1', 'new')
    expect([await cache.get('k1'), stores.a!.calls]).toEqual(['new', 0])
  })

  test('takes servers in and out while it runs', async () => {
    const { rig, stores } = rigWith('a', 'b')
    const cluster = rig.cluster({ a: stores.a! }, placement('a'))
    const cache = rig.open({ cluster })
    cluster.add('b', { store: stores.b!.port, bus: rig.bus })
    expect(() => cluster.add('b', { store: stores.b!.port })).toThrow('one that is not taken')
    cluster.place(placement('b'))
    await cache.get('k1')
    expect(stores.b!.calls).toBeGreaterThan(0)
    cluster.remove('a')
    cluster.remove('a')
    await cache.invalidateTag('t')
    expect(cluster.servers()).toEqual([{ name: 'b', isUp: true }])
    cluster.close()
    cluster.close()
    expect(await cache.get('k1')).toBe('old k1')
  })

  test('refuses bad options', () => {
    const { rig, stores } = rigWith('a')
    const isOption = expect.objectContaining({ code: 'ERR_CACHE_OPTION' })
    const servers = { a: { store: stores.a!.port } }
    const make = (options: object) => () =>
      new CacheCluster({ servers, placement: placement('a'), ...options })
    expect(make({ placement: {} })).toThrow(isOption)
    expect(make({ servers: { a: {} } })).toThrow(isOption)
    for (const bad of [0, -1, Number.NaN]) {
      for (const name of ['storeTimeoutMs', 'coolDownMs', 'overlapMs', 'maxPending']) {
        expect(make({ [name]: bad })).toThrow(isOption)
      }
    }
    const cluster = make({ overlapMs: 1_000 })()
    expect(() => rig.open({ cluster })).toThrow('overlapMs')
    expect(() => rig.open({ cluster, store: stores.a!.port })).toThrow(isOption)
  })
})
