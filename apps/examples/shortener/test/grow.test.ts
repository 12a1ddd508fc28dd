// A fleet that grows from two shards to three while it is used.

import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test, vi } from 'vitest'
import { LoadClients } from './load-clients.ts'
import { ADMIN_TOKEN, bodyOf, dataFolder, RunningServer, runProgram } from './running-server.ts'

const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }

test('a shard joins under load: no link is lost, doubled or wrong', async () => {
  const folder = dataFolder()
  const server = await RunningServer.start({ DATA_DIR: folder })
  const clients = new LoadClients(server, 8)
  await vi.waitFor(() => expect(clients.links.size).toBeGreaterThan(100), { timeout: 20_000 })
  const grow = runProgram('grow.ts', { SERVER_URL: server.url })
  grow.stdout!.resume()
  const [exitCode] = await once(grow, 'exit')
  // Some links more, made on three shards.
  const grown = clients.links.size
  await vi.waitFor(() => expect(clients.links.size).toBeGreaterThan(grown + 20))
  await clients.stop()
  expect(exitCode).toBe(0)
  expect((await server.call('POST', '/shards', undefined, ADMIN)).status).toBe(409)
  expect(await shardsOf(server)).toEqual(['shard-1', 'shard-2', 'shard-3'])
  await clients.checkAll()
  expect(clients.complaints).toEqual([])
  expect(await server.stop()).toBe(0)
  checkFiles(folder, clients)
})

test('a server that is killed while a shard joins carries on when it is back', async () => {
  const { folder, clients, server } = await killedWhileGrowing()
  const isDone = async () => {
    const { job } = await bodyOf(await server.call('GET', '/shards', undefined, ADMIN))
    expect(job).toMatchObject({ state: 'done' })
  }
  await vi.waitFor(isDone, { timeout: 20_000, interval: 100 })
  await clients.stop()
  expect(await shardsOf(server)).toEqual(['shard-1', 'shard-2', 'shard-3'])
  await clients.checkAll()
  expect(clients.complaints).toEqual([])
  expect(await server.stop()).toBe(0)
  checkFiles(folder, clients)
})

/**
 * A server that has found the job of one that was killed. So few rows may all have moved before
 * the kill comes; then the same is tried once more.
 */
async function killedWhileGrowing(attempts = 5) {
  const folder = dataFolder()
  const first = await RunningServer.start({ DATA_DIR: folder })
  const clients = new LoadClients(first, 4)
  await vi.waitFor(() => expect(clients.links.size).toBeGreaterThan(50), { timeout: 20_000 })
  expect((await first.call('POST', '/shards', undefined, ADMIN)).status).toBe(202)
  await first.kill()
  const server = await RunningServer.start({ DATA_DIR: folder })
  clients.server = server
  // A server that starts has a job only if there was one to carry on.
  const { job } = await bodyOf(await server.call('GET', '/shards', undefined, ADMIN))
  if (job !== undefined) return { folder, clients, server }
  await clients.stop()
  await server.stop()
  expect(attempts, 'the job was done before each kill').toBeGreaterThan(1)
  return killedWhileGrowing(attempts - 1)
}

async function shardsOf(server: RunningServer): Promise<unknown> {
  return (await bodyOf(await server.call('GET', '/shards', undefined, ADMIN))).shards
}

/** Each link is in one file alone; each operation is in the audit log once, and nothing else. */
function checkFiles(folder: string, { links, deleted }: LoadClients): void {
  const rows = [1, 2, 3].map((n) => {
    const database = new DatabaseSync(join(folder, `shard-${n}.db`), { readOnly: true })
    const column = (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row)[0])
    try {
      return { links: column('select id from links'), audit: column('select op from audit') }
    } finally {
      database.close()
    }
  })
  expect(rows[2]!.links.length).toBeGreaterThan(0)
  expect(rows.flatMap((shard) => shard.links).sort()).toEqual([...links.keys()].sort())
  const operations = [
    ...[...links.keys(), ...deleted].map((id) => `create ${id}`),
    ...[...deleted].map((id) => `delete ${id}`),
  ]
  expect(rows.flatMap((shard) => shard.audit).sort()).toEqual(operations.sort())
}
