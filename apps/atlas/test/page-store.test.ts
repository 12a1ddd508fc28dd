import { HashRing } from '@ashlar/ring'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import { type CityShards, FIFTH, SHARDS } from '../src/city-shards.ts'
import { PageServer } from '../src/page-server.ts'
import type { Registry } from '../src/registry.ts'
import type { StoreFigures } from '../src/snapshot.ts'
import { STONES } from '../src/stone.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'
import { type Answer, PageClient } from './page-client.ts'

const SHANGHAI = '1796236'

let cities: City[]
let registry: Registry
let shards: CityShards
let server: PageServer
let client: PageClient

beforeAll(async () => {
  const all = await readCities(() => {})
  const largest = all.toSorted((a, b) => b.population - a.population)
  cities = largest.slice(0, 2_000)
  registry = await registryOf(cities)
})

beforeEach(async () => {
  shards = await shardsOf(cities)
  const ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
  client = new PageClient(await server.listen(0))
})

afterEach(async () => {
  await server.close()
  await shards.close()
})

const storeOf = ({ body }: Answer): StoreFigures => JSON.parse(body.toString())
const errorOf = ({ body }: Answer): string => JSON.parse(body.toString()).error
const post = (path: string, body: unknown): Promise<Answer> =>
  client.ask('POST', `/shards/${path}`, { headers: client.own, body: JSON.stringify(body) })
const look = async (): Promise<StoreFigures> => storeOf(await client.ask('GET', '/shards'))
const rowsOf = ({ shards: all }: StoreFigures): number =>
  all.reduce((sum, { rows }) => sum + rows, 0)

