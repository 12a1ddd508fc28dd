import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { HashRing } from '@ashlar/ring'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest'
import { runAtlas } from '../src/atlas.ts'
import { identify } from '../src/chapters/identify.ts'
import { load } from '../src/chapters/load.ts'
import { store } from '../src/chapters/store.ts'
import type { City } from '../src/city.ts'
import { readCities } from '../src/city-file.ts'
import type { CityShards } from '../src/city-shards.ts'
import { PageServer } from '../src/page-server.ts'
import type { Registry } from '../src/registry.ts'
import type { Snapshot } from '../src/snapshot.ts'
import { STONES, type Stone } from '../src/stone.ts'
import { exhibitsOf, registryOf, shardsOf } from './exhibits.ts'
import { type Answer, PageClient } from './page-client.ts'
import { surroundings } from './stage.ts'

let cities: City[]
let registry: Registry
let shards: CityShards
let ring: HashRing<Stone>
let server: PageServer
let client: PageClient
let url: URL

beforeAll(async () => {
  cities = (await readCities(() => {})).slice(0, 5_000)
  registry = await registryOf(cities)
  shards = await shardsOf(cities)
})

afterAll(() => shards?.close())

beforeEach(async () => {
  ring = new HashRing(STONES.slice(0, 12))
  server = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
  client = new PageClient(await server.listen(0))
  url = client.url
})

afterEach(() => server.close())

const ask: PageClient['ask'] = (...request) => client.ask(...request)
const own = (): Record<string, string> => client.own
const add = (body = '{}'): Promise<Answer> => ask('POST', '/nodes', { headers: own(), body })
const remove = (id: string): Promise<Answer> => ask('DELETE', `/nodes/${id}`, { headers: own() })
const snapshot = ({ body }: Answer): Snapshot => JSON.parse(body.toString())
const errorOf = ({ body }: Answer): string => JSON.parse(body.toString()).error

describe('the state', () => {
  test('is that of the real ring', async () => {
    const state = snapshot(await ask('GET', '/state'))
    expect(state.cityCount).toBe(5_000)
    expect(state.nodes.map(({ id }) => id)).toEqual(STONES.slice(0, 12).map(({ id }) => id))
    expect(state.nodes.reduce((sum, node) => sum + node.cities, 0)).toBe(5_000)
    expect(state.fingerprint).toBe(ring.fingerprint())
    expect(state.nextNode).toBe('jade')
    expect(state.change).toBeNull()
    const owners = Buffer.from(state.owners, 'base64')
    expect([...owners]).toEqual(cities.map(({ key }) => ring.get(key)!.number))
  })

  test('has arcs that give every hash the owner that the ring gives it', async () => {
    const { arcs } = snapshot(await ask('GET', '/state'))
    expect(arcs.ends.at(-1)).toBe(2 ** 32 - 1)
    for (const [i, end] of arcs.ends.entries()) {
      const start = i === 0 ? 0 : arcs.ends[i - 1]! + 1
      expect(start).toBeLessThanOrEqual(end)
      expect(ring.getByHash(start)?.number).toBe(arcs.owners[i])
      expect(ring.getByHash(end)?.number).toBe(arcs.owners[i])
    }
  })

  test('places the cities in twelve bytes each', async () => {
    const { body } = await ask('GET', '/cities.bin')
    const { buffer } = Uint8Array.from(body)
    expect(body.length).toBe(12 * cities.length)
    const hashes = new Uint32Array(buffer, 0, cities.length)
    const people = new Uint32Array(buffer, 4 * cities.length, cities.length)
    const east = new Int16Array(buffer, 8 * cities.length, cities.length)
    const north = new Int16Array(buffer, 10 * cities.length, cities.length)
    for (const [i, city] of cities.entries()) {
      expect(hashes[i]).toBe(ring.keyHash(city.key))
      expect(people[i]).toBe(city.population)
      expect((east[i]! / 32_767) * 180).toBeCloseTo(city.longitude, 1)
      expect((north[i]! / 32_767) * 90).toBeCloseTo(city.latitude, 1)
    }
  })
})

