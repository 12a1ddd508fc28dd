// The shortener over SQLite, as its users have it.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test, vi } from 'vitest'
import { bodyOf, codeOf, dataFolder, RunningServer } from './running-server.ts'

const start = (folder = dataFolder()) => RunningServer.start({ DATA_DIR: folder })

describe('the API', () => {
  test('makes a link, leads there, shows its hits and deletes it', async () => {
    const server = await start()
    const made = await server.call('POST', '/links', { url: 'https://example.com/a b' })
    expect(made.status).toBe(201)
    const { id, url, short } = await bodyOf(made)
    expect(url).toBe('https://example.com/a%20b')
    expect(short).toBe(`${server.url}/${id}`)
    expect(made.headers.get('location')).toBe(short)
    const followed = await server.call('GET', `/${id}`)
    expect(followed.status).toBe(302)
    expect(followed.headers.get('location')).toBe(url)
    await server.call('GET', `/${id}`)
    expect(await bodyOf(await server.call('GET', `/links/${id}`))).toEqual({
      ...{ id, url, short },
      hits: 2,
    })
    expect((await server.call('DELETE', `/links/${id}`)).status).toBe(204)
    for (const path of [`/${id}`, `/links/${id}`]) {
      expect((await server.call('GET', path)).status).toBe(404)
    }
    expect((await server.call('DELETE', `/links/${id}`)).status).toBe(404)
    expect(await server.stop()).toBe(0)
  })

  test('refuses what it cannot carry out, and says why', async () => {
    const server = await start()
    const json = { 'content-type': 'application/json' }
    const refusals: [number, string, ...Parameters<RunningServer['call']>][] = [
      [400, 'INVALID_JSON', 'POST', '/links', '{"url":'],
      [400, 'INVALID_JSON', 'POST', '/links', '[]'],
      [400, 'INVALID_URL', 'POST', '/links', {}],
      [400, 'INVALID_URL', 'POST', '/links', { url: 'example.com' }],
      [400, 'INVALID_URL', 'POST', '/links', { url: 'javascript:alert(1)' }],
      [400, 'INVALID_URL', 'POST', '/links', { url: 'https://me:secret@example.com' }],
      [400, 'INVALID_URL', 'POST', '/links', { url: `https://example.com/${'x'.repeat(2048)}` }],
      [400, 'INVALID_AFTER', 'POST', '/links', { url: 'https://example.com', after: 'x' }],
      [400, 'INVALID_REQUEST_KEY', 'POST', '/links', { url: 'https://example.com' }, longKey()],
      [413, 'TOO_LARGE', 'POST', '/links', { url: 'x'.repeat(10_000) }],
      [415, 'INVALID_TYPE', 'POST', '/links', '{}', { 'content-type': 'text/plain' }],
      [405, 'METHOD_NOT_ALLOWED', 'PUT', '/links', {}, json],
      [405, 'METHOD_NOT_ALLOWED', 'POST', '/0SGbN77fNwG', {}],
      [404, 'NOT_FOUND', 'GET', '/'],
      [404, 'NOT_FOUND', 'GET', '/0SGbN77fNwG'],
      [404, 'NOT_FOUND', 'GET', '/zzzzzzzzzzz'],
      [404, 'NOT_FOUND', 'DELETE', '/links/constructor'],
      [401, 'UNAUTHORIZED', 'POST', '/shards'],
    ]
    for (const [status, code, ...request] of refusals) {
      const response = await server.call(...request)
      expect([response.status, await codeOf(response)], request.join(' ')).toEqual([status, code])
    }
    expect((await server.call('PUT', '/links/x')).headers.get('allow')).toBe('GET, DELETE')
  })

  test('makes one link of a request that is sent again, also at the same time', async () => {
    const server = await start()
    const url = 'https://example.com/once'
    const ids = await Promise.all(Array.from({ length: 10 }, () => server.create(url, 'key')))
    expect(new Set(ids).size).toBe(1)
    await server.call('DELETE', `/links/${ids[0]}`, undefined, { 'idempotency-key': 'gone' })
    expect(await server.create(url, 'key')).toBe(ids[0])
    expect((await server.call('GET', `/${ids[0]}`)).status).toBe(404)
    const again = { 'idempotency-key': 'gone' }
    expect((await server.call('DELETE', `/links/${ids[0]}`, undefined, again)).status).toBe(204)
    const other = { url: 'https://example.com/other' }
    const reused = await server.call('POST', '/links', other, { 'idempotency-key': 'key' })
    expect([reused.status, await codeOf(reused)]).toEqual([422, 'REQUEST_REUSED'])
  })
})

