// The other end of a ticket server: a source of segments for a TicketPool, from any of several
// servers. One that failed lately is asked last, so that a dead one does not cost its time-out
// again and again.

import { describe, IdError, type IdErrorCode, requireAtLeast, requireInteger } from './id-error.ts'
import { failover } from './ticket-fetch.ts'
import type { TicketFetch, TicketSegment } from './ticket-store.ts'
import { platformTimers, type Timers } from './timers.ts'

/** What the client needs of a response; the platform's fits. */
export interface TicketResponse {
  readonly ok: boolean
  readonly status: number
  text(): Promise<string>
}

/** How a {@link ticketClient} asks. */
export interface TicketClientOptions {
  /**
   * Where the servers are, as `http://host:port`; their numbers must be disjoint, by sharing a
   * store or by counting as masters of one step.
   */
  readonly servers: readonly string[]
  /** Default: the platform's. */
  readonly fetch?: (
    url: string,
    init: {
      readonly method: string
      readonly headers: Record<string, string>
      readonly signal: AbortSignal
    },
  ) => Promise<TicketResponse>
  /** How long one server may take; default 2,000. */
  readonly timeoutMs?: number
  /** For how long a server that failed is asked after the others; default 5,000. */
  readonly avoidMs?: number
  /** Elapsed milliseconds that never go back; default `performance.now`. */
  readonly monotonic?: () => number
  /** Default: the platform's. */
  readonly timers?: Timers
}

/**
 * A source for a TicketPool that asks ticket servers in turn and, where one fails, the others.
 *
 * It rejects with STORE_UNAVAILABLE, whose `cause` is an AggregateError of what each one said, if
 * all fail, and with the signal's reason when that comes first. An answer that gets lost on the
 * way costs a gap.
 *
 * @throws IdError INVALID_OPTION without a server, or for what is no http(s) address.
 *
 * @example
 * const tickets = new TicketPool({ fetch: ticketClient({ servers: [server.url] }) })
 * await tickets.take()
 */
export function ticketClient(options: TicketClientOptions): TicketFetch {
  requireInteger('the number of servers', options.servers.length, 1)
  const monotonic = options.monotonic ?? (() => performance.now())
  const avoidMs = requireAtLeast('avoidMs', options.avoidMs ?? 5000, 0)
  const avoidUntil = options.servers.map(() => Number.NEGATIVE_INFINITY)
  const sources = options.servers.map((server, i): TicketFetch => {
    const source = sourceOf(server, options)
    return async (count, { signal } = {}) => {
      try {
        return await source(count, { signal })
      } catch (error) {
        if (!signal?.aborted) avoidUntil[i] = monotonic() + avoidMs
        throw error
      }
    }
  })
  let turn = 0
  return (count, asked) => {
    const now = monotonic()
    const start = turn++
    const order = sources.map((_, i) => (start + i) % sources.length)
    const isAvoided = (i: number) => Number(avoidUntil[i]! > now)
    const inOrder = order.toSorted((a, b) => isAvoided(a) - isAvoided(b))
    return failover(inOrder.map((i) => sources[i]!))(count, asked)
  }
}

/** The numbers of one server. */
function sourceOf(server: string, options: TicketClientOptions): TicketFetch {
  const ask = options.fetch ?? ((url, init) => fetch(url, init))
  const timers = options.timers ?? platformTimers
  const timeoutMs = requireAtLeast('timeoutMs', options.timeoutMs ?? 2000, 1)
  const url = addressOf(server)
  return async (count, { signal } = {}) => {
    signal?.throwIfAborted()
    const ending = new AbortController()
    const stop = () => ending.abort(signal?.reason)
    signal?.addEventListener('abort', stop, { once: true })
    const timer = timers.setTimeout(() => {
      const message = `the ticket server ${server} did not answer within ${timeoutMs} ms`
      ending.abort(new IdError('STORE_UNAVAILABLE', message))
    }, timeoutMs)
    try {
      const response = await ask(`${url}?count=${count}`, {
        method: 'POST',
        headers: { accept: 'application/json' },
        signal: ending.signal,
      })
      return segmentOf(server, response, await response.text())
    } catch (error) {
      ending.signal.throwIfAborted()
      if (error instanceof IdError) throw error
      const message = `the ticket server ${server} cannot be asked: see cause`
      throw new IdError('STORE_UNAVAILABLE', message, { cause: error })
    } finally {
      timers.clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }
}

function addressOf(server: string): string {
  if (URL.canParse(server) && /^https?:/u.test(server)) {
    return `${server.replace(/\/$/u, '')}/tickets`
  }
  throw new IdError(
    'INVALID_OPTION',
    `servers must be addresses like http://127.0.0.1:4000, got ${describe(server)}`,
  )
}

function segmentOf(server: string, { ok, status }: TicketResponse, text: string): TicketSegment {
  const body = bodyOf(text)
  const { first, count, step = 1 } = body
  const isSound = [first, count, step].every(Number.isSafeInteger)
  if (ok && isSound) return { first: Number(first), count: Number(count), step: Number(step) }
  const { code, message, waitMs } = body
  const isKnown = typeof code === 'string' && PASSED_ON.has(code)
  throw new IdError(
    isKnown ? (code as IdErrorCode) : 'STORE_UNAVAILABLE',
    `the ticket server ${server} answered ${status}: ${describe(message ?? text)}`,
    { waitMs: typeof waitMs === 'number' ? waitMs : undefined },
  )
}

/** What a server may say of itself; anything else is a fault of the connection. */
const PASSED_ON = new Set(['INVALID_OPTION', 'EPOCH_OVERFLOW', 'STORE_UNAVAILABLE', 'NOT_READY'])

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? { ...body } : {}
  } catch {
    return {}
  }
}
