import { base32 } from '@ashlar/id'
import { HashRing } from '@ashlar/ring'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { PageServer } from '../src/page-server.ts'
import type { Registry } from '../src/registry.ts'
import type { Desk, IdentityCard, Registrations } from '../src/snapshot.ts'
import { STONES } from '../src/stone.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'
import { type Answer, PageClient } from './page-client.ts'

let cities: City[]
let registry: Registry
let shards: CityShards
let server: PageServer
let client: PageClient

beforeAll(async () => {
  cities = (await readCities(() => {})).slice(0, 5_000)
  registry = await registryOf(cities)
  shards = await shardsOf(cities)
})

afterAll(() => shards?.close())

beforeEach(async () => {
  const ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
  client = new PageClient(await server.listen(0))
})

afterEach(() => server.close())

const ask: PageClient['ask'] = (...request) => client.ask(...request)
const own = (): Record<string, string> => client.own

describe('the ids', () => {
  const card = async (index: number | string): Promise<IdentityCard> => {
    const { body } = await ask('GET', `/identities/${index}`)
    return JSON.parse(body.toString())
  }

  test('are shown as they were given, and taken apart', async () => {
    for (const index of [0, 1, 777, 4_999]) {
      const found = await card(index)
      const id = registry.ids[index]!
      const tenure = registry.tenures[registry.givers[index]!]!
      expect(found).toMatchObject({ index, name: cities[index]!.name, decimal: `${id}` })
      expect(found).toMatchObject({ pod: tenure.pod, workerId: tenure.workerId })
      expect(base32.decode(found.base32)).toBe(id)
      expect(BigInt(`0b${found.bits}`)).toBe(id)
      expect(found.widths.reduce((a, b) => a + b)).toBe(64)
      expect(found.timestamp - found.heldMs).toBe(registry.readings[index])
    }
  })

  test('say so where the clock of the pod was behind', async () => {
    const held = [...registry.readings.keys()].find((i) => {
      const before = registry.readings.subarray(0, i)
      const own = before.filter((_, j) => registry.givers[j] === registry.givers[i])
      return Math.max(0, ...own) > registry.readings[i]! + 100
    })
    expect((await card(held!)).heldMs).toBeGreaterThan(100)
  })

  test('come with who gave them, and with everything that went wrong', async () => {
    const { body } = await ask('GET', '/givers.bin')
    expect([...body]).toEqual([...registry.givers])
    const answer = await ask('GET', '/registrations')
    const { ids, tenures }: Registrations = JSON.parse(answer.body.toString())
    expect(ids).toBe(5_000)
    const counted = tenures.flatMap(({ counts }) => counts).reduce((a, b) => a + b)
    expect(counted).toBe(5_000)
    const events = tenures.flatMap((tenure) => tenure.events.map(({ text }) => text))
    expect(events).toEqual(
      expect.arrayContaining([
        'clock set back 180 ms',
        'killed, lease not returned',
        'stands still for 240 ms',
        'pod-7 leases worker 1',
      ]),
    )
  })

  test.each(['5000', '-1', '1.5', '__proto__', '', '99999999999'])(
    'are none at the place %j',
    async (index) => {
      expect(await ask('GET', `/identities/${index}`)).toMatchObject({ status: 404 })
    },
  )
})

describe('the offices', () => {
  const deskOf = ({ body }: Answer): Desk => JSON.parse(body.toString())
  const post = (path: string, body: unknown): Promise<Answer> =>
    ask('POST', `/offices/${path}`, { headers: own(), body: JSON.stringify(body) })

  test('have one value each until two of them edit at once', async () => {
    const desk = deskOf(await ask('GET', '/offices'))
    expect(desk.offices.map(({ id }) => id)).toEqual(['oslo', 'rome', 'lima'])
    for (const { files } of desk.offices) {
      expect(files).toHaveLength(10)
      for (const values of files) expect(values).toHaveLength(1)
    }
    expect(desk.events.map(({ kind }) => kind)).toEqual(['edit', 'receive', 'receive'])
  })

  test('show both edits everywhere, and one value after a resolution', async () => {
    const split = deskOf(await post('edits', { city: 2, offices: ['oslo', 'rome'] }))
    for (const { files } of split.offices) {
      expect(files[2]!.map(({ by }) => by)).toEqual(['oslo', 'rome'])
      expect(files[1]).toHaveLength(1)
    }
    const [oslo, rome] = split.events.slice(3, 5)
    expect(oslo!.past).not.toContain(rome!.number)
    expect(rome!.past).not.toContain(oslo!.number)
    const settled = deskOf(await post('resolutions', { city: 2, office: 'rome' }))
    const values = settled.offices.map(({ files }) => files[2])
    expect(values[0]).toMatchObject([{ by: 'rome' }])
    expect(values).toEqual([values[0], values[0], values[0]])
    const resolution = settled.events.find(({ kind }) => kind === 'resolve')!
    expect(resolution.past).toEqual(expect.arrayContaining([oslo!.number, rome!.number]))
    for (const event of settled.events) {
      for (const cause of event.past) {
        expect(settled.events.find(({ number }) => number === cause)!.hlc < event.hlc).toBe(true)
      }
    }
  })

  test('replace both values by an edit that has read them', async () => {
    await post('edits', { city: 0, offices: ['oslo', 'rome'] })
    const desk = deskOf(await post('edits', { city: 0, offices: ['lima'] }))
    for (const { files } of desk.offices) expect(files[0]).toMatchObject([{ by: 'lima' }])
  })

  test.each([
    ['edits', { city: 0, offices: ['paris'] }, 404],
    ['edits', { city: 10, offices: ['oslo'] }, 404],
    ['edits', { city: 'Shanghai', offices: ['oslo'] }, 400],
    ['edits', { city: 0, offices: [] }, 400],
    ['edits', { city: 0, offices: [7] }, 400],
    ['edits', { city: 0 }, 400],
    ['resolutions', { city: 0, office: 'rome' }, 409],
    ['resolutions', { city: 0 }, 400],
    ['resolutions', { city: 0.5, office: 'rome' }, 404],
  ])('refuse %s of %j with %d and change nothing', async (path, body, status) => {
    expect(await post(path, body)).toMatchObject({ status })
    expect(deskOf(await ask('GET', '/offices')).events).toHaveLength(3)
  })

  test('take changes from the page alone', async () => {
    const headers = { ...own(), origin: 'http://evil.example' }
    const body = '{"city":0,"offices":["oslo"]}'
    expect(await ask('POST', '/offices/edits', { headers, body })).toMatchObject({ status: 403 })
    expect(await ask('GET', '/offices/edits')).toMatchObject({ status: 405 })
  })
})
