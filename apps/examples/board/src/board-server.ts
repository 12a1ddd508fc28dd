// The board over HTTP: which request is which call, and which error is which status.
//
//   GET  /                  /api/threads            latest threads; ?before= for older ones
//   GET  /threads/ID        /api/threads/ID         a thread
//   POST /threads           /api/threads            begins a thread
//   POST /threads/ID/posts  /api/threads/ID/posts   replies
//   GET  /health, /board.css

import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Board, Shown } from './board.ts'
import { BoardError, type BoardErrorCode } from './board-error.ts'
import { isId, readDraft } from './draft.ts'
import { type Answer, type Attempt, type Face, htmlFace } from './html-face.ts'
import { jsonFace } from './json-face.ts'

/** What a server is made of. */
export interface BoardServerOptions {
  readonly board: Board
  readonly newId: () => string
  /** What `/health` says. */
  readonly health: () => object
}

const STATUS: Record<BoardErrorCode, number> = {
  BAD_POST: 400,
  BAD_REQUEST: 400,
  NOT_FOUND: 404,
  NOT_ALLOWED: 405,
  THREAD_FULL: 409,
  TOO_LARGE: 413,
  DATABASE_DOWN: 503,
}
const MOST_BYTES = 64 * 1024
const CSS = readFileSync(new URL('./board.css', import.meta.url), 'utf8')
const HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
}

/** The server, not listening yet. */
export function boardServer({ board, newId, health }: BoardServerOptions): Server {
  const pages = htmlFace(newId)
  const server = createServer({ requestTimeout: 30_000 }, async (request, response) => {
    const send = (type: string, answer: Answer) => {
      // A connection that stays open would keep a server from closing.
      if (!server.listening) response.setHeader('Connection', 'close')
      response.writeHead(answer.status, { ...HEADERS, 'Content-Type': type, ...answer.headers })
      response.end(answer.body)
    }
    const [path, query] = request.url!.split('?', 2) as [string, string?]
    if (path === '/board.css') return send('text/css', { status: 200, body: CSS })
    if (path === '/health') {
      return send('application/json', { status: 200, body: JSON.stringify(health()) })
    }
    const face = path.startsWith('/api/') ? jsonFace : pages
    send(face.contentType, await answerTo(request, { board, newId, face, path, query }))
  })
  return server
}

interface Call {
  readonly board: Board
  readonly newId: () => string
  readonly face: Face
  readonly path: string
  readonly query: string | undefined
}

const ROUTE = /^(?:\/|(?:\/api)?\/threads(?:\/(?<id>\w+)(?<posts>\/posts)?)?)$/u

async function answerTo(request: IncomingMessage, call: Call): Promise<Answer> {
  const { board, face, path, newId } = call
  let attempt: Attempt | undefined
  try {
    const { id, posts } = ROUTE.exec(path)?.groups ?? notFound()
    if (id !== undefined && !isId(id)) notFound()
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (isRead && posts === undefined) return await read(call, id)
    if (request.method !== 'POST' || (id !== undefined && posts === undefined)) notAllowed()
    const fields = face.fieldsOf(await bodyOf(request))
    // The id stands from here on, so that the form that may come back is for the same post.
    attempt = { fields: { ...fields, id: fields.id ?? newId() }, threadId: id }
    const draft = readDraft(attempt.fields, id)
    return face.posted({ threadId: await board.post(draft), id: draft.id })
  } catch (error) {
    if (error instanceof BoardError) return failed(face, error, attempt)
    // One who hung up in the middle of a request is no news.
    if (request.complete) console.error(error)
    const unknown = new BoardError('BAD_REQUEST', 'Something went wrong here.')
    return { status: 500, body: face.failed(unknown, attempt) }
  }
}

async function read({ board, face, query }: Call, id: string | undefined): Promise<Answer> {
  if (id !== undefined) {
    const shown = await board.thread(id)
    return { status: 200, headers: staleness(shown), body: face.thread(shown) }
  }
  const before = Number(new URLSearchParams(query).get('before') ?? Number.MAX_SAFE_INTEGER)
  if (!Number.isSafeInteger(before) || before < 1) {
    throw new BoardError('BAD_REQUEST', 'before must be a whole number from 1.')
  }
  const shown = await board.front(before)
  return { status: 200, headers: staleness(shown), body: face.front(shown) }
}

function staleness({ view, isStale }: Shown<object>): Record<string, string> {
  return isStale ? { 'Board-Stale': `since=${new Date(view.readAtMs).toISOString()}` } : {}
}

function failed(face: Face, error: BoardError, attempt: Attempt | undefined): Answer {
  const headers: Record<string, string> = {}
  if (error.code === 'DATABASE_DOWN') headers['Retry-After'] = `${error.retryAfterSeconds}`
  if (error.code === 'NOT_ALLOWED') headers.Allow = 'GET, HEAD, POST'
  // The rest of the body is not read.
  if (error.code === 'TOO_LARGE') headers.Connection = 'close'
  return { status: STATUS[error.code], headers, body: face.failed(error, attempt) }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  // What is too large is answered, and that takes the connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new BoardError('TOO_LARGE', 'This is far more than a post.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function notFound(): never {
  throw new BoardError('NOT_FOUND', 'There is nothing here.')
}

function notAllowed(): never {
  throw new BoardError('NOT_ALLOWED', 'This cannot be done here.')
}
