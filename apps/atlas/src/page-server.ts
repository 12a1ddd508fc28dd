// The page on loopback: its files, the state of the live parts as JSON, and ways to change them.
//
//   GET /  /style.css  /*.ts …   the files of page/
//   GET /cities.bin  /state      where the cities are; everything of the ring that changes
//   POST /nodes                  a node joins: {} the next one, {"id": "jade"} that one
//   DELETE /nodes/:id            a node leaves
//   GET /givers.bin  /registrations  /identities/:index      who gave which id when; a city's id
//   GET /offices                 the files on the largest cities, and what happened to them
//   POST /offices/edits          {"city": 0, "offices": ["oslo", "rome"]} edit at once
//   POST /offices/resolutions    {"city": 0, "office": "rome"} resolves
//   GET /race                    how far the caches are
//   POST /race/restarts          {"capacity": 1000} starts them again, empty
//   POST /race/requests          {"count": 1500} are served next
//   GET /fleet                   the nodes, their breakers, and what became of the calls
//   POST /fleet/kills  /fleet/returns  {"node": "jade"} dies, and is back
//   GET /shards                  the shards, what they hold, and what is hot
//   POST /shards/requests        {"count": 250} are served next
//   POST /shards/pins  /shards/unpins  {"key": "1796236"} gets a slot of its own, and loses it
//   POST /shards/moves           {} a fifth shard joins, or leaves again, while the crowd goes on
//   GET /caches                  the cache servers, and what the last crowds met with
//   POST /caches/crowds          {"stale": false} a crowd comes, or finds everything stale
//   POST /caches/kills  /caches/returns  {"server": "gneiss"} dies, and is back
//
// Other sites must not drive it through the visitor's browser: it listens on 127.0.0.1 alone,
// answers to no other Host (DNS rebinding), and changes need its own Origin.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Identities } from './identities.ts'
import { readObject } from './json-body.ts'
import { type LiveAtlas, MembershipError } from './live-atlas.ts'
import { KeepError, type LiveCaches } from './live-caches.ts'
import { FleetError, type LiveFleet } from './live-fleet.ts'
import { type LiveOffices, OfficeError } from './live-offices.ts'
import { type LiveRace, RaceError } from './live-race.ts'
import { type LiveShards, StoreError } from './live-shards.ts'
import { type Asset, readAssets } from './page-assets.ts'
import { Refusal } from './refusal.ts'

const BODY_TIMEOUT_MS = 10_000

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** What a live part throws where it cannot do what it is asked for. */
const REFUSALS = [MembershipError, OfficeError, RaceError, FleetError, StoreError, KeepError]

const STATUS: Record<InstanceType<(typeof REFUSALS)[number]>['code'], number> = {
  ERR_ATLAS_UNKNOWN_NODE: 404,
  ERR_ATLAS_NODE_EXISTS: 409,
  ERR_ATLAS_NODE_LIMIT: 409,
  ERR_ATLAS_UNKNOWN_OFFICE: 404,
  ERR_ATLAS_UNKNOWN_CITY: 404,
  ERR_ATLAS_NO_CONFLICT: 409,
  ERR_ATLAS_CAPACITY: 400,
  ERR_ATLAS_REQUESTS: 400,
  ERR_ATLAS_NO_SUCH_NODE: 404,
  ERR_ATLAS_NODE_DEAD: 409,
  ERR_ATLAS_NODE_ALIVE: 409,
  ERR_ATLAS_SHARD_REQUESTS: 400,
  ERR_ATLAS_NOT_STORED: 404,
  ERR_ATLAS_PINNED: 409,
  ERR_ATLAS_NOT_PINNED: 409,
  ERR_ATLAS_MOVING: 409,
  ERR_ATLAS_NO_SUCH_SERVER: 404,
  ERR_ATLAS_SERVER_DEAD: 409,
  ERR_ATLAS_SERVER_ALIVE: 409,
}

/** What the page shows, a part for each section of it. */
export interface Exhibits {
  readonly atlas: LiveAtlas
  readonly identities: Identities
  readonly offices: LiveOffices
  readonly race: LiveRace
  readonly fleet: LiveFleet
  readonly shards: LiveShards
  readonly caches: LiveCaches
}

