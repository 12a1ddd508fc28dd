import { describe, expect, test } from 'vitest'
import type { MapStore } from '../src/map-store.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import { RouterMap } from '../src/router-map.ts'
import { ShardFrozen, ShardMoved, StaleEpoch } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { HandTimers } from './router-fleet.ts'

const first = ShardMap.create({ slots: 8, shards: ['s1', 's2'] })

/** A store at the first map, which counts how often it is asked and never calls a watch. */
function setting(over: Partial<ConstructorParameters<typeof RouterMap>[1]> = {}) {
  const timers = new HandTimers()
  const store = new MemoryMapStore()
  const loads = { count: 0, begun: 0, gate: Promise.resolve() }
  const counting: MapStore = {
    ...store,
    load: async () => {
      const json = await store.load()
      loads.begun += 1
      await loads.gate
      return json
    },
    epoch: () => {
      loads.count += 1
      return store.epoch()
    },
    compareAndSet: (expected, next) => store.compareAndSet(expected, next),
    watch: () => () => {},
    close: () => store.close(),
  }
  const { monotonic } = timers
  const options = { store: counting, maxRefreshes: 2, frozenWaitMs: 1_000, random: () => 0.5 }
  return {
    timers,
    store,
    loads,
    map: new RouterMap(first, { ...options, timers, monotonic, ...over }),
  }
}

/** Puts maps in force until the epoch is reached. */
async function advance(store: MapStore, epoch: number): Promise<void> {
  let json = await store.load()
  if (json === undefined) await store.compareAndSet(undefined, first.toJSON())
  json ??= first.toJSON()
  while (json.epoch < epoch) {
    const { next } = ShardMap.fromJSON(json).change({
      moves: [{ slot: 0, to: turnOf(json.epoch) }],
    })
    await store.compareAndSet(json.epoch, next.toJSON())
    json = next.toJSON()
  }
}

const turnOf = (epoch: number) => ((first.ownerOf(0) === 's1') === (epoch % 2 === 1) ? 's2' : 's1')

/** An attempt that a fence refuses below an epoch. */
const fencedAt = (map: RouterMap, epoch: number) => async () => {
  if (map.current.epoch < epoch) throw new StaleEpoch('s1', 0, epoch)
  return map.current.epoch
}

