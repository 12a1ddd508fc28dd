// The command in a terminal beside an application: three PostgreSQL servers of the user's own, a
// third shard added under a checked load, steered from other terminals, and taken away again.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReshardProgress } from '../src/reshard/index.ts'
import { LoadedFleet } from './postgres-reshard-fleet.ts'

const MAIN = fileURLToPath(import.meta.resolve('../src/cli/main.ts'))
const CONFIG = fileURLToPath(import.meta.resolve('./postgres-cli-config.ts'))

let servers: PostgresServer[] = []

beforeAll(async () => {
  const settings = { max_prepared_transactions: 40, max_connections: 60 }
  servers = await Promise.all([0, 1, 2].map(() => postgresServer({ settings })))
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

/** The command, from source, in a process of its own. */
function ashlarShard(fleet: LoadedFleet, ...args: readonly string[]) {
  const argv = ['--conditions=source', MAIN, ...args, '--config', CONFIG, '--json']
  const env = { ...process.env, FLEET: JSON.stringify(fleet.place) }
  const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (data) => {
    printed.out += data
  })
  child.stderr.on('data', (data) => {
    printed.err += data
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, ...printed }))
  })
  return { child, ended, printed }
}

function last(out: string): ReshardProgress {
  return JSON.parse(out.trim().split('\n').at(-1)!) as ReshardProgress
}

test('adds a shard, waits for the cutover, is stopped and goes on, and takes it away', async () => {
  const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
  fleet.start(3, 1)
  const plan = await ashlarShard(fleet, 'plan', '--add', 'oak').ended
  expect(plan).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(plan.out)).toMatchObject({ blockers: [], admit: [{ id: 'oak' }] })

  const limits = ['--batch', '8', '--max-freeze', '1000']
  const ready = await ashlarShard(fleet, 'reshard', '--add', 'oak', '--until', 'ready', ...limits)
    .ended
  expect(ready).toMatchObject({ code: 0, err: '' })
  expect(last(ready.out).state).toBe('ready')

  // Works on, and waits to be told; stopped by Ctrl-C, it leaves nothing frozen.
  const waiting = ashlarShard(fleet, 'reshard')
  await expect.poll(() => waiting.printed.out, { timeout: 30_000 }).toContain('"state":"ready"')
  waiting.child.kill('SIGINT')
  expect(await waiting.ended).toMatchObject({ code: 1, err: '' })

  expect(await ashlarShard(fleet, 'cutover').ended).toMatchObject({ code: 0 })
  const cut = await ashlarShard(fleet, 'reshard', '--until', 'reversible').ended
  expect(last(cut.out)).toMatchObject({ state: 'reversible' })
  expect((await fleet.owned()).oak).toBeGreaterThan(15)
  expect(await ashlarShard(fleet, 'finish').ended).toMatchObject({ code: 0 })
  expect(last((await ashlarShard(fleet, 'reshard').ended).out).state).toBe('done')

  const away = ['reshard', '--remove', 'oak', '--auto', '--reversible', '0', ...limits]
  const gone = await ashlarShard(fleet, ...away).ended
  expect(gone).toMatchObject({ code: 0, err: '' })
  expect(Object.keys(await fleet.owned())).toEqual(['ash', 'elm'])
  expect(await fleet.close()).toBeUndefined()
}, 180_000)
