import { Agent, get as httpGet } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  IdError,
  MemoryTicketStore,
  type TicketFetch,
  TicketPool,
  type TicketSegment,
} from '../src/index.ts'
import { type TicketServer, ticketServer } from '../src/server/index.ts'
import { ticketClient } from '../src/ticket-client.ts'
import { idErrorOf } from './id-error-of.ts'
import { expectDisjointSegments, ticketStoreLaws } from './ticket-store-laws.ts'

type Options = Omit<Parameters<typeof ticketServer>[0], 'fetch'>

/** Runs a check on a server over a fresh store. */
async function serving(
  options: Options & { readonly fetch?: TicketFetch },
  check: (server: TicketServer) => Promise<void>,
): Promise<void> {
  const store = new MemoryTicketStore()
  const server = await ticketServer({ fetch: (count) => store.fetch(count), ...options })
  try {
    await check(server)
  } finally {
    await server.close()
  }
}

const asText = { headers: { accept: 'text/plain' } }

// The client is a store to whoever uses it.
ticketStoreLaws('ticketClient of a ticketServer', async () => {
  const store = new MemoryTicketStore()
  const server = await ticketServer({ fetch: (count) => store.fetch(count), maxCount: 2 ** 32 })
  return {
    open: async () => {
      const fetch = ticketClient({ servers: [server.url] })
      const handle = { isClosed: false }
      return {
        fetch: async (count, options) => {
          if (handle.isClosed) throw new IdError('STORE_UNAVAILABLE', 'closed')
          try {
            return await fetch(count, options)
          } catch (error) {
            throw causeOf(error)
          }
        },
        close: async () => {
          handle.isClosed = true
        },
      }
    },
    dispose: async () => {
      await server.close()
    },
  }
})

/** What the only server said. */
function causeOf(error: unknown): unknown {
  const { cause } = error as { readonly cause?: unknown }
  return cause instanceof AggregateError ? cause.errors[0] : error
}

describe('a ticket server', () => {
  test('gives segments as JSON and numbers as text, by POST and GET', async () => {
    await serving({}, async ({ url }) => {
      const posted = await fetch(`${url}/tickets?count=3`, { method: 'POST' })
      expect(posted.headers.get('content-type')).toBe('application/json')
      expect(posted.headers.get('cache-control')).toBe('no-store')
      expect(await posted.json()).toEqual({ first: 1, count: 3, step: 1 })
      expect(await (await fetch(`${url}/tickets`)).json()).toEqual({ first: 4, count: 1, step: 1 })
      const text = await fetch(`${url}/tickets?count=3`, asText)
      expect(text.headers.get('content-type')).toBe('text/plain')
      expect(await text.text()).toBe('5\n6\n7\n')
    })
  })

  test('listens on loopback alone unless told otherwise', async () => {
    await serving({}, async ({ url }) => {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u)
    })
    await serving({ host: '::1' }, async ({ url }) => {
      expect((await fetch(`${url}/health`)).status).toBe(200)
    })
  })

  test.each([
    ['/tickets?count=0', 400],
    ['/tickets?count=-1', 400],
    ['/tickets?count=1e3', 400],
    ['/tickets?count=', 400],
    ['/tickets?count=1001', 400],
    ['/tickets?count=99999999999999999999', 400],
    ['/', 404],
    ['/tickets/1', 404],
  ])('answers %s with %d and says what is allowed', async (path, status) => {
    await serving({ maxCount: 1000 }, async ({ url }) => {
      const response = await fetch(url + path)
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ code: 'INVALID_OPTION' })
      expect(await (await fetch(`${url}/tickets`)).json()).toMatchObject({ first: 1 })
    })
  })

  test('refuses other methods, long texts, and browsers that ask for a page', async () => {
    await serving({}, async ({ url }) => {
      const deleted = await fetch(`${url}/tickets`, { method: 'DELETE' })
      expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, POST'])
      expect((await fetch(`${url}/tickets?count=10001`, asText)).status).toBe(400)
      const page = { headers: { origin: 'https://example.org' } }
      expect((await fetch(`${url}/tickets`, page)).status).toBe(403)
      expect(await statusOf(`${url}/tickets`, { 'sec-fetch-site': 'cross-site' })).toBe(403)
    })
  })

  test('tells its health by how the store did last, and asks it nothing for that', async () => {
    let isDown = false
    let asked = 0
    const source: TicketFetch = async (count) => {
      asked++
      if (isDown) throw new IdError('STORE_UNAVAILABLE', 'it rains', { waitMs: 1500 })
      return { first: 1, count }
    }
    await serving({ fetch: source }, async ({ url }) => {
      const health = async () => {
        const response = await fetch(`${url}/health`)
        return [response.status, await response.json()]
      }
      expect(await health()).toEqual([200, { status: 'ok', given: 0 }])
      isDown = true
      const failed = await fetch(`${url}/tickets`)
      expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '2'])
      expect(await failed.json()).toEqual({
        code: 'STORE_UNAVAILABLE',
        message: 'it rains',
        waitMs: 1500,
      })
      expect(await health()).toMatchObject([503, { status: 'failing' }])
      isDown = false
      await fetch(`${url}/tickets?count=5`)
      expect(await health()).toEqual([200, { status: 'ok', given: 5 }])
      expect(asked).toBe(2)
    })
  })

  test('does not wait for a store that hangs, nor tell what a strange error says', async () => {
    const hang: TicketFetch = (_, options) => {
      return new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
      })
    }
    await serving({ fetch: hang, fetchTimeoutMs: 20 }, async ({ url }) => {
      const response = await fetch(`${url}/tickets`)
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { code: 'STORE_UNAVAILABLE', message: 'no answer in 20 ms' },
      ])
    })
    const secret: TicketFetch = () => Promise.reject(new Error('password=hunter2'))
    await serving({ fetch: secret }, async ({ url }) => {
      expect(await (await fetch(`${url}/tickets`)).text()).not.toContain('hunter2')
      expect(await (await fetch(`${url}/health`)).text()).not.toContain('hunter2')
    })
  })

  test('gives a batch out in parts, in order, and short where it ends', async () => {
    await serving({ batch: 10 }, async ({ url }) => {
      const take = async (count: number) => (await fetch(`${url}/tickets?count=${count}`)).json()
      expect(await take(7)).toEqual({ first: 1, count: 7, step: 1 })
      expect(await take(7)).toEqual({ first: 8, count: 3, step: 1 })
      expect(await (await fetch(`${url}/tickets?count=12`, asText)).text()).toBe(
        `${Array.from({ length: 12 }, (_, i) => i + 11).join('\n')}\n`,
      )
    })
  })

  test('refuses options out of range and a port that is taken', async () => {
    const store = new MemoryTicketStore()
    const source: TicketFetch = (count) => store.fetch(count)
    await serving({}, async ({ url }) => {
      const port = Number(new URL(url).port)
      await expect(ticketServer({ fetch: source, port })).rejects.toThrow('EADDRINUSE')
    })
    for (const options of [{ port: -1 }, { maxCount: 0 }, { batch: 0 }, { fetchTimeoutMs: 0 }]) {
      await expect(ticketServer({ fetch: source, ...options })).rejects.toThrow(IdError)
    }
    expect(idErrorOf(() => ticketClient({ servers: [] })).code).toBe('INVALID_OPTION')
  })
})