describe('what a fence refuses', () => {
  test('is tried again by the map in force, after one refresh', async () => {
    const { map, store, loads } = setting()
    await advance(store, 5)
    expect(await map.retry(fencedAt(map, 5))).toBe(5)
    expect(loads.count).toBe(1)
    expect(map.refreshes).toBe(1)
  })

  test('comes out at once if the map is the newest', async () => {
    const { map, store, loads } = setting()
    await advance(store, 1)
    let tries = 0
    const attempt = async () => {
      tries += 1
      throw new ShardMoved('s1', 0, 1)
    }
    await expect(map.retry(attempt)).rejects.toBeInstanceOf(ShardMoved)
    expect([tries, loads.count]).toEqual([1, 1])
  })

  test('comes out when it is refused more often than maps may be loaded', async () => {
    const { map, store, loads } = setting()
    await advance(store, 1)
    let tries = 0
    const attempt = async () => {
      tries += 1
      await advance(store, tries + 1)
      throw new StaleEpoch('s1', 0, tries + 1)
    }
    await expect(map.retry(attempt)).rejects.toMatchObject({ code: 'STALE_EPOCH', epoch: 4 })
    expect([tries, loads.count]).toEqual([3, 2])
  })

  test('is not tried again where the caller allows no refresh', async () => {
    const { map, store, loads } = setting({ maxRefreshes: 0 })
    await advance(store, 3)
    await expect(map.retry(fencedAt(map, 2))).rejects.toMatchObject({ code: 'STALE_EPOCH' })
    expect(loads.count).toBe(0)
  })

  test('needs no refresh if another call has loaded the map meanwhile', async () => {
    const { map, store, loads } = setting()
    await advance(store, 2)
    let refused = false
    const attempt = async () => {
      if (refused) return 'done'
      refused = true
      await map.refresh()
      throw new StaleEpoch('s1', 0, 2)
    }
    expect(await map.retry(attempt)).toBe('done')
    expect(loads.count).toBe(1)
  })

  test('waits for a frozen slot, with pauses that grow, and then goes on', async () => {
    const { map, store, timers } = setting()
    await advance(store, 1)
    const times: number[] = []
    const attempt = async () => {
      times.push(timers.nowMs)
      if (times.length < 5) throw new ShardFrozen('s1', 0, 1)
      return 'written'
    }
    expect(await timers.drive(map.retry(attempt))).toBe('written')
    expect(times).toEqual([0, 3, 9, 21, 45])
    expect(map.frozenWaits).toBe(4)
    expect(timers.pending).toBe(0)
  })

  test('gives a frozen slot up after frozenWaitMs in all', async () => {
    const { map, store, timers } = setting({ frozenWaitMs: 100 })
    await advance(store, 1)
    const attempt = () => Promise.reject(new ShardFrozen('s1', 0, 1))
    await expect(timers.drive(map.retry(attempt))).rejects.toMatchObject({ code: 'SHARD_FROZEN' })
    expect(timers.nowMs).toBe(100)
    expect(timers.pending).toBe(0)
  })

  test('is no longer waited for when the caller gives up, without a timer left', async () => {
    const { map, store, timers } = setting()
    await advance(store, 1)
    const controller = new AbortController()
    const reason = new Error('enough')
    const waiting = map.retry(() => Promise.reject(new ShardFrozen('s1', 0, 1)), controller.signal)
    setImmediate(() => controller.abort(reason))
    await expect(waiting).rejects.toBe(reason)
    expect(timers.pending).toBe(0)
  })

  test('patiently, is waited for also where the newest map is refused', async () => {
    const { map, store, timers } = setting({ frozenWaitMs: 50 })
    await advance(store, 1)
    let tries = 0
    const attempt = async () => {
      tries += 1
      if (tries < 4) throw new ShardMoved('s1', 0, 1)
      return tries
    }
    expect(await timers.drive(map.retry(attempt, undefined, true))).toBe(4)
    tries = -1_000_000
    const hopeless = timers.drive(map.retry(attempt, undefined, true))
    await expect(hopeless).rejects.toMatchObject({ code: 'SHARD_MOVED' })
  })

  test('leaves other errors alone', async () => {
    const { map, loads } = setting()
    const error = new Error('the function failed')
    await expect(map.retry(() => Promise.reject(error))).rejects.toBe(error)
    expect(loads.count).toBe(0)
  })
})

describe('loading the map', () => {
  test('is done once for all who ask at a time, and once more for who comes late', async () => {
    const { map, store, loads } = setting()
    await advance(store, 2)
    let open = () => {}
    loads.gate = new Promise((resolve) => {
      open = resolve
    })
    const early = map.refresh()
    while (loads.begun === 0) await null
    await advance(store, 3)
    const late = [map.refresh(), map.refresh(), map.refresh()]
    open()
    expect((await early).epoch).toBe(2)
    expect((await Promise.all(late)).map(({ epoch }) => epoch)).toEqual([3, 3, 3])
    expect(loads.count).toBe(2)
  })

  test('never goes back to an earlier epoch', async () => {
    const { map, store } = setting()
    await advance(store, 4)
    await map.refresh()
    const before = map.current
    const restored = new MemoryMapStore()
    await advance(restored, 2)
    const other = new RouterMap(before, {
      store: restored,
      maxRefreshes: 2,
      frozenWaitMs: 0,
      random: Math.random,
      timers: new HandTimers(),
      monotonic: () => 0,
    })
    expect((await other.refresh()).epoch).toBe(4)
  })

  test('goes on after a load that failed', async () => {
    const { map, store, loads } = setting()
    await expect(map.refresh()).rejects.toMatchObject({ code: 'NO_MAP' })
    await advance(store, 2)
    expect((await map.refresh()).epoch).toBe(2)
    expect(loads.count).toBe(2)
  })
})

describe('broken twins', () => {
  test('a retry that does not load the map never gets past a fence', async () => {
    class Stubborn extends RouterMap {
      override refresh(): Promise<ShardMap> {
        return Promise.resolve(this.current)
      }
    }
    const { store, timers } = setting()
    await advance(store, 2)
    const map = new Stubborn(first, {
      store,
      maxRefreshes: 2,
      frozenWaitMs: 0,
      random: () => 0.5,
      timers,
      monotonic: timers.monotonic,
    })
    await expect(map.retry(fencedAt(map, 2))).rejects.toMatchObject({ code: 'STALE_EPOCH' })
  })
})
