// The HTTP side of it.
//
//   POST   /links       {"url", "after"?} → 201 {"id", "url", "short"}; Idempotency-Key: sent again
//                       with the same key it is answered with the same link
//   GET    /:id         → 302 to where the link leads
//   GET    /links/:id   → 200 {"id", "url", "short", "hits"}
//   DELETE /links/:id   → 204; takes an Idempotency-Key as well
//   GET    /health      → 200, or 503 once the server is about to stop
//   GET    /shards      the fleet, and the job that adds a shard;  POST /shards  begins one
//
// Errors are {"error": {"code", "message"}}. For the last two, `Authorization: Bearer ADMIN_TOKEN`.

import { createHash, timingSafeEqual } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { FleetStatus } from './growth.ts'
import { HttpError, httpErrorOf } from './http-error.ts'
import { readObject } from './json-body.ts'
import type { Shortener } from './shortener.ts'

/** What the API is for. */
export interface HttpApiOptions {
  readonly shortener: Pick<Shortener, 'create' | 'resolve' | 'inspect' | 'delete'>
  readonly health: () => { readonly isReady: boolean; readonly details: object }
  readonly fleet: { begin(): Promise<FleetStatus>; status(): Promise<FleetStatus> }
  readonly adminToken: string | undefined
  /** What short links begin with. */
  readonly baseUrl: () => string
  /** Told of what is answered with 500. */
  readonly onError: (error: unknown) => void
}

interface Answer {
  readonly status: number
  readonly body?: object
  readonly headers?: OutgoingHttpHeaders
}

type Route = (request: IncomingMessage, id: string) => Promise<Answer>

/** A server that answers so; it does not listen yet. */
export function httpApi(options: HttpApiOptions): Server {
  const routes = routesOf(options)
  const server = createServer({ requestTimeout: 10_000 }, async (request, response) => {
    try {
      send(request, response, await answer(routes, request), server.listening)
    } catch (error) {
      const { status, code, message, headers } = httpErrorOf(error)
      if (status === 500) options.onError(error)
      const body = { error: { code, message } }
      send(request, response, { status, body, headers }, server.listening && status !== 413)
    }
  })
  return server
}

function routesOf(
  options: HttpApiOptions,
): Readonly<Record<string, Readonly<Record<string, Route>>>> {
  const { shortener, fleet, health } = options
  const short = (id: string) => `${options.baseUrl()}/${id}`
  const admin = (act: () => Promise<Answer>): Route => {
    return (request) => {
      checkAdmin(request, options.adminToken)
      return act()
    }
  }
  return {
    '/links': {
      POST: async (request) => {
        const { url, after } = await readObject(request)
        if (typeof url !== 'string') throw invalid('INVALID_URL', 'url is a text')
        if (after !== undefined && typeof after !== 'string') {
          throw invalid('INVALID_AFTER', 'after is a text')
        }
        const link = await shortener.create(url, {
          ...requestKey(request),
          ...(after && { after }),
        })
        const location = short(link.id)
        return { status: 201, body: { ...link, short: location }, headers: { location } }
      },
    },
    '/links/:id': {
      GET: async (_, id) => {
        const link = (await shortener.inspect(id)) ?? notFound()
        return { status: 200, body: { ...link, short: short(id) } }
      },
      DELETE: async (request, id) => {
        if (!(await shortener.delete(id, requestKey(request)))) notFound()
        return { status: 204 }
      },
    },
    '/health': {
      GET: async () => {
        const { isReady, details } = health()
        return { status: isReady ? 200 : 503, body: details }
      },
    },
    '/shards': {
      GET: admin(async () => ({ status: 200, body: await fleet.status() })),
      POST: admin(async () => ({ status: 202, body: await fleet.begin() })),
    },
    '/:id': {
      GET: async (_, id) => {
        const location = (await shortener.resolve(id)) ?? notFound()
        return { status: 302, headers: { location } }
      },
    },
  }
}

async function answer(
  routes: ReturnType<typeof routesOf>,
  request: IncomingMessage,
): Promise<Answer> {
  const { method = '', url = '' } = request
  const path = url.split('?', 1)[0]!
  const [, prefix, id = ''] = /^(\/links)?\/([^/]+)$/u.exec(path) ?? []
  const found = routes[path] ?? (id === '' ? undefined : routes[`${prefix ?? ''}/:id`])
  if (found === undefined) return notFound()
  const route = found[method === 'HEAD' ? 'GET' : method]
  if (route !== undefined) return route(request, id)
  const allow = Object.keys(found).join(', ')
  throw new HttpError(405, 'METHOD_NOT_ALLOWED', `here goes ${allow}`, { allow })
}

function send(
  { method }: IncomingMessage,
  response: ServerResponse,
  { status, body, headers }: Answer,
  staysOpen: boolean,
): void {
  if (response.headersSent || response.destroyed) return
  const text = body === undefined ? '' : `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    ...(body && { 'content-type': 'application/json; charset=utf-8' }),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }),
    'cache-control': 'no-store',
    ...(staysOpen ? {} : { connection: 'close' }),
    ...headers,
  })
  response.end(method === 'HEAD' ? undefined : text)
}

function requestKey({ headers }: IncomingMessage): { readonly request?: string } {
  const key = headers['idempotency-key']
  return key === undefined ? {} : { request: String(key) }
}

function checkAdmin({ headers }: IncomingMessage, token: string | undefined): void {
  // Who has no right to it need not know that it is there.
  if (token === undefined) notFound()
  const digest = (text: string) => createHash('sha256').update(text).digest()
  if (timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`))) return
  const challenge = { 'www-authenticate': 'Bearer' }
  throw new HttpError(401, 'UNAUTHORIZED', 'the bearer token is ADMIN_TOKEN', challenge)
}

function invalid(code: string, message: string): HttpError {
  return new HttpError(400, code, message)
}

function notFound(): never {
  throw new HttpError(404, 'NOT_FOUND', 'there is nothing here')
}