describe('a change', () => {
  test('lets the next stone join, and counts what moved', async () => {
    const before = snapshot(await ask('GET', '/state'))
    const answer = await add()
    const after = snapshot(answer)
    expect(answer.status).toBe(200)
    expect(after.nodes).toHaveLength(13)
    const jade = STONES.find(({ id }) => id === 'jade')!
    const [from, to] = [before, after].map(({ owners }) => Buffer.from(owners, 'base64'))
    const moved = [...to!].filter((owner, i) => owner !== from![i])
    expect(moved.length).toBeGreaterThan(0)
    expect(moved.every((owner) => owner === jade.number)).toBe(true)
    expect(after.change).toMatchObject({
      kind: 'joined',
      node: 'jade',
      moved: moved.length,
      collateral: 0,
    })
  })

  test('takes back what it did: the fingerprint and all owners are as before', async () => {
    const before = snapshot(await ask('GET', '/state'))
    await add('{"id":"tuff"}')
    const after = snapshot(await remove('tuff'))
    expect({ ...after, change: null }).toEqual(before)
    expect(after.change).toMatchObject({ kind: 'left', node: 'tuff', collateral: 0 })
  })

  test('is refused for nodes that are there, or are not', async () => {
    expect(await add('{"id":"basalt"}')).toMatchObject({ status: 409 })
    const unknown = await add('{"id":"__proto__"}')
    expect(unknown.status).toBe(404)
    expect(errorOf(unknown)).toContain('__proto__')
    expect(await remove('jade')).toMatchObject({ status: 404 })
    expect(await remove('constructor')).toMatchObject({ status: 404 })
    expect(await remove('%E0%A4%A')).toMatchObject({ status: 400 })
    expect(ring.size).toBe(12)
  })

  test('fills the ring with all stones and no more, and keeps the last', async () => {
    while (ring.size < STONES.length) expect(await add()).toMatchObject({ status: 200 })
    expect(snapshot(await ask('GET', '/state')).nextNode).toBeNull()
    expect(await add()).toMatchObject({ status: 409 })
    for (const { id } of STONES.slice(1)) expect(await remove(id)).toMatchObject({ status: 200 })
    const last = await remove('granite')
    expect(last.status).toBe(409)
    expect(errorOf(last)).toBe('granite is the last node and must stay')
  })

  test.each(['', '{', '[]', 'null', '7', '{"id":7}'])(
    'is refused for the body %j',
    async (body) => {
      expect(await add(body)).toMatchObject({ status: 400 })
      expect(ring.size).toBe(12)
    },
  )

  test('is refused for a body that is too long or of another type', async () => {
    const long = JSON.stringify({ id: 'x'.repeat(2_000) })
    expect(await add(long)).toMatchObject({ status: 413, headers: { connection: 'close' } })
    const headers = { ...own(), 'content-type': 'text/plain' }
    expect(await ask('POST', '/nodes', { headers, body: '{}' })).toMatchObject({ status: 415 })
    expect(ring.size).toBe(12)
  })
})

describe('another site', () => {
  test.each([undefined, 'null', 'http://evil.example', 'https://127.0.0.1'])(
    'cannot change anything from the origin %s',
    async (origin) => {
      const { origin: _, ...rest } = own()
      const headers = origin === undefined ? rest : { ...rest, origin }
      expect(await ask('POST', '/nodes', { headers, body: '{}' })).toMatchObject({ status: 403 })
      expect(await ask('DELETE', '/nodes/basalt', { headers })).toMatchObject({ status: 403 })
      expect(ring.size).toBe(12)
    },
  )

  test('cannot read through a name of its own for this machine', async () => {
    const headers = { host: `evil.example:${url.port}` }
    expect(await ask('GET', '/state', { headers })).toMatchObject({ status: 403 })
  })

  test('may be called localhost, which is this machine', async () => {
    const origin = `http://localhost:${url.port}`
    const headers = { ...own(), host: `localhost:${url.port}`, origin }
    expect(await ask('POST', '/nodes', { headers, body: '{}' })).toMatchObject({ status: 200 })
  })
})

describe('the server', () => {
  test('sends the page under a strict policy, never to be stored', async () => {
    for (const path of ['/', '/style.css', '/main.ts', '/favicon.svg', '/state', '/nothing']) {
      const { headers } = await ask('GET', path)
      expect(headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';/u)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
  })

  test('takes the types off the modules of the page', async () => {
    const { headers, body } = await ask('GET', '/ring-view.ts')
    expect(headers['content-type']).toMatch(/^text\/javascript/u)
    expect(body.toString()).not.toContain(': Scene')
    expect(body.toString()).toContain('class RingView')
  })

  test('has no other files and no other methods', async () => {
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/src/main.ts',
      '/index.html',
    ]) {
      expect(await ask('GET', path)).toMatchObject({ status: 404 })
    }
    expect(await ask('POST', '/state')).toMatchObject({ status: 405 })
    expect(await ask('GET', '/nodes')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await ask('PUT', '/nodes/jade')).toMatchObject({ status: 405 })
    expect((await ask('HEAD', '/')).body).toHaveLength(0)
  })

  test('says so where the port is taken', async () => {
    const other = new PageServer(exhibitsOf(cities, ring, { registry, shards }))
    await expect(other.listen(Number(url.port))).rejects.toThrow(`127.0.0.1:${url.port}`)
    await other.close()
  })

  test('closes also with a request half sent, and twice', async () => {
    const hanging = request({ host: url.hostname, port: url.port, method: 'POST', path: '/nodes' })
    const failed = once(hanging, 'error')
    hanging.setHeader('origin', url.origin)
    hanging.write('{')
    await ask('GET', '/')
    await Promise.all([server.close(), server.close()])
    await expect(failed).resolves.toBeDefined()
    await expect(ask('GET', '/')).rejects.toThrow()
  })
})

describe('npm start on a terminal', () => {
  test('serves the page until SIGTERM', async () => {
    // The page needs the ids and the shards; the story is told whole below.
    const around = { ...surroundings(true), parts: { chapters: [load, identify, store] } }
    const ended = runAtlas([], around)
    const [, address] = await around.stdout.waitFor(/open at (http:\S+)/u)
    expect((await fetch(address!)).status).toBe(200)
    around.signals.emit('SIGTERM')
    expect(await ended).toBe(0)
    expect(around.signals.eventNames()).toEqual([])
    await expect(fetch(address!)).rejects.toThrow()
  })

  test('ends as a process with 0 at Ctrl-C, also with a browser connected', async () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const terminal = 'data:text/javascript,process.stdout.isTTY=true'
    const child = spawn(process.execPath, ['--conditions=source', '--import', terminal, main], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let [stdout, stderr] = ['', '']
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
      stdout += chunk
      const address = /open at (http:\S+)/u.exec(stdout)?.[1]
      if (address === undefined) continue
      await fetch(address)
      child.kill('SIGINT')
      break
    }
    child.stdout.resume()
    const [code] = await once(child, 'exit')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})