describe('a ticket server that stops', () => {
  test('answers what is under way and loses no number', async () => {
    const store = new MemoryTicketStore()
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: TicketFetch = async (count) => {
      await gate
      return store.fetch(count)
    }
    const server = await ticketServer({ fetch: slow, batch: 100 })
    const { url } = server
    const asked = [10, 20, 30].map(async (count) => {
      const response = await fetch(`${url}/tickets?count=${count}`)
      return (await response.json()) as TicketSegment
    })
    await expect.poll(() => server.connections()).toBe(3)
    const closed = server.close()
    const again = server.close()
    await expect(fetch(`${url}/tickets`)).rejects.toThrow()
    release()
    const given = await Promise.all(asked)
    const unused = await closed
    expect(await again).toBe(unused)
    const all = [...given, ...unused]
    expectDisjointSegments(all)
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(100)

    const next = await ticketServer({ fetch: (count) => store.fetch(count), unused })
    const { first, count } = unused[0]!
    const response = await fetch(`${next.url}/tickets?count=40`)
    expect(await response.json()).toEqual({ first, count, step: 1 })
    expect(await next.close()).toEqual([])
  })

  test('ends connections that ask for nothing', async () => {
    const server = await ticketServer({ fetch: async (count) => ({ first: 1, count }) })
    const agent = new Agent({ keepAlive: true })
    await new Promise((resolve) => {
      httpGet(`${server.url}/tickets`, { agent }, (response) => {
        response.resume().on('end', resolve)
      })
    })
    const { port, hostname } = new URL(server.url)
    const idle = connect({ port: Number(port), host: hostname })
    const ended = new Promise((resolve) => idle.on('close', resolve))
    idle.on('error', () => {})
    idle.write('POST /tickets HTTP/1.1\r\n')
    await expect.poll(() => server.connections()).toBe(2)
    await server.close()
    await ended
    agent.destroy()
  })

  test('keeps the numbers of whoever hung up before they were sent', async () => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const store = new MemoryTicketStore()
    const slow: TicketFetch = async (count) => {
      await gate
      return store.fetch(count)
    }
    const server = await ticketServer({ fetch: slow })
    const asked = httpGet(`${server.url}/tickets?count=5`, { agent: false })
    asked.on('error', () => {})
    await expect.poll(() => server.connections()).toBe(1)
    asked.destroy()
    await expect.poll(() => server.connections()).toBe(0)
    const closed = server.close()
    release()
    await closed
    expect(await server.close()).toEqual([{ first: 1, count: 5, step: 1 }])
  })

  test('is disposed of like any resource', async () => {
    const server = await ticketServer({ fetch: async (count) => ({ first: 1, count }) })
    await server[Symbol.asyncDispose]()
    expect(idErrorOf(() => server.url).code).toBe('NOT_READY')
  })
})

describe('a pool over ticket servers', () => {
  test('goes on when one of them stops, each number once', async () => {
    const store = new MemoryTicketStore()
    const source: TicketFetch = (count) => store.fetch(count)
    const servers = await Promise.all([
      ticketServer({ fetch: source }),
      ticketServer({ fetch: source }),
    ])
    const client = ticketClient({ servers: servers.map(({ url }) => url) })
    const pool = new TicketPool({ fetch: client, size: { min: 5, max: 5 } })
    const given: number[] = []
    for (let i = 0; i < 100; i++) {
      if (i === 50) await servers[0]!.close()
      given.push(await pool.take())
    }
    expect(new Set(given).size).toBe(100)
    await pool.close()
    await servers[1]!.close()
  })
})

/** fetch() does not let a test set this header. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve) => {
    httpGet(url, { headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
  })
}
