// Servers and routers killed by SIGKILL, over a real server whose commits reach the disk.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PostgresEngine } from '../src/postgres/index.ts'
import { PostgresMapStore } from '../src/postgres/index.ts'
import type { ShardMapJson } from '../src/shard-map-json.ts'
import { ask, codeOf, engineOn, installedShard, owned, rejectionOf } from './postgres-fleet.ts'

const MORTAL = fileURLToPath(import.meta.resolve('./postgres-mortal.ts'))
const CLAIM = { slots: [1], epoch: 1 }

let server: PostgresServer
let url: string
let engine: PostgresEngine

beforeAll(async () => {
  server = await postgresServer({ fsync: true, settings: { max_prepared_transactions: 20 } })
  url = await installedShard(server)
  engine = engineOn(url)
})

afterAll(async () => {
  await engine?.close()
  await server?.stop()
})

/** A process that says one JSON a line. */
function born(...args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=source', MORTAL, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: unknown[] = []
  const lines = createInterface({ input: child.stdout! })
  const spoke = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      said.push(JSON.parse(line))
      resolve()
    })
  })
  const closed = new Promise((resolve) => lines.once('close', resolve))
  return { child, said, spoke, closed }
}

test('a killed server loses no write it acknowledged, and leaves none unanswered', async () => {
  const acknowledged: string[] = []
  const codes = new Set<unknown>()
  const write = async (writer: number) => {
    for (let i = 0; ; i++) {
      const id = `${writer}-${i}`
      const open = await engine.open('s1', CLAIM).catch((error: unknown) => error as Error)
      if (open instanceof Error) return codes.add(await codeOf(Promise.reject(open)))
      open.tx(1).query('insert into users (id) values ($1)', [id])
      const code = await codeOf(open.commit())
      if (code !== undefined) return codes.add(code)
      acknowledged.push(id)
    }
  }
  const writers = [1, 2, 3, 4].map(write)
  while (acknowledged.length < 20) await ask(url, 'select 1')
  await server.kill()
  await Promise.all(writers)
  expect(['IN_DOUBT', 'UNREACHABLE']).toEqual(expect.arrayContaining([...codes]))
  expect(codes.size).toBeGreaterThan(0)
  await server.start()
  const open = await engine.open('s1', CLAIM, { readOnly: true })
  const { rows } = await open.tx(1).query('select id from users')
  await open.commit()
  const found = new Set(rows.map(({ id }) => id))
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
})

test('a commit whose connection is lost is in doubt; before it, nothing was changed', async () => {
  await ask(
    url,
    `create function dawdle() returns trigger language plpgsql as
       $$begin perform pg_sleep(60); return null; end$$;
     create constraint trigger dawdle after insert on users deferrable initially deferred
       for each row when (new.name = 'slow') execute function dawdle()`,
  )
  const open = await engine.open('s1', CLAIM)
  await open.tx(1).put('users', { id: 'slow', name: 'slow' })
  const other = await engine.open('s1', CLAIM)
  await other.tx(1).put('users', { id: 'other' })
  const committed = rejectionOf(open.commit())
  const sleeping = "select from pg_stat_activity where wait_event = 'PgSleep'"
  while ((await ask(url, sleeping)).length === 0);
  await server.restart()
  expect(await committed).toMatchObject({ code: 'IN_DOUBT', shard: 's1' })
  expect(await codeOf(other.tx(1).query('select 1'))).toBe('UNREACHABLE')
  expect(await codeOf(other.commit())).toBe('UNREACHABLE')
  await other.rollback()
  expect(await ask(url, "select id from users where id in ('slow', 'other')")).toEqual([])
  await ask(url, 'drop function dawdle cascade')
})

test('a prepared transaction outlives server and router, and holds its fence', async () => {
  const said = born('prepare', url)
  await said.spoke
  said.child.kill('SIGKILL')
  await said.closed
  await server.restart()
  const prepared = await engine.prepared('s1')
  expect(prepared.map(({ transaction }) => transaction).toSorted()).toEqual(["it's @2", 't1'])
  expect(prepared[0]!.ageMs).toBeGreaterThan(0)
  const hasty = engineOn(url, { fenceWaitMs: 0 })
  const held = await rejectionOf(hasty.setFences('s1', owned([1], 2)))
  expect(String(held)).toContain('a prepared transaction')
  await hasty.resolve('s1', 't1', 'commit')
  await hasty.resolve('s1', 't1', 'commit')
  await hasty.resolve('s1', "it's @2", 'rollback')
  await hasty.resolve('s1', 'never', 'rollback')
  expect(await hasty.prepared('s1')).toEqual([])
  await hasty.setFences('s1', owned([1], 1))
  await hasty.close()
  const rows = await ask(
    url,
    "select id, ashlar_slot from users where id ~ '^prepared' order by id",
  )
  expect(rows).toEqual([{ id: 'prepared t1', ashlar_slot: 1 }])
})

test('what a killed router left open is undone, and its fences are free', async () => {
  const said = born('open', url)
  await said.spoke
  said.child.kill('SIGKILL')
  await said.closed
  await engine.setFences('s1', owned([1], 1))
  expect(await ask(url, "select id from users where id = 'left open'")).toEqual([])
})

test('processes that race for the map win each epoch once', async () => {
  const racers = [1, 2, 3].map(() => born('race', url, '20'))
  await Promise.all(racers.map(({ closed }) => closed))
  const won = racers.flatMap(({ said }) => said as number[])
  expect(won.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('a watch hears of maps again after the server was killed', async () => {
  const store = new PostgresMapStore(url, { schema: 'watched', pollMs: 60_000 })
  const other = new PostgresMapStore(url, { schema: 'watched' })
  const map = (epoch: number) => ({ epoch }) as ShardMapJson
  await other.compareAndSet(undefined, map(1))
  await store.load()
  const heard: number[] = []
  const hears = (epoch: number) =>
    new Promise<void>((resolve) => {
      const stop = store.watch((told) => {
        heard.push(told)
        if (told < epoch) return
        stop()
        resolve()
      })
    })
  const third = hears(3)
  await other.compareAndSet(1, map(2))
  while (heard.length === 0) await other.load()
  await server.restart()
  while ((await codeOf(other.compareAndSet(2, map(3)))) !== undefined);
  await third
  expect(heard).toEqual([2, 3])
  await store.close()
  await other.close()
})
