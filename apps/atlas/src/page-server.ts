// The page on loopback: its files, the state of the live atlas as JSON, and two ways to change it.
//
//   GET /  /style.css  /*.ts …   the files of page/
//   GET /cities.bin  /state      where the cities are; everything that changes
//   POST /nodes                  a node joins: {} the next one, {"id": "jade"} that one
//   DELETE /nodes/:id            a node leaves
//
// Other sites must not drive it through the visitor's browser: it listens on 127.0.0.1 alone,
// answers to no other Host (DNS rebinding), and changes need its own Origin.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type LiveAtlas, MembershipError } from './live-atlas.ts'
import { type Asset, readAssets } from './page-assets.ts'

const MAX_BODY_BYTES = 1_024
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

const STATUS: Record<MembershipError['code'], number> = {
  ERR_ATLAS_UNKNOWN_NODE: 404,
  ERR_ATLAS_NODE_EXISTS: 409,
  ERR_ATLAS_NODE_LIMIT: 409,
}

/** An answer that is an error, with the status to send. */
class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** Serves one {@link LiveAtlas} on 127.0.0.1. */
export class PageServer {
  readonly #atlas: LiveAtlas
  readonly #server = createServer({ requestTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    void this.#answer(request, response)
  })
  #assets: Map<string, Asset> = new Map()
  #places: Buffer = Buffer.alloc(0)
  #origin = ''

  constructor(atlas: LiveAtlas) {
    this.#atlas = atlas
  }

  /**
   * Starts to listen on a port of loopback, 0 for a free one, and resolves to the address.
   * @throws an error that names the port if it is taken.
   */
  async listen(port: number): Promise<string> {
    this.#assets = await readAssets()
    this.#places = this.#atlas.places()
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

  async #route(request: IncomingMessage): Promise<{ type: string; body: string | Buffer }> {
    if (!this.#hosts().includes(request.headers.host ?? '')) {
      throw new Refusal(403, `this page is served at ${this.#origin}/ alone`)
    }
    const path = (request.url ?? '/').split('?', 1)[0]!
    if (path === '/nodes' || path.startsWith('/nodes/'))
      return await this.#changeNodes(request, path)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET, HEAD')
    if (path === '/state') return this.#state()
    if (path === '/cities.bin') return { type: 'application/octet-stream', body: this.#places }
    const asset = this.#assets.get(path)
    if (asset === undefined) throw new Refusal(404, `there is nothing at ${path}`)
    return asset
  }

  async #changeNodes(
    request: IncomingMessage,
    path: string,
  ): Promise<{ type: string; body: string }> {
    const isList = path === '/nodes'
    if (request.method !== (isList ? 'POST' : 'DELETE'))
      throw notAllowed(isList ? 'POST' : 'DELETE')
    const { origin } = request.headers
    if (!this.#hosts().some((host) => origin === `http://${host}`)) {
      throw new Refusal(403, `changes come from the page itself; got Origin ${origin ?? 'none'}`)
    }
    const text = await readBody(request)
    if (isList) this.#atlas.add(idOf(request.headers['content-type'], text))
    else this.#atlas.remove(decode(path.slice('/nodes/'.length)))
    return this.#state()
  }

  #state(): { type: string; body: string } {
    return { type: 'application/json', body: JSON.stringify(this.#atlas.snapshot()) }
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
  if (error instanceof MembershipError) return new Refusal(STATUS[error.code], error.message)
  return new Refusal(500, error instanceof Error ? error.message : String(error))
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `a body has at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** The id asked for in the body of `POST /nodes`; undefined for the next one. */
function idOf(contentType: string | undefined, text: string): string | undefined {
  if (contentType?.split(';', 1)[0] !== 'application/json') {
    throw new Refusal(415, 'a body is application/json: {} or {"id": "…"}')
  }
  const body = parse(text)
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const id: unknown = isObject && 'id' in body ? body.id : undefined
  if (!isObject || !(id === undefined || typeof id === 'string')) {
    throw new Refusal(400, 'a body is {} for the next node, or {"id": "…"} for that one')
  }
  return id
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'the body is not JSON')
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(400, 'the id in the path is not encoded as a URL component')
  }
}
