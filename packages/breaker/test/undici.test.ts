import { Agent, interceptors, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { BreakerOpenError, type CircuitBreaker, consecutive, KeyedBreakers } from '../src/index.ts'
import { breakerInterceptor } from '../src/undici.ts'
import { LoopbackServer } from './loopback-server.ts'

function setUp(server: LoopbackServer): {
  breaker: CircuitBreaker
  get: (init?: { signal?: AbortSignal; path?: string }) => ReturnType<typeof request>
  agent: Agent
  breakers: KeyedBreakers
} {
  const breakers = new KeyedBreakers({ trip: consecutive(2), monotonic: () => 0, random: () => 0 })
  const agent = new Agent({ headersTimeout: 1_000 })
  const dispatcher = agent.compose(breakerInterceptor({ breakers }))
  const get = ({ signal, path = '/' }: { signal?: AbortSignal; path?: string } = {}) =>
    request(server.origin + path, { dispatcher, ...(signal && { signal }) })
  return { breaker: breakers.get(server.origin), get, agent, breakers }
}

describe('undici behind breakers, on a real server', () => {
  test('5xx fails and is passed on; then requests do not reach the server', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answersWith(500)
    for (let i = 0; i < 2; i++) {
      const { statusCode, body } = await get()
      expect([statusCode, await body.text()]).toEqual([500, 'body'])
    }
    expect(breaker.state).toBe('open')
    await expect(get()).rejects.toThrow(BreakerOpenError)
    expect(server.requests).toBe(2)
    await agent.close()
  })

  test('4xx does not fail, and bodies arrive whole', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answer = (response) => response.writeHead(404).end('x'.repeat(300_000))
    for (let i = 0; i < 3; i++) expect((await (await get()).body.text()).length).toBe(300_000)
    expect(breaker.counts()).toMatchObject({ ok: 3, fail: 0, inFlight: 0 })
    await agent.close()
  })

  test('a connection that breaks fails', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answer = (response) => response.socket?.destroy()
    for (let i = 0; i < 2; i++) await expect(get()).rejects.toThrow('other side closed')
    expect(breaker.state).toBe('open')
    await agent.close()
  })

  test('the caller’s abort is no failure', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answer = () => {}
    const controller = new AbortController()
    const asked = get({ signal: controller.signal })
    while (server.requests === 0) await new Promise((resolve) => setImmediate(resolve))
    controller.abort()
    await expect(asked).rejects.toThrow()
    expect(breaker.counts()).toMatchObject({ ignore: 1, fail: 0, inFlight: 0 })
    await agent.destroy()
  })

  test('headers that time out fail', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answer = () => {}
    await expect(get()).rejects.toMatchObject({ code: 'UND_ERR_HEADERS_TIMEOUT' })
    expect(breaker.counts()).toMatchObject({ ignore: 0, fail: 1, inFlight: 0 })
    await agent.destroy()
  })

  test('429 with Retry-After opens the origin for that long', async () => {
    await using server = await LoopbackServer.start()
    const { breaker, get, agent } = setUp(server)
    server.answersWith(429, { 'Retry-After': '9' })
    await (await get()).body.dump()
    expect(breaker.counts()).toMatchObject({ ok: 1, fail: 0 })
    expect(breaker.remainingOpenMs).toBe(9_000)
    await agent.close()
  })

  test('inside of retry, each attempt counts', async () => {
    await using server = await LoopbackServer.start()
    const { breakers, breaker, agent } = setUp(server)
    server.answersWith(502)
    const dispatcher = agent.compose(
      breakerInterceptor({ breakers }),
      interceptors.retry({ maxRetries: 1, minTimeout: 1, maxTimeout: 1 }),
    )
    await expect(request(server.origin, { dispatcher })).rejects.toThrow()
    expect(server.requests).toBe(2)
    expect(breaker.state).toBe('open')
    await agent.close()
  })
})