/** What is sent. */
interface Answer {
  readonly type: string
  readonly body: string | Buffer
}

/** Serves the {@link Exhibits} on 127.0.0.1. */
export class PageServer {
  readonly #exhibits: Exhibits
  readonly #server = createServer({ requestTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    void this.#answer(request, response)
  })
  #assets: Map<string, Asset> = new Map()
  #origin = ''

  constructor(exhibits: Exhibits) {
    this.#exhibits = exhibits
  }

  /**
   * Starts to listen on a port of loopback, 0 for a free one, and resolves to the address.
   * @throws an error that names the port if it is taken.
   */
  async listen(port: number): Promise<string> {
    this.#assets = await readAssets()
    this.#server.listen(port, '127.0.0.1')
    try {
      await once(this.#server, 'listening')
    } catch (cause) {
      throw new Error(`the page cannot listen on 127.0.0.1:${port}: give another --port`, { cause })
    }
    const address = this.#server.address()
    const bound = typeof address === 'object' && address !== null ? address.port : port
    this.#origin = `http://127.0.0.1:${bound}`
    return `${this.#origin}/`
  }

  /** Ends every connection and stops to listen; may be called twice, and before `listen`. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { type, body } = await this.#route(request)
      send(response, 200, type, request.method === 'HEAD' ? '' : body)
    } catch (error) {
      const { status, message, headers } = refusalOf(error)
      const body = JSON.stringify({ error: message })
      // What is left of a refused body is not read, so the connection cannot be used again.
      send(response, status, 'application/json', body, { ...headers, connection: 'close' })
    }
  }

  async #route(request: IncomingMessage): Promise<Answer> {
    if (!this.#hosts().includes(request.headers.host ?? '')) {
      throw new Refusal(403, `this page is served at ${this.#origin}/ alone`)
    }
    const path = (request.url ?? '/').split('?', 1)[0]!
    const change = this.#changeAt(path)
    if (change === undefined) {
      if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD')
      return await this.#read(path)
    }
    if (request.method !== change.method) throw notAllowed(change.method)
    const { origin } = request.headers
    if (!this.#hosts().some((host) => origin === `http://${host}`)) {
      throw new Refusal(403, `changes come from the page itself; got Origin ${origin ?? 'none'}`)
    }
    return json(await change.make(request))
  }

  async #read(path: string): Promise<Answer> {
    const { atlas, identities, offices, race, fleet, shards, caches } = this.#exhibits
    if (path === '/state') return json(atlas.snapshot())
    if (path === '/cities.bin') return binary(atlas.places())
    if (path === '/givers.bin') return binary(Buffer.from(identities.givers))
    if (path === '/registrations') return json(identities.registrations())
    if (path === '/offices') return json(offices.desk())
    if (path === '/race') return json(race.figures())
    if (path === '/fleet') return json(await fleet.figures())
    if (path === '/shards') return json(await shards.figures())
    if (path === '/caches') return json(await caches.figures())
    const asset = this.#assets.get(path)
    if (asset !== undefined) return asset
    const index = /^\/identities\/(\d{1,9})$/u.exec(path)?.[1]
    const card = index === undefined ? undefined : identities.card(Number(index))
    if (card === undefined) throw new Refusal(404, `there is nothing at ${path}`)
    return json(card)
  }

  /** What can be changed at a path, by which method; undefined if nothing can. */
  #changeAt(path: string): Change | undefined {
    const { atlas, offices } = this.#exhibits
    if (path === '/nodes') {
      return change('POST', async (request) => {
        const { id } = await readObject(request)
        atlas.add(id === undefined ? undefined : text('id', id))
        return atlas.snapshot()
      })
    }
    if (path.startsWith('/nodes/')) {
      return change('DELETE', () => {
        atlas.remove(decode(path.slice('/nodes/'.length)))
        return atlas.snapshot()
      })
    }
    if (path === '/offices/edits') {
      return change('POST', async (request) => {
        const body = await readObject(request)
        offices.edit(place(body.city), texts('offices', body.offices))
        return offices.desk()
      })
    }
    if (path === '/offices/resolutions') {
      return change('POST', async (request) => {
        const body = await readObject(request)
        offices.resolve(place(body.city), text('office', body.office))
        return offices.desk()
      })
    }
    return (
      this.#raceChangeAt(path) ??
      this.#fleetChangeAt(path) ??
      this.#storeChangeAt(path) ??
      this.#keepChangeAt(path)
    )
  }

  #raceChangeAt(path: string): Change | undefined {
    const { race } = this.#exhibits
    if (path === '/race/restarts') {
      return change('POST', async (request) => {
        const { capacity } = await readObject(request)
        race.restart(number('capacity', capacity))
        return race.figures()
      })
    }
    if (path === '/race/requests') {
      return change('POST', async (request) => {
        const { count } = await readObject(request)
        race.run(number('count', count))
        return race.figures()
      })
    }
    return undefined
  }

  #fleetChangeAt(path: string): Change | undefined {
    const { fleet } = this.#exhibits
    if (path !== '/fleet/kills' && path !== '/fleet/returns') return undefined
    return change('POST', async (request) => {
      const id = text('node', (await readObject(request)).node)
      await (path === '/fleet/kills' ? fleet.kill(id) : fleet.bringBack(id))
      return fleet.figures()
    })
  }

  #storeChangeAt(path: string): Change | undefined {
    const { shards } = this.#exhibits
    if (path === '/shards/requests') {
      return change('POST', async (request) => {
        const { count } = await readObject(request)
        return shards.serve(number('count', count))
      })
    }
    if (path === '/shards/moves') return change('POST', () => shards.reshard())
    if (path !== '/shards/pins' && path !== '/shards/unpins') return undefined
    return change('POST', async (request) => {
      const key = text('key', (await readObject(request)).key)
      return path === '/shards/pins' ? shards.pin(key) : shards.unpin(key)
    })
  }

  #keepChangeAt(path: string): Change | undefined {
    const { caches } = this.#exhibits
    if (path === '/caches/crowds') {
      return change('POST', async (request) => {
        const { stale } = await readObject(request)
        return flag('stale', stale) ? caches.goStale() : caches.serve()
      })
    }
    if (path !== '/caches/kills' && path !== '/caches/returns') return undefined
    return change('POST', async (request) => {
      const id = text('server', (await readObject(request)).server)
      return path === '/caches/kills' ? caches.kill(id) : caches.bringBack(id)
    })
  }

  #hosts(): string[] {
    const host = this.#origin.slice('http://'.length)
    return [host, host.replace('127.0.0.1', 'localhost')]
  }
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { ...HEADERS, ...headers, 'content-type': type }).end(body)
}

