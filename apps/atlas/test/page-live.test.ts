import { HashRing } from '@ashlar/ring'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { PageServer } from '../src/page-server.ts'
import { RACERS } from '../src/racer.ts'
import type { Registry } from '../src/registry.ts'
import type { FleetFigures, GuardedFigures, RaceFigures } from '../src/snapshot.ts'
import { STONES } from '../src/stone.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'
import { type Answer, PageClient } from './page-client.ts'

let cities: City[]
let registry: Registry
let shards: CityShards
let server: PageServer
let client: PageClient
let elapsedMs: number

beforeAll(async () => {
  cities = (await readCities(() => {})).slice(0, 5_000)
  registry = await registryOf(cities)
  shards = await shardsOf(cities)
})

afterAll(() => shards?.close())

beforeEach(async () => {
  elapsedMs = 0
  const ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }, () => elapsedMs))
  client = new PageClient(await server.listen(0))
})

afterEach(() => server.close())

const post = (path: string, body: unknown): Promise<Answer> =>
  client.ask('POST', path, { headers: client.own, body: JSON.stringify(body) })

describe('the race', () => {
  const raceOf = ({ body }: Answer): RaceFigures => JSON.parse(body.toString())

  test('waits at the start, and goes on by what is asked for', async () => {
    const start = raceOf(await client.ask('GET', '/race'))
    expect(start).toMatchObject({ capacity: 500, served: 0, requests: 120_000, laps: 100 })
    expect(start.lanes.map(({ id }) => id)).toEqual(RACERS.map(({ id }) => id))
    expect(start.optimum).toEqual({ hits: 0, laps: [] })
    const race = raceOf(await post('/race/requests', { count: 3_600 }))
    expect(race.served).toBe(3_600)
    for (const { hits, laps } of [race.optimum, ...race.lanes]) {
      expect(laps).toHaveLength(3)
      expect(laps.reduce((a, b) => a + b)).toBe(hits)
      expect(hits).toBeGreaterThan(0)
    }
  })

  test('comes to the same end in one go and in many', async () => {
    const whole = raceOf(await post('/race/requests', { count: 120_000 }))
    expect(raceOf(await post('/race/requests', { count: 1 }))).toEqual(whole)
    await post('/race/restarts', { capacity: 500 })
    for (let i = 0; i < 4; i++) await post('/race/requests', { count: 40_001 })
    expect(raceOf(await client.ask('GET', '/race'))).toEqual(whole)
    for (const { hits } of whole.lanes) expect(hits).toBeLessThanOrEqual(whole.optimum.hits)
  })

  test.each([
    ['restarts', { capacity: 0 }],
    ['restarts', { capacity: 1.5 }],
    ['restarts', { capacity: 100_001 }],
    ['restarts', { capacity: '500' }],
    ['requests', { count: 0 }],
    ['requests', { count: 120_001 }],
    ['requests', {}],
  ])('refuses %s of %j and stays as it is', async (path, body) => {
    expect(await post(`/race/${path}`, body)).toMatchObject({ status: 400 })
    expect(raceOf(await client.ask('GET', '/race'))).toMatchObject({ capacity: 500, served: 0 })
  })
})

describe('the fleet', () => {
  const fleetOf = ({ body }: Answer): FleetFigures => JSON.parse(body.toString())
  const look = async (afterMs: number): Promise<FleetFigures> => {
    elapsedMs += afterMs
    return fleetOf(await client.ask('GET', '/fleet'))
  }
  const watch = async (id: string, forMs: number): Promise<GuardedFigures[]> => {
    const seen: GuardedFigures[] = []
    for (let ms = 0; ms < forMs; ms += 250) {
      const { nodes } = await look(250)
      seen.push(nodes.find((node) => node.id === id)!)
    }
    return seen
  }
  const total = ({ bins }: GuardedFigures, k: 0 | 1 | 2): number =>
    bins.reduce((sum, bin) => sum + bin[k], 0)

  test('lives as time passes, and stands still while nobody looks', async () => {
    const { nowMs, nodes } = await look(1_000)
    expect(nodes.map(({ id }) => id)).toEqual(STONES.slice(0, 12).map(({ id }) => id))
    expect((await look(0)).nowMs).toBe(nowMs)
    expect((await look(400)).nowMs).toBe(nowMs + 400)
    expect((await look(3_600_000)).nowMs).toBe(nowMs + 400 + 1_500)
    for (const node of (await look(0)).nodes) {
      expect(node).toMatchObject({ state: 'closed', isDead: false })
      expect(total(node, 0)).toBe(node.counts.ok)
      const inWindow = node.buckets.reduce((sum, { calls }) => sum + calls, 0)
      expect(inWindow).toBe(node.window.calls)
    }
  })

  test('loses a node and gets it back, through every state of its breaker', async () => {
    await watch('marble', 2_000)
    await post('/fleet/kills', { node: 'marble' })
    const dying = await watch('marble', 8_000)
    const states = new Set(dying.map(({ state }) => state))
    expect(states).toEqual(new Set(['closed', 'open', 'half-open']))
    expect(total(dying.at(-1)!, 2)).toBe(dying.at(-1)!.counts.rejected)
    expect(total(dying.at(-1)!, 2)).toBeGreaterThan(0)
    await post('/fleet/returns', { node: 'marble' })
    const last = (await watch('marble', 6_000)).at(-1)!
    expect(last).toMatchObject({ state: 'closed', isDead: false })
    expect(last.states.map(({ state }) => state).slice(-2)).toEqual(['half-open', 'closed'])
    const { nodes } = await look(0)
    for (const { id, counts } of nodes) if (id !== 'marble') expect(counts.rejected).toBe(0)
  })

  test('remembers no more than the page shows', async () => {
    await watch('marble', 40_000)
    const { nodes, fromMs, nowMs, binMs } = await look(0)
    expect(nodes[0]!.bins).toHaveLength(48)
    expect(nowMs - fromMs).toBeLessThanOrEqual(48 * binMs)
  })

  test.each([
    ['kills', { node: 'paris' }, 404],
    ['kills', { node: '__proto__' }, 404],
    ['kills', {}, 400],
    ['returns', { node: 'marble' }, 409],
  ])('refuses %s of %j with %d', async (path, body, status) => {
    expect(await post(`/fleet/${path}`, body)).toMatchObject({ status })
  })

  test('kills nobody twice, and takes changes from the page alone', async () => {
    expect(await post('/fleet/kills', { node: 'marble' })).toMatchObject({ status: 200 })
    expect(await post('/fleet/kills', { node: 'marble' })).toMatchObject({ status: 409 })
    const headers = { ...client.own, origin: 'http://evil.example' }
    for (const path of ['/fleet/returns', '/race/requests', '/race/restarts']) {
      expect(await client.ask('POST', path, { headers, body: '{}' })).toMatchObject({ status: 403 })
      expect(await client.ask('GET', path)).toMatchObject({ status: 405 })
    }
  })
})
