import { HashRing } from '@ashlar/ring'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { CACHE_SERVERS } from '../src/city-caches.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { type Exhibits, PageServer } from '../src/page-server.ts'
import type { Registry } from '../src/registry.ts'
import type { KeepFigures } from '../src/snapshot.ts'
import { STONES } from '../src/stone.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'
import { type Answer, PageClient } from './page-client.ts'

const SERVERS = CACHE_SERVERS.map(({ id }) => id)

let cities: City[]
let registry: Registry
let shards: CityShards
let exhibits: Exhibits
let server: PageServer
let client: PageClient

beforeAll(async () => {
  const all = await readCities(() => {})
  cities = all.toSorted((a, b) => b.population - a.population).slice(0, 2_000)
  registry = await registryOf(cities)
})

beforeEach(async () => {
  shards = await shardsOf(cities)
  exhibits = exhibitsOf(cities, new HashRing(STONES.slice(0, 12)), { registry, shards })
  server = new PageServer(exhibits)
  client = new PageClient(await server.listen(0))
})

afterEach(async () => {
  await server.close()
  await exhibits.caches.close()
  await shards.close()
})

const keepOf = ({ body }: Answer): KeepFigures => JSON.parse(body.toString())
const errorOf = ({ body }: Answer): string => JSON.parse(body.toString()).error
const post = (path: string, body: unknown): Promise<Answer> =>
  client.ask('POST', `/caches/${path}`, { headers: client.own, body: JSON.stringify(body) })
const look = async (): Promise<KeepFigures> => keepOf(await client.ask('GET', '/caches'))
const texts = ({ crowds }: KeepFigures): string[] => crowds.map(({ text }) => text)

describe('the cache servers', () => {
  test('begin with a crowd that finds them empty', async () => {
    const { servers, crowds, kind, processes } = await look()
    expect([kind, processes]).toEqual(['memory', 3])
    expect(servers.map(({ id }) => id)).toEqual(SERVERS)
    expect(servers.map(({ number }) => STONES[number]!.id)).toEqual(SERVERS)
    expect(crowds).toHaveLength(1)
    const [first] = crowds
    expect(first).toMatchObject({ requests: 1_500, lost: 0, wrong: 0, mostAtOnce: 1 })
    expect(first!.loads).toBe(first!.cities)
    expect(servers.reduce((sum, own) => sum + own.cities, 0)).toBe(first!.cities)
  })

  test('have all that the same crowd asks for a little later', async () => {
    const { crowds, servers } = keepOf(await post('crowds', { stale: false }))
    expect(crowds[0]).toMatchObject({ requests: 1_500, loads: 0, waited: 0 })
    for (const { asked, hits, lost } of servers) {
      expect(asked).toBeGreaterThan(0)
      expect([hits, lost]).toEqual([asked, 0])
    }
  })

  test('load everything that is stale once, and nobody waits', async () => {
    const { crowds } = keepOf(await post('crowds', { stale: true }))
    const [crowd] = crowds
    expect(crowd).toMatchObject({ requests: 3_000, naiveLoads: 3_000, waited: 0, mostAtOnce: 1 })
    expect(crowd!.loads).toBe(crowd!.cities)
  })

  test('lose one and its share, and get it back empty', async () => {
    const dead = keepOf(await post('kills', { server: 'sandstone' }))
    const [limestone, sandstone, gneiss] = dead.servers
    expect(sandstone).toMatchObject({ isDead: true, hits: 0, lost: dead.crowds[0]!.loads })
    expect(sandstone!.lost).toBeGreaterThanOrEqual(sandstone!.cities)
    for (const own of [limestone!, gneiss!]) expect([own.hits, own.lost]).toEqual([own.asked, 0])
    expect(dead.crowds[0]).toMatchObject({ waited: 0, lost: 0, wrong: 0 })
    const back = keepOf(await post('returns', { server: 'sandstone' }))
    // It may have forgotten a change, so near copies that came from it do not count any more.
    expect(back.crowds[0]).toMatchObject({ loads: sandstone!.cities, lost: 0, wrong: 0 })
    expect(back.crowds[0]!.waited).toBeGreaterThanOrEqual(sandstone!.cities)
    expect(back.servers.every(({ isDead, lost }) => !isDead && lost === 0)).toBe(true)
    const after = keepOf(await post('crowds', { stale: false }))
    expect(after.crowds[0]!.loads).toBe(0)
  })

  test('may all be dead: the crowd is served from the shards', async () => {
    for (const id of SERVERS) await post('kills', { server: id })
    const { crowds } = keepOf(await post('crowds', { stale: true }))
    expect(crowds[0]).toMatchObject({ waited: 0, lost: 0, wrong: 0 })
    expect(crowds[0]!.loads).toBeGreaterThan(crowds[0]!.cities)
  })

  test('take one request of the page after the other, and remember the last six', async () => {
    const answers = await Promise.all([
      post('crowds', { stale: false }),
      post('kills', { server: 'gneiss' }),
      post('kills', { server: 'gneiss' }),
      post('crowds', { stale: true }),
      post('returns', { server: 'gneiss' }),
      post('crowds', { stale: false }),
      post('crowds', { stale: false }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 409, 200, 200, 200, 200])
    expect(texts(await look())).toEqual([
      'a little later',
      'a little later',
      'gneiss is back, empty',
      'everything stale, all at once',
      'gneiss is dead',
      'a little later',
    ])
  })
})

describe('a wrong request', () => {
  test.each([
    ['kills', { server: 'granite' }, 404],
    ['kills', { server: 'quartzite' }, 404],
    ['kills', { server: '__proto__' }, 404],
    ['kills', {}, 400],
    ['kills', { server: 3 }, 400],
    ['returns', { server: 'gneiss' }, 409],
    ['returns', { server: '' }, 404],
    ['crowds', {}, 400],
    ['crowds', { stale: 1 }, 400],
  ])('for %s of %j is refused with %d and changes nothing', async (path, body, status) => {
    const answer = await post(path, body)
    expect([answer.status, errorOf(answer)]).toEqual([status, expect.stringMatching(/./u)])
    expect(texts(await look())).toEqual(['everything empty'])
  })

  test('says what to do first, and another site can make none', async () => {
    expect(errorOf(await post('returns', { server: 'gneiss' }))).toBe(
      'gneiss is not dead: kill it first',
    )
    const headers = { ...client.own, origin: 'http://evil.example' }
    for (const path of ['/caches/crowds', '/caches/kills', '/caches/returns']) {
      expect(await client.ask('POST', path, { headers, body: '{}' })).toMatchObject({ status: 403 })
      expect(await client.ask('GET', path)).toMatchObject({ status: 405 })
    }
  })
})
