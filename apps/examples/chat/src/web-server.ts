// The page over HTTP, and rooms over WebSockets:
//
//   GET /                                    the page
//   GET /status                              this node, who is away, JSON
//   ws /rooms/:room?name=ann&seen={…}        joins; `seen`: the stamps that came before, merged
//     ▶ { id, text, replyTo? }               posts, once for each id
//     ◀ { kind: 'messages', messages }       the history first, then what comes
//     ◀ { kind: 'acknowledged', message }    is safe
//     ◀ { kind: 'refused', reason }          was not understood
//
// Close code 1008: the address makes no sense; 1013: not now, come again or go to another node.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { VersionVector } from '@ashlar/clock'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ChatNode } from './chat-node.ts'
import type { Draft } from './message.ts'
import type { Guest } from './room.ts'

const JOIN_WITHIN_MS = 3_000
const GOODBYE_MS = 500
/** Who does not read what is sent loses the connection rather than our memory. */
const MAX_UNREAD_BYTES = 4_000_000
const MAX_TEXT = 1_000
const MAX_NAME = 60

export class WebServer {
  readonly #node: ChatNode
  readonly #page: Promise<{ readonly html: string; readonly policy: string }> = readPage()
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  readonly #sockets = new WebSocketServer({
    server: this.#server,
    maxPayload: 16_384,
    // Another site must not chat in the visitor's name.
    verifyClient: ({ origin, req }: { origin?: string; req: IncomingMessage }) =>
      origin === undefined || origin === `http://${req.headers.host}`,
  })

  constructor(node: ChatNode) {
    this.#node = node
    this.#sockets.on('connection', (socket, request) => void this.#welcome(socket, request))
  }

  /** Resolves to the address. */
  async listen(port: number): Promise<string> {
    await this.#page
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.close(1001, 'the server stops')
    this.#server.close()
    this.#server.closeIdleConnections()
    const late = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate()
    }, GOODBYE_MS)
    await once(this.#server, 'close')
    clearTimeout(late)
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { html, policy } = await this.#page
    const isRead = method === 'GET' || method === 'HEAD'
    if (isRead && url === '/') {
      const type = 'text/html; charset=utf-8'
      response.writeHead(200, { 'content-type': type, 'content-security-policy': policy })
      response.end(html)
    } else if (isRead && url === '/status') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(this.#node.status()))
    } else response.writeHead(isRead ? 404 : 405).end()
  }

  async #welcome(socket: WebSocket, request: IncomingMessage): Promise<void> {
    const left = new AbortController()
    socket.on('error', () => socket.terminate())
    socket.on('close', () => left.abort())
    const entry = entryOf(request.url ?? '')
    if (entry === undefined) return socket.close(1008, 'want /rooms/:room?name=…&seen={…}')
    const { room, name, seen } = entry
    const say = (word: object) => {
      if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.terminate()
      else socket.send(JSON.stringify(word))
    }
    const guest: Guest = { show: (messages) => say({ kind: 'messages', messages }) }
    const signal = AbortSignal.any([left.signal, AbortSignal.timeout(JOIN_WITHIN_MS)])
    const joined = this.#node.join(room, guest, seen, signal)
    const isIn = joined.then(
      () => true,
      () => false,
    )
    // Who posts before the door is open is heard when it is.
    socket.on('message', async (data) => {
      const draft = draftOf(String(data), room, name)
      if (draft === undefined) say({ kind: 'refused', reason: 'want { id, text }' })
      else if (await isIn) say({ kind: 'acknowledged', message: await this.#node.post(draft) })
    })
    if (await isIn) socket.on('close', () => this.#node.leave(room, guest))
    else socket.close(1013, 'what you have seen, or what was said here, is not here yet')
  }
}

function entryOf(url: string): { room: string; name: string; seen: VersionVector } | undefined {
  try {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const room = decodeURIComponent(/^\/rooms\/([^/]+)$/u.exec(pathname)?.[1] ?? '')
    const name = searchParams.get('name')
    const seen = VersionVector.of(JSON.parse(searchParams.get('seen') ?? '{}'))
    return isText(room, MAX_NAME) && isText(name, MAX_NAME) ? { room, name, seen } : undefined
  } catch {
    return undefined
  }
}

function draftOf(json: string, room: string, author: string): Draft | undefined {
  try {
    const { id, text, replyTo } = JSON.parse(json)
    if (!isText(id, MAX_NAME) || !isText(text, MAX_TEXT)) return undefined
    if (replyTo === undefined) return { room, id, author, text }
    return isText(replyTo, MAX_NAME) ? { room, id, author, text, replyTo } : undefined
  } catch {
    return undefined
  }
}

function isText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= most
}

/** The page, and a policy that lets run what is in it and nothing else. */
async function readPage(): Promise<{ html: string; policy: string }> {
  const html = await readFile(new URL('../page/index.html', import.meta.url), 'utf8')
  const hashOf = (tag: string) => {
    const content = new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'u').exec(html)?.[1] ?? ''
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
  }
  const policy =
    `default-src 'none'; script-src ${hashOf('script')}; style-src ${hashOf('style')}; ` +
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  return { html, policy }
}
