// A ticket server that a process can run: numbers over HTTP from any source of segments.
//
//   POST /tickets?count=1000   → 200 {"first":4001,"count":1000,"step":1}; GET does the same
//   Accept: text/plain         → the numbers themselves, one a line
//   GET /health                → 200 {"status":"ok", …} or 503
//
// Errors are {"code","message","waitMs"} of an IdError. Only this machine reaches it by default,
// and no web page does: a request that a browser sends for another site is refused.

// Consumers whose own `lib` is older get the type of Symbol.asyncDispose with the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { describe, IdError, requireAtLeast, requireInteger } from '../id-error.ts'
import type { TicketFetch, TicketSegment } from '../ticket-store.ts'
import { platformTimers, type Timers } from '../timers.ts'
import { TicketCounter } from './ticket-counter.ts'

/** How a {@link TicketServer} serves. */
export interface TicketServerOptions {
  /** Where its numbers come from: a store's fetch, or a `failover` of several. */
  readonly fetch: TicketFetch
  /** Default `127.0.0.1`, which only this machine reaches. */
  readonly host?: string
  /** Default 0, which is any free one: see {@link TicketServer.url}. */
  readonly port?: number
  /** How many numbers a request may ask for; default 1,000,000, and 10,000 as text. */
  readonly maxCount?: number
  /**
   * How many numbers to fetch at least, to give out in smaller parts; default 1, so that each
   * request is one round trip to the store. What is left at the end {@link TicketServer.close}
   * returns.
   */
  readonly batch?: number
  /** What an earlier server's close returned: given out first. */
  readonly unused?: readonly TicketSegment[]
  /** How long the store may take; default 5,000. */
  readonly fetchTimeoutMs?: number
  /** How many connections at once; default 1,000. */
  readonly maxConnections?: number
  /** Default: the platform's. */
  readonly timers?: Timers
}

/**
 * Starts a ticket server; resolves once it listens.
 *
 * @throws IdError INVALID_OPTION; what `node:http` throws if the port is taken.
 *
 * @example
 * const server = await ticketServer({ fetch: (count, options) => store.fetch(count, options) })
 * server.url // http://127.0.0.1:40321
 * await server.close()
 */
export async function ticketServer(options: TicketServerOptions): Promise<TicketServer> {
  const server = new TicketServer(options)
  await server.listen()
  return server
}

const MAX_TEXT_COUNT = 10_000

/**
 * A ticket server; made by {@link ticketServer}.
 *
 * @example
 * const server: TicketServer = await ticketServer({ fetch: (count) => store.fetch(count) })
 * await fetch(`${server.url}/tickets?count=100`)
 * await server.close()
 */
export class TicketServer {
  readonly #host: string
  readonly #port: number
  readonly #maxCount: number
  readonly #fetchTimeoutMs: number
  readonly #timers: Timers
  readonly #counter: TicketCounter
  readonly #server: Server
  readonly #running = new Set<Promise<void>>()
  #given = 0
  #lastFailure: string | undefined
  #closing: Promise<readonly TicketSegment[]> | undefined