function notAllowed(methods: string): Refusal {
  return new Refusal(405, `the methods here are ${methods}`, { allow: methods })
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  for (const Known of REFUSALS) {
    if (error instanceof Known) return new Refusal(STATUS[error.code], error.message)
  }
  return new Refusal(500, error instanceof Error ? error.message : String(error))
}

/** A change, and the method that asks for it. */
interface Change {
  readonly method: 'POST' | 'DELETE'
  /** Makes the change; resolves to what is true after it. */
  readonly make: (request: IncomingMessage) => unknown
}

function change(method: Change['method'], make: Change['make']): Change {
  return { method, make }
}

function json(value: unknown): Answer {
  return { type: 'application/json', body: JSON.stringify(value) }
}

function binary(body: Buffer): Answer {
  return { type: 'application/octet-stream', body }
}

function text(field: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new Refusal(400, `${field} is a string, got ${JSON.stringify(value)}`)
}

function texts(field: string, value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) return value.map((one) => text(field, one))
  throw new Refusal(400, `${field} is a list of strings, got ${JSON.stringify(value)}`)
}

function number(field: string, value: unknown): number {
  if (typeof value === 'number') return value
  throw new Refusal(400, `${field} is a number, got ${JSON.stringify(value)}`)
}

function flag(field: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new Refusal(400, `${field} is true or false, got ${JSON.stringify(value)}`)
}

function place(value: unknown): number {
  if (typeof value === 'number') return value
  throw new Refusal(400, `city is its place in the list, from 0; got ${JSON.stringify(value)}`)
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(400, 'the id in the path is not encoded as a URL component')
  }
}
