import { describe, expect, test } from 'vitest'
import { breakerFetch } from '../src/fetch.ts'
import {
  BreakerOpenError,
  BreakerTimeoutError,
  type CircuitBreaker,
  consecutive,
  KeyedBreakers,
} from '../src/index.ts'
import { retryAfterMs } from '../src/retry-after.ts'
import { LoopbackServer } from './loopback-server.ts'
import { ManualTime } from './manual-timers.ts'

function setUp(server: LoopbackServer): { breakers: KeyedBreakers; breaker: CircuitBreaker } {
  const breakers = new KeyedBreakers({ trip: consecutive(2), monotonic: () => 0, random: () => 0 })
  return { breakers, breaker: breakers.get(server.origin) }
}

describe('fetch behind breakers, on a real server', () => {
  test('5xx fails and is passed on; then calls do not reach the server', async () => {
    await using server = await LoopbackServer.start()
    const { breakers, breaker } = setUp(server)
    const get = breakerFetch({ breakers })
    server.answersWith(503)
    for (const path of ['/a', '/b?c=d']) {
      const response = await get(`${server.origin}${path}`)
      expect([response.status, await response.text()]).toEqual([503, 'body'])
    }
    expect(breaker.state).toBe('open')
    await expect(get(`${server.origin}/c`)).rejects.toThrow(BreakerOpenError)
    expect(server.requests).toBe(2)
  })

  test('4xx does not fail', async () => {
    await using server = await LoopbackServer.start()
    const { breakers, breaker } = setUp(server)
    server.answersWith(404)
    const get = breakerFetch({ breakers })
    for (let i = 0; i < 3; i++) await (await get(new URL(server.origin))).text()
    expect(breaker.counts()).toMatchObject({ ok: 3, fail: 0 })
  })

  test('a network error fails, an origin at a time', async () => {
    await using up = await LoopbackServer.start()
    const gone = await LoopbackServer.start()
    const { origin } = gone
    await gone[Symbol.asyncDispose]()
    const { breakers } = setUp(up)
    const get = breakerFetch({ breakers })
    for (let i = 0; i < 2; i++) await expect(get(origin)).rejects.toThrow('fetch failed')
    await expect(get(origin)).rejects.toThrow(BreakerOpenError)
    expect(await (await get(new Request(up.origin))).text()).toBe('ok')
    expect(breakers.size).toBe(2)
  })

  test('429 is no failure, but its Retry-After is respected', async () => {
    await using server = await LoopbackServer.start()
    const { breakers, breaker } = setUp(server)
    server.answersWith(429, { 'retry-after': '7' })
    const response = await breakerFetch({ breakers })(server.origin)
    expect(response.status).toBe(429)
    expect(breaker.counts()).toMatchObject({ ok: 1, fail: 0 })
    expect(breaker.remainingOpenMs).toBe(7_000)
    breaker.reset()
    const now = () => Date.UTC(2026, 0, 1)
    server.answersWith(429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' })
    await breakerFetch({ breakers, now })(server.origin)
    expect(breaker.remainingOpenMs).toBe(30_000)
    breaker.reset()
    await breakerFetch({ breakers, now, retryAfter: false })(server.origin)
    expect(breaker.state).toBe('closed')
  })

  test('the caller’s abort is no failure, a timeout is', async () => {
    await using server = await LoopbackServer.start()
    server.answer = () => {}
    const { monotonic, timers } = new ManualTime()
    const breakers = new KeyedBreakers({ monotonic, timers })
    const controller = new AbortController()
    const given = breakerFetch({ breakers })(server.origin, { signal: controller.signal })
    controller.abort()
    await expect(given).rejects.toMatchObject({ name: 'AbortError' })
    const asked = breakerFetch({ breakers })(
      new Request(server.origin, { signal: AbortSignal.abort() }),
    )
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    expect(breakers.get(server.origin).counts()).toMatchObject({ ignore: 1, fail: 0, admitted: 1 })
    const real = new KeyedBreakers({})
    const late = breakerFetch({ breakers: real, timeoutMs: 20 })(server.origin)
    await expect(late).rejects.toThrow(BreakerTimeoutError)
    expect(real.get(server.origin).counts()).toMatchObject({ fail: 1, inFlight: 0 })
  })

  test('the caller’s abort reaches the body, also under a timeout', async () => {
    await using server = await LoopbackServer.start()
    server.answer = (response) => void response.writeHead(200).write('begin')
    const controller = new AbortController()
    const get = breakerFetch({ breakers: new KeyedBreakers({}), timeoutMs: 5_000 })
    const response = await get(server.origin, { signal: controller.signal })
    const body = response.text()
    controller.abort()
    await expect(body).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('classify and fetch are options', async () => {
    const breakers = new KeyedBreakers({ trip: consecutive(1) })
    const fetch = async () => new Response('', { status: 418 })
    const get = breakerFetch({ breakers, fetch, classify: () => 'fail' })
    await get('http://teapot.example/')
    expect(breakers.get('http://teapot.example').state).toBe('open')
  })
})

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    [' 5 ', 5_000],
    ['Thu, 01 Jan 1970 00:00:09 GMT', 8_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['9'.repeat(40), undefined],
    ['', undefined],
    [null, undefined],
  ])('%j is %s', (field, ms) => {
    expect(retryAfterMs(field, 1_000)).toBe(ms)
  })
})