  /** @throws IdError INVALID_OPTION. Nobody is served before {@link listen}. */
  constructor(options: TicketServerOptions) {
    const { fetch, unused = [] } = options
    this.#host = options.host ?? '127.0.0.1'
    this.#port = requireInteger('port', options.port ?? 0, 0, 65_535)
    this.#maxCount = requireInteger('maxCount', options.maxCount ?? 1_000_000, 1, 2 ** 32)
    this.#fetchTimeoutMs = requireAtLeast('fetchTimeoutMs', options.fetchTimeoutMs ?? 5000, 1)
    this.#timers = options.timers ?? platformTimers
    const batch = requireInteger('batch', options.batch ?? 1, 1, 2 ** 32)
    this.#counter = new TicketCounter(fetch, batch, unused)
    // Nobody may keep a connection busy with half a request.
    const limits = { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000 }
    this.#server = createServer(limits, (request, response) => this.#accept(request, response))
    this.#server.maxConnections = requireInteger(
      'maxConnections',
      options.maxConnections ?? 1000,
      1,
    )
  }

  /** Where it listens, as `ticketClient` takes it; throws NOT_READY before it does. */
  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') {
      throw new IdError('NOT_READY', 'the ticket server does not listen: await listen() first')
    }
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
    return `http://${host}:${address.port}`
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    })
  }

  /** Begins to serve; rejects with what `node:http` says if the port is taken. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: this.#host, port: this.#port }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  /**
   * Stops: takes no new request, answers those under way, ends all connections, and returns the
   * numbers that were fetched and not given out, for the next server's `unused`. Safe to call
   * twice.
   */
  close(): Promise<readonly TicketSegment[]> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<readonly TicketSegment[]> {
    const ended = new Promise((resolve) => this.#server.close(resolve))
    await Promise.all(this.#running)
    // Answers are on their way; what still hangs on is a connection without a request.
    this.#server.closeIdleConnections()
    const timer = this.#timers.setTimeout(() => this.#server.closeAllConnections(), 1000)
    await ended
    this.#timers.clearTimeout(timer)
    return this.#counter.unused
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const done = this.#answer(request, response)
      .catch((error: unknown) => this.#refuse(response, error))
      .finally(() => this.#running.delete(done))
    this.#running.add(done)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://tickets')
    if (isFromWebPage(request)) return this.#json(response, 403, problem('no web page may ask'))
    if (pathname === '/health') return this.#health(response)
    if (pathname !== '/tickets') return this.#json(response, 404, problem('/tickets or /health'))
    if (request.method !== 'POST' && request.method !== 'GET') {
      response.setHeader('allow', 'GET, POST')
      return this.#json(response, 405, problem('GET or POST'))
    }
    if (this.#closing !== undefined) throw new IdError('STORE_UNAVAILABLE', 'the server stops')
    const isText = wantsText(request.headers.accept)
    const most = isText ? Math.min(MAX_TEXT_COUNT, this.#maxCount) : this.#maxCount
    const count = countOf(searchParams.get('count'), most)
    await (isText ? this.#giveText(response, count) : this.#giveJson(response, count))
  }

  async #giveJson(response: ServerResponse, count: number): Promise<void> {
    const segment = await this.#take(count)
    if (this.#isThere(response, [segment])) this.#json(response, 200, segment)
  }

  /** As many numbers as were asked for, also across segments. */
  async #giveText(response: ServerResponse, count: number): Promise<void> {
    const segments: TicketSegment[] = []
    for (let left = count; left > 0; left -= segments.at(-1)!.count) {
      segments.push(await this.#take(left))
    }
    if (!this.#isThere(response, segments)) return
    this.#end(response, 200, `${segments.flatMap(numbersOf).join('\n')}\n`, 'text/plain')
  }

  /** Whether whoever asked is still there; if not, the last numbers need not be lost. */
  #isThere(response: ServerResponse, segments: readonly TicketSegment[]): boolean {
    if (response.destroyed) this.#counter.giveBack(segments.at(-1)!)
    else for (const { count } of segments) this.#given += count
    return !response.destroyed
  }

  async #take(count: number): Promise<TicketSegment> {
    const late = new AbortController()
    const error = new IdError('STORE_UNAVAILABLE', `no answer in ${this.#fetchTimeoutMs} ms`)
    const timer = this.#timers.setTimeout(() => late.abort(error), this.#fetchTimeoutMs)
    try {
      const segment = await this.#counter.take(count, late.signal)
      this.#lastFailure = undefined
      return segment
    } catch (cause) {
      this.#lastFailure = cause instanceof IdError ? cause.code : 'unknown'
      throw cause
    } finally {
      this.#timers.clearTimeout(timer)
    }
  }

  /** Says how the last request went; it asks the store nothing, for that would cost a number. */
  #health(response: ServerResponse): void {
    const isStopping = this.#closing !== undefined
    const status = isStopping ? 'stopping' : this.#lastFailure === undefined ? 'ok' : 'failing'
    const body = { status, given: this.#given, lastFailure: this.#lastFailure }
    this.#json(response, status === 'ok' ? 200 : 503, body)
  }

  /** Answers with what went wrong: 400 for the asker's mistake, 503 for what may pass. */
  #refuse(response: ServerResponse, error: unknown): void {
    const known =
      error instanceof IdError ? error : new IdError('STORE_UNAVAILABLE', 'the source failed')
    const { code, message, waitMs } = known
    if (waitMs !== undefined) response.setHeader('retry-after', Math.ceil(waitMs / 1000))
    const status = code === 'INVALID_OPTION' ? 400 : code === 'EPOCH_OVERFLOW' ? 500 : 503
    this.#json(response, status, { code, message, waitMs })
  }

  #json(response: ServerResponse, status: number, body: object): void {
    this.#end(response, status, JSON.stringify(body), 'application/json')
  }

  #end(response: ServerResponse, status: number, body: string, type: string): void {
    // A connection that stays open would keep the server from closing.
    if (this.#closing !== undefined) response.setHeader('connection', 'close')
    response.setHeader('cache-control', 'no-store')
    response.setHeader('content-type', type)
    response.statusCode = status
    response.end(body)
  }
}

/** Whether a browser asks on behalf of a page of another site. */
function isFromWebPage({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] === 'cross-site'
}

/** Text is for people and shells: only if it is asked for, and before JSON. */
function wantsText(accept = ''): boolean {
  const text = accept.indexOf('text/plain')
  const json = accept.indexOf('application/json')
  return text >= 0 && (json < 0 || text < json)
}

function countOf(given: string | null, most: number): number {
  const isNumber = given === null || /^\d{1,10}$/u.test(given)
  const count = Number(given ?? 1)
  if (isNumber && count >= 1 && count <= most) return count
  throw new IdError(
    'INVALID_OPTION',
    `count must be an integer from 1 to ${most}, got ${describe(given)}`,
  )
}

function numbersOf({ first, count, step = 1 }: TicketSegment): number[] {
  return Array.from({ length: count }, (_, i) => first + i * step)
}

function problem(message: string): { code: string; message: string } {
  return { code: 'INVALID_OPTION', message }
}
