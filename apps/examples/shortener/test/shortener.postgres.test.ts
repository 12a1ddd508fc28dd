// The same over PostgreSQL, a server for each shard, with two processes of the shortener at once.

import { once } from 'node:events'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { LoadClients } from './load-clients.ts'
import { bodyOf, RunningServer, runProgram } from './running-server.ts'

let databases: PostgresServer[] = []

beforeAll(async () => {
  // Synced, for one of them is killed.
  const settings = { max_prepared_transactions: 8 }
  const starts = Array.from({ length: 3 }, () => postgresServer({ settings, fsync: true }))
  databases = await Promise.all(starts)
})

afterAll(async () => {
  await Promise.all(databases.map((database) => database.stop()))
})

/** Servers on databases of that name, of which the third is no shard yet. */
async function fleetEnv(name: string): Promise<Record<string, string>> {
  for (const server of databases) await onDatabase(server.url, `create database ${name}`)
  return { DATABASE_URLS: databases.map(({ url }) => urlOf(url, name)).join(), SHARDS: '2' }
}

test('a shard joins while one server is killed: no link is lost, doubled or wrong', async () => {
  const env = await fleetEnv('growing')
  const [first, second] = await Promise.all([RunningServer.start(env), RunningServer.start(env)])
  const crowds = [new LoadClients(first, 3, 'ann'), new LoadClients(second, 3, 'bob')]
  const isBusy = () => crowds.every(({ links }) => links.size > 30)
  await vi.waitFor(() => expect(isBusy()).toBe(true), { timeout: 30_000 })
  const grow = runProgram('grow.ts', { SERVER_URL: first.url })
  grow.stdout!.resume()
  await second.kill()
  crowds[1]!.server = await RunningServer.start(env)
  if (grow.exitCode === null) await once(grow, 'exit')
  expect(grow.exitCode).toBe(0)
  await Promise.all(crowds.map((crowd) => crowd.stop()))
  for (const crowd of crowds) await crowd.checkAll()
  expect(crowds.flatMap(({ complaints }) => complaints)).toEqual([])
  expect(await first.stop()).toBe(0)
  expect(await crowds[1]!.server.stop()).toBe(0)
  const urls = env.DATABASE_URLS!.split(',')
  const [ids, audit] = await Promise.all(
    ['select id as text from links', 'select op as text from audit'].map(async (sql) => {
      const rows = await Promise.all(urls.map((url) => onDatabase(url, sql)))
      return rows.flat().sort()
    }),
  )
  const made = crowds.flatMap(({ links }) => [...links.keys()])
  const deleted = crowds.flatMap((crowd) => [...crowd.deleted])
  expect(ids).toEqual(made.toSorted())
  const operations = [...made, ...deleted].map((id) => `create ${id}`)
  operations.push(...deleted.map((id) => `delete ${id}`))
  expect(audit).toEqual(operations.sort())
})

test('a database that dies costs its share, and is back when it is back', async () => {
  const env = await fleetEnv('dying')
  const server = await RunningServer.start(env)
  const ids = await Promise.all(
    Array.from({ length: 40 }, (_, i) => server.create(`https://example.com/${i}`)),
  )
  const follow = async (id: string) => (await server.call('GET', `/${id}`)).status
  // Read before, so that they are in the cache.
  for (const id of ids.slice(0, 20)) expect(await follow(id)).toBe(302)
  await databases[1]!.kill()
  const statuses = await Promise.all(ids.map(follow))
  expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 302))
  expect([...new Set(statuses)].sort()).toEqual([302, 503])
  await databases[1]!.start()
  const allAnswer = async () => {
    expect(new Set(await Promise.all(ids.map(follow)))).toEqual(new Set([302]))
    // Not from the cache, and by way of a breaker that may open once more, for what failed before.
    const { hits } = await bodyOf(await server.call('GET', `/links/${ids[0]}`))
    expect(hits).toBeGreaterThan(1)
  }
  await vi.waitFor(allAnswer, { timeout: 30_000, interval: 200 })
  expect(await server.stop()).toBe(0)
})

async function onDatabase(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ text: string }>(sql)
    return rows.map(({ text }) => text)
  } finally {
    await client.end()
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