describe('the shards', () => {
  test('hold every city once, and wait for requests', async () => {
    const store = await look()
    const countries = new Set(cities.map(({ country }) => country)).size
    expect(store).toMatchObject({ engine: 'sqlite', epoch: 1, served: 0, visits: 0, hotTotal: 0 })
    expect(store).toMatchObject({ hot: [], pins: [] })
    expect(store.shards.map(({ id }) => id)).toEqual(SHARDS)
    expect(store.shards.map(({ number }) => STONES[number]!.id)).toEqual(SHARDS)
    expect(store.shards.reduce((sum, { slots }) => sum + slots, 0)).toBe(16_384)
    expect(rowsOf(store)).toBe(2_000 + 4 * countries)
    for (const { bytes, msLeft } of store.shards) {
      expect(bytes).toBeGreaterThan(10_000)
      expect(msLeft).toBeNull()
    }
  })

  test('serve the crowd, count what is hot, and say when they will be full', async () => {
    const before = await look()
    const store = storeOf(await post('requests', { count: 900 }))
    expect(store).toMatchObject({ served: 900, visits: 300, hotTotal: 675 })
    expect(rowsOf(store)).toBe(rowsOf(before) + 300)
    expect(store.shards.reduce((sum, { requests }) => sum + requests, 0)).toBe(900)
    for (const { msLeft } of store.shards) expect(msLeft).toBeGreaterThan(0)
    expect(store.hot).toHaveLength(8)
    const [hottest] = store.hot
    const exact = shards.crowd.asked(0)
    const largest = Math.max(...exact.values())
    expect(hottest!.count).toBeGreaterThanOrEqual(largest)
    for (const { key, count, error } of store.hot) {
      expect(count).toBeGreaterThanOrEqual(exact.get(key)!)
      expect(count - error).toBeLessThanOrEqual(exact.get(key)!)
    }
  })

  test('take one request of the page after the other', async () => {
    const answers = await Promise.all([
      post('requests', { count: 100 }),
      post('pins', { key: SHANGHAI }),
      post('requests', { count: 200 }),
      post('unpins', { key: SHANGHAI }),
      post('requests', { count: 300 }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const stores = answers.map(storeOf)
    expect(stores.map(({ served }) => served)).toEqual([100, 100, 300, 300, 600])
    expect(stores.map(({ epoch }) => epoch)).toEqual([1, 3, 3, 5, 5])
    expect(shards.crowd.wrong).toBe(0)
  })
})

describe('a pin', () => {
  test('moves a city to another shard and back, and the late router follows', async () => {
    const home = shards.main.route(SHANGHAI, 'cities').shard
    const pinned = storeOf(await post('pins', { key: SHANGHAI }))
    const [pin] = pinned.pins
    expect(pin).toMatchObject({ key: SHANGHAI, name: 'Shanghai' })
    expect(pin!.shard).not.toBe(home)
    expect(pinned.shards.reduce((sum, { slots }) => sum + slots, 0)).toBe(16_385)
    expect(shards.late.map.epoch).toBe(1)
    const store = storeOf(await post('requests', { count: 2_000 }))
    expect(shards.crowd.wrong).toBe(0)
    expect(shards.late.map.epoch).toBe(pinned.epoch)
    expect(store.hot[0]).toMatchObject({ name: 'Shanghai', shard: pin!.shard, isPinned: true })
    const back = storeOf(await post('unpins', { key: SHANGHAI }))
    expect(back.pins).toEqual([])
    expect(shards.main.route(SHANGHAI, 'cities').shard).toBe(home)
    expect(await shards.main.verify()).toMatchObject({ ok: true })
  })

  test('is refused where there is one, and taken off only where there is', async () => {
    expect(await post('unpins', { key: SHANGHAI })).toMatchObject({ status: 409 })
    expect(await post('pins', { key: SHANGHAI })).toMatchObject({ status: 200 })
    const again = await post('pins', { key: SHANGHAI })
    expect(again.status).toBe(409)
    expect(errorOf(again)).toBe('Shanghai is pinned already: unpin it first')
  })
})

describe('a wrong request', () => {
  test.each([
    ['requests', { count: 0 }, 400],
    ['requests', { count: 2_001 }, 400],
    ['requests', { count: 1.5 }, 400],
    ['requests', { count: '9' }, 400],
    ['requests', {}, 400],
    ['pins', {}, 400],
    ['pins', { key: 1_796_236 }, 400],
    ['pins', { key: '' }, 404],
    ['pins', { key: '__proto__' }, 404],
    ['unpins', { key: 'constructor' }, 404],
  ])('for %s of %j is refused with %d and changes nothing', async (path, body, status) => {
    expect(await post(path, body)).toMatchObject({ status })
    expect(await look()).toMatchObject({ served: 0, epoch: 1 })
  })

  test('does not hold up the next, and another site can make none', async () => {
    const answers = await Promise.all([
      post('requests', { count: 0 }),
      post('requests', { count: 10 }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([400, 200])
    const headers = { ...client.own, origin: 'http://evil.example' }
    for (const path of ['/shards/requests', '/shards/pins', '/shards/unpins']) {
      expect(await client.ask('POST', path, { headers, body: '{}' })).toMatchObject({ status: 403 })
      expect(await client.ask('GET', path)).toMatchObject({ status: 405 })
    }
  })

  test('let a fifth shard join under load, and leave again, and lose nothing', async () => {
    const [first, again] = await Promise.all([post('moves', {}), post('moves', {})])
    expect(storeOf(first)).toMatchObject({ fifth: FIFTH, job: { problem: null } })
    expect([again.status, errorOf(again)]).toEqual([409, expect.stringMatching(/already/u)])
    const joined = await arrived()
    expect(joined.job).toMatchObject({ state: 'done', share: 1, lost: 0, problem: null })
    expect(joined.shards.map(({ id }) => id)).toEqual([...SHARDS, FIFTH])
    expect(joined.shards.at(-1)!.slots).toBe(joined.job!.slots)
    expect(joined.served).toBeGreaterThan(0)
    await post('moves', {})
    const left = await arrived()
    expect(left.job).toMatchObject({ state: 'done', lost: 0, problem: null })
    expect(left.shards.map(({ id }) => id)).toEqual(SHARDS)
  })
})

async function arrived(): Promise<StoreFigures> {
  for (;;) {
    const store = await look()
    if (!store.job!.isRunning) return store
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
