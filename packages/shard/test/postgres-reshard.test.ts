// Whole jobs on real servers, under a checked load with slow transactions.

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Reshard, type ReshardOptions } from '../src/reshard/index.ts'
import { ask, codeOf } from './postgres-fleet.ts'
import { DDL, LoadedFleet } from './postgres-reshard-fleet.ts'

const WORKER = fileURLToPath(import.meta.resolve('./postgres-worker.ts'))

let servers: PostgresServer[] = []

beforeAll(async () => {
  const settings = {
    max_prepared_transactions: 40,
    wal_level: 'logical',
    max_connections: 120,
    // What was acknowledged outlives a killed server.
    synchronous_commit: 'on',
  }
  servers = await Promise.all([0, 1].map(() => postgresServer({ settings })))
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

function jobOn(
  { engine, store }: LoadedFleet,
  change: ReshardOptions['change'],
  more: Partial<ReshardOptions> = {},
): Promise<Reshard> {
  const cutover = { batchSlots: 8, maxFreezeMs: 1_000 }
  return Reshard.create({ engine, store, change, ddl: DDL, leaseMs: 1_000, cutover, ...more })
}

/** A worker in a process of its own, and how it ended. */
function born(fleet: LoadedFleet, job: Reshard, step?: string, signal?: NodeJS.Signals) {
  const args = ['--conditions=source', WORKER, JSON.stringify(fleet.place), job.id]
  if (step !== undefined) args.push(step, signal!)
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout!.on('data', (data) => {
    said += data
  })
  const ended = new Promise<string>((resolve) => {
    child.once('close', (_, killed) => resolve(killed ?? JSON.parse(said)))
  })
  return { child, ended }
}

describe.each(['trigger', 'logical'] as const)('captured by %s', (capture) => {
  test('a shard is added, slots go back and forth, and nothing is lost', async () => {
    const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
    fleet.start()
    const job = await jobOn(fleet, { add: ['oak'] }, { capture })
    await job.cutover()
    expect(await job.run({ until: 'reversible' })).toMatchObject({ state: 'reversible' })
    expect((await fleet.owned()).oak).toBeGreaterThan(15)
    await job.reverse()
    expect(await job.run({ until: 'ready' })).toMatchObject({ state: 'ready' })
    expect((await fleet.owned()).oak).toBe(0)
    await job.cutover()
    await job.run({ until: 'reversible' })
    await job.finish()
    expect(await job.run()).toMatchObject({ state: 'done' })
    expect((await fleet.owned()).oak).toBeGreaterThan(15)
    expect(await fleet.close()).toBeUndefined()
  }, 120_000)

  test('a shard leaves', async () => {
    const fleet = await LoadedFleet.open(servers, ['ash', 'elm', 'oak'])
    fleet.start()
    const job = await jobOn(fleet, { remove: ['elm'] }, { capture, reversibleMs: 0 })
    await job.cutover()
    expect(await job.run()).toMatchObject({ state: 'done' })
    expect(Object.keys(await fleet.owned())).toEqual(['ash', 'oak'])
    expect(await fleet.close()).toBeUndefined()
  }, 120_000)

  test('a job that is given up leaves nothing', async () => {
    const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
    fleet.start()
    const job = await jobOn(fleet, { add: ['oak'] }, { capture })
    await job.run({ until: 'catching-up' })
    await job.abort()
    expect(await job.run()).toMatchObject({ state: 'aborted' })
    expect(await fleet.owned()).toMatchObject({ ash: expect.any(Number) })
    expect(await fleet.close()).toBeUndefined()
  }, 120_000)
})

/** Where a worker dies, one worker after the other. */
const STEPS = [
  'startCapture after 1',
  'copy before 2',
  'copy after 3',
  'acknowledge before 2',
  'checksums after 1',
  'freeze after 1',
  'save before 2',
  'setFences after 3',
  'clean after 1',
  'release after 1',
]

test('a job goes on whoever is killed at whichever step', async () => {
  const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
  fleet.start()
  const job = await jobOn(fleet, { add: ['oak'] }, { reversibleMs: 0 })
  await job.cutover()
  const ends: string[] = []
  for (const step of STEPS) ends.push(await born(fleet, job, step, 'SIGKILL').ended)
  expect(ends.filter((end) => end === 'SIGKILL').length).toBeGreaterThan(6)
  expect(await born(fleet, job).ended).toBe('done')
  expect((await fleet.owned()).oak).toBeGreaterThan(15)
  expect(await fleet.close()).toBeUndefined()
}, 240_000)

test('a worker that stood still while another took over writes nothing', async () => {
  const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
  fleet.start()
  const job = await jobOn(fleet, { add: ['oak'] }, { reversibleMs: 0 })
  await job.cutover()
  // In the middle of a transaction at the target, which holds the table that it waits for.
  const holder = new pg.Client(fleet.place.shards.oak)
  const copier = born(fleet, job)
  await holder.connect()
  const guarded = `select from pg_trigger
    where tgname = 'ashlar_capture' and tgrelid = to_regclass('flags')`
  while ((await holder.query(guarded)).rows.length === 0) await sleep(5)
  await holder.query('begin; lock table flags in access exclusive mode')
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock'
    and datname = current_database() and query like '%flags%'`
  // By another connection: what a transaction has seen of activity stays as it is for it.
  while ((await ask(fleet.place.shards.oak!, waiting)).length === 0) await sleep(20)
  copier.child.kill('SIGSTOP')
  await holder.query('commit')
  await holder.end()
  // With slots frozen.
  const freezer = born(fleet, job, 'freeze after 1', 'SIGSTOP')
  const frozen = "select from ashlar.fence where state = 'frozen'"
  const stands = async () => {
    const rows = await Promise.all(['ash', 'elm'].map((id) => ask(fleet.place.shards[id]!, frozen)))
    return rows.flat().length > 0 && ((await fleet.store.jobs.current())?.leaseLeftMs ?? 0) < 0
  }
  while (!(await stands())) await sleep(50)
  expect(await job.run()).toMatchObject({ state: 'done' })
  copier.child.kill('SIGCONT')
  freezer.child.kill('SIGCONT')
  expect(['FENCED', 'done']).toContain(await copier.ended)
  expect(['FENCED', 'done']).toContain(await freezer.ended)
  expect(await fleet.close()).toBeUndefined()
}, 240_000)

test('a job goes on when a server was killed and started again', async () => {
  const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
  fleet.start()
  const job = await jobOn(fleet, { add: ['oak'] }, { reversibleMs: 0 })
  await job.cutover()
  let isOver = false
  const killing = (async () => {
    for (let i = 0; i < 3 && !isOver; i++) {
      await sleep(500 + Math.random() * 1_500)
      await servers[1]!.restart()
    }
  })()
  for (;;) {
    const code = await codeOf(job.run())
    if (code === undefined) break
    expect(['UNREACHABLE', 'IN_DOUBT', 'FENCED', 'FREEZE_TIMEOUT']).toContain(code)
    await job.resume()
  }
  isOver = true
  await killing
  expect((await fleet.owned()).oak).toBeGreaterThan(15)
  expect(await fleet.close()).toBeUndefined()
}, 240_000)

test('a row that was changed at the target is found before anything is cut over', async () => {
  const fleet = await LoadedFleet.open(servers, ['ash', 'elm'])
  fleet.start()
  const job = await jobOn(fleet, { add: ['oak'] })
  await job.cutover()
  await job.run({ until: 'catching-up' })
  await ask(
    fleet.place.shards.oak!,
    'set session_replication_role = replica',
    "update flags set value = 'fool' where id = (select min(id) from flags where id like 'fill%')",
  )
  expect(await codeOf(job.run())).toBe('VERIFY_MISMATCH')
  expect((await fleet.owned()).oak).toBe(0)
  await job.abort()
  expect(await job.run()).toMatchObject({ state: 'aborted' })
  expect(await fleet.close()).toBeUndefined()
}, 240_000)