describe('a server', () => {
  test('that is told to stop answers what it has begun, and keeps its hits', async () => {
    const folder = dataFolder()
    const first = await start(folder)
    const id = await first.create('https://example.com/kept')
    await first.call('GET', `/${id}`)
    const begun = Array.from({ length: 50 }, (_, i) => first.create(`https://example.com/${i}`))
    await Promise.any(begun)
    const stopped = first.stop()
    const outcomes = await Promise.allSettled(begun)
    expect(await stopped).toBe(0)
    const second = await start(folder)
    expect((await bodyOf(await second.call('GET', `/links/${id}`))).hits).toBe(1)
    const made = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(made.length).toBeGreaterThan(0)
    expect(await statusesOf(second, made)).toEqual([302])
    expect(await second.stop()).toBe(0)
  })

  test('that is killed in the middle loses no link that it acknowledged', async () => {
    const folder = dataFolder()
    const first = await start(folder)
    const acknowledged = new Map<string, string>()
    const pending: string[] = []
    const client = async (name: string) => {
      for (let i = 0; ; i++) {
        const request = `${name}-${i}`
        pending.push(request)
        acknowledged.set(request, await first.create(`https://example.com/${request}`, request))
      }
    }
    const clients = Promise.allSettled(['ann', 'bob', 'cat', 'dan'].map(client))
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(100), { timeout: 20_000 })
    await first.kill()
    await clients
    const second = await start(folder)
    expect(await statusesOf(second, [...acknowledged.values()])).toEqual([302])
    // What was acknowledged is answered as before; what was not is carried out, once.
    const ids = await Promise.all(
      pending.map((request) => second.create(`https://example.com/${request}`, request)),
    )
    expect(new Set(ids).size).toBe(pending.length)
    for (const [i, request] of pending.entries()) {
      expect(acknowledged.get(request) ?? ids[i]).toBe(ids[i])
    }
  })

  test('leaves a shard in peace that does not answer, serves the other, and recovers', async () => {
    const folder = dataFolder()
    await (await start(folder)).stop()
    // As if another process had it open.
    const lock = new DatabaseSync(join(folder, 'shard-2.db-ashlar-lock'))
    lock.exec('begin exclusive')
    const server = await start(folder)
    const breakers = async () => (await bodyOf(await server.call('GET', '/health'))).breakers
    const made: string[] = []
    for (let i = 0; i < 200; i++) {
      const response = await server.call('POST', '/links', { url: `https://example.com/${i}` })
      if (response.status === 201) {
        made.push(String((await bodyOf(response)).id))
        continue
      }
      expect([response.status, await codeOf(response)]).toEqual([503, 'SHARD_UNAVAILABLE'])
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    }
    const isOpen: unknown = expect.stringMatching(/open$/u)
    expect(await breakers()).toEqual({ 'shard-1': 'closed', 'shard-2': isOpen })
    expect(made.length).toBeGreaterThan(50)
    expect(await statusesOf(server, made)).toEqual([302])
    lock.close()
    const recovered = async () => {
      await Promise.all(made.map((_, i) => server.create(`https://example.com/${i}`)))
    }
    await vi.waitFor(recovered, { timeout: 20_000, interval: 100 })
    expect(await breakers()).toEqual({ 'shard-1': 'closed', 'shard-2': 'closed' })
  })
})

async function statusesOf(server: RunningServer, ids: readonly string[]): Promise<number[]> {
  const answers = await Promise.all(ids.map((id) => server.call('GET', `/${id}`)))
  return [...new Set(answers.map(({ status }) => status))]
}

function longKey() {
  return { 'idempotency-key': 'x'.repeat(201) }
}
