import { describe, expect, test } from 'vitest'
import { type TicketClientOptions, ticketClient } from '../src/ticket-client.ts'
import { idErrorOf, idRejectionOf } from './id-error-of.ts'
import { ManualTimers, settle } from './manual-timers.ts'

type Fetch = NonNullable<TicketClientOptions['fetch']>

const answer = (status: number, body: unknown) => ({
  ok: status < 300,
  status,
  text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
})

/** Servers by their first letter; it keeps who was asked. */
function network(servers: Record<string, Fetch>): { fetch: Fetch; asked: string[] } {
  const asked: string[] = []
  const fetch: Fetch = (url, init) => {
    const name = new URL(url).hostname
    asked.push(name)
    return servers[name]!(url, init)
  }
  return { fetch, asked }
}

const works: Fetch = async () => answer(200, { first: 1, count: 5 })
const fails: Fetch = async () => {
  throw new TypeError('fetch failed')
}
const hangs: Fetch = (_, { signal }) => {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

describe('a ticket client', () => {
  test('posts the count and accepts JSON', async () => {
    const requests: unknown[] = []
    const fetch: Fetch = async (url, { method, headers }) => {
      requests.push({ url, method, headers })
      return answer(200, { first: 5, count: 3, step: 2 })
    }
    const client = ticketClient({ servers: ['http://a:1/'], fetch })
    expect(await client(3)).toEqual({ first: 5, count: 3, step: 2 })
    expect(requests).toEqual([
      {
        url: 'http://a:1/tickets?count=3',
        method: 'POST',
        headers: { accept: 'application/json' },
      },
    ])
  })

  test('asks in turn, and for some time one that failed after the others', async () => {
    const { fetch, asked } = network({ a: fails, b: works, c: works })
    const time = new ManualTimers(0)
    const client = ticketClient({
      servers: ['http://a', 'http://b', 'http://c'],
      fetch,
      monotonic: time.now,
      timers: time,
      avoidMs: 1000,
    })
    for (let i = 0; i < 4; i++) await client(5)
    expect(asked).toEqual(['a', 'b', 'b', 'c', 'b'])
    time.time = 1001
    await client(5)
    await client(5)
    await client(5)
    expect(asked.slice(5)).toEqual(['b', 'c', 'a', 'b'])
    expect(time.pending).toBe(0)
  })

  test('gives up on one that hangs and goes on to the next', async () => {
    const { fetch, asked } = network({ a: hangs, b: works })
    const timers = new ManualTimers(0)
    const servers = ['http://a', 'http://b']
    const client = ticketClient({ servers, fetch, timers, monotonic: timers.now, timeoutMs: 100 })
    const segment = client(5)
    await timers.advance(99)
    expect(asked).toEqual(['a'])
    await timers.advance(1)
    expect(await segment).toMatchObject({ first: 1, count: 5 })
    expect(asked).toEqual(['a', 'b'])
    expect(timers.pending).toBe(0)
  })

  test('says what each server said when all fail', async () => {
    const { fetch } = network({ a: fails, b: hangs })
    const timers = new ManualTimers(0)
    const options = { fetch, timers, monotonic: timers.now, timeoutMs: 100 }
    const asked = idRejectionOf(ticketClient({ servers: ['http://a', 'http://b'], ...options })(5))
    await settle()
    await timers.advance(100)
    const error = await asked
    expect(error.code).toBe('STORE_UNAVAILABLE')
    const { errors } = error.cause as AggregateError
    expect(errors.map((each: Error) => each.message)).toEqual([
      'the ticket server http://a cannot be asked: see cause',
      'the ticket server http://b did not answer within 100 ms',
    ])
  })

  test('ends with the signal’s reason, asks nobody else, and leaves nothing behind', async () => {
    const { fetch, asked } = network({ a: hangs, b: works })
    const timers = new ManualTimers(0)
    const servers = ['http://a', 'http://b']
    const client = ticketClient({ servers, fetch, timers, monotonic: timers.now })
    const ending = new AbortController()
    const reason = new Error('enough')
    const segment = client(5, { signal: ending.signal })
    ending.abort(reason)
    await expect(segment).rejects.toBe(reason)
    await expect(client(5, { signal: ending.signal })).rejects.toBe(reason)
    expect(asked).toEqual(['a'])
    expect(timers.pending).toBe(0)
  })

  test.each([
    ['nonsense', 200, '<html>'],
    ['null', 200, 'null'],
    ['texts', 200, { first: '1', count: '5' }],
    ['a part of it', 200, { first: 1 }],
    ['more than is exact', 200, { first: 2 ** 53, count: 5 }],
    ['a page of a proxy', 502, 'Bad Gateway'],
    ['a strange code', 400, { code: 'constructor', message: 'no' }],
  ])('takes %s for no answer', async (_, status, body) => {
    const client = ticketClient({ servers: ['http://a'], fetch: async () => answer(status, body) })
    const { cause } = await idRejectionOf(client(5))
    expect((cause as AggregateError).errors[0]).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  test('passes on what the server says of itself', async () => {
    const body = { code: 'EPOCH_OVERFLOW', message: 'full', waitMs: 5 }
    const client = ticketClient({ servers: ['http://a'], fetch: async () => answer(500, body) })
    const { cause } = await idRejectionOf(client(5))
    expect((cause as AggregateError).errors[0]).toMatchObject({ code: 'EPOCH_OVERFLOW', waitMs: 5 })
  })

  test('refuses what is no address, and times that make no sense', () => {
    for (const server of ['', 'tickets:4000', 'ftp://a', 'http://']) {
      expect(idErrorOf(() => ticketClient({ servers: [server] })).code).toBe('INVALID_OPTION')
    }
    for (const options of [{ timeoutMs: 0 }, { avoidMs: -1 }]) {
      const make = () => ticketClient({ servers: ['http://a'], ...options })
      expect(idErrorOf(make).code).toBe('INVALID_OPTION')
    }
  })
})
