// The commands about jobs, on a fleet in memory: made, worked on and steered as from terminals.

import { expect, test } from 'vitest'
import { type Host, runCommand } from '../src/cli/command.ts'
import { progressLine } from '../src/cli/progress-line.ts'
import { MemoryDatabase } from '../src/memory/memory-database.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import type { ReshardProgress } from '../src/reshard/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { by } from '../src/table-rule.ts'

const USERS = 300

/** Two shards with users, a third that is empty, and the command beside them. */
async function fleet() {
  const databases = Object.fromEntries(['s1', 's2', 's3'].map((id) => [id, new MemoryDatabase()]))
  const store = new MemoryMapStore()
  const map = ShardMap.create({
    slots: 64,
    shards: ['s1', 's2'],
    tables: { users: by('id', { primaryKey: ['id'] }) },
  })
  const engine = new MemoryEngine({ shards: databases })
  const router = await ShardRouter.open({ engine, store, map, sweepMs: 0 })
  const rows = Array.from({ length: USERS }, (_, id) => ({ id, name: `user ${id}` }))
  await router.load('users', rows)
  const config = () => ({
    engine: new MemoryEngine({ shards: databases }),
    store: store.connect(),
  })
  const run = (...args: string[]) => runOn(config, args)
  return { router, config, run, count: async () => countOf(router) }
}

async function runOn(load: () => unknown, args: readonly string[], host: Partial<Host> = {}) {
  const printed = { out: '', err: '' }
  const code = await runCommand([...args, '--config', 'fleet.mjs'], {
    load: async () => load(),
    sleep: async () => undefined,
    print: (text) => {
      printed.out += text
    },
    complain: (text) => {
      printed.err += text
    },
    ...host,
  })
  return { code, ...printed }
}

async function countOf(router: ShardRouter): Promise<number> {
  const { rows } = await router.scatter({ table: 'users', aggregates: { n: { op: 'count' } } })
  return Number(rows[0]!.n)
}

/** The last of the values that were printed, a line each. */
function last(out: string): ReshardProgress {
  return JSON.parse(out.trim().split('\n').at(-1)!) as ReshardProgress
}

test('plan says what would move and what is in the way, and moves nothing', async () => {
  const { run, router } = await fleet()
  const { code, out } = await run('plan', '--add', 's3')
  expect(code).toBe(0)
  expect(out).toMatch(/^from +to +slots +rows +size\n/u)
  expect(out).toMatch(/joins: s3\n$/u)
  expect(router.map.epoch).toBe(1)
  await run('reshard', '--add', 's3', '--until', 'ready')
  const second = await run('plan', '--remove', 's2')
  expect(second.code).toBe(1)
  expect(second.out).toMatch(/in the way: job .+ is under way/u)
})

test('reshard stops where it should, and is steered on from another terminal', async () => {
  const { run, router, count } = await fleet()
  const ready = await run('reshard', '--add', 's3', '--until', 'ready', '--json')
  expect(ready.code).toBe(0)
  expect(last(ready.out)).toMatchObject({ state: 'ready', slots: { flipped: 0 } })
  expect(await run('cutover')).toMatchObject({ code: 0, err: '' })
  const cut = await run('reshard', '--until', 'reversible', '--json')
  expect(last(cut.out).state).toBe('reversible')
  expect((await router.refresh()).slotsOf('s3').length).toBeGreaterThan(0)
  expect(await count()).toBe(USERS)
  await run('finish')
  const done = await run('reshard')
  expect(done).toMatchObject({ code: 0, err: '' })
  expect(done.out).toMatch(/ is done: \d+ of \d+ slots moved, \d+ rows copied/u)
  expect(await router.verify()).toMatchObject({ ok: true, rows: USERS })
  const { out } = await run('jobs')
  expect(out).toMatch(/reshard +ended/u)
})

test('reverse takes what was cut over back, and abort gives the job up', async () => {
  const { run, router, count } = await fleet()
  await run('reshard', '--add', 's3', '--until', 'reversible', '--auto')
  await run('reverse')
  const back = await run('reshard', '--until', 'ready', '--json')
  expect(last(back.out)).toMatchObject({ state: 'ready', slots: { flipped: 0 } })
  await run('abort')
  const gone = await run('reshard', '--json')
  expect(last(gone.out).state).toBe('aborted')
  const map = await router.refresh()
  expect(map.shards.map(({ id }) => id)).toEqual(['s1', 's2'])
  expect(await count()).toBe(USERS)
})

test('rebalance says what each shard holds and would hold', async () => {
  const { run, router } = await fleet()
  const dry = await run('rebalance', '--by', 'rows', '--factor', '1.02', '--dry-run')
  expect(dry.out).toMatch(/^shard +rows now +then +its share\n/u)
  expect(router.map.epoch).toBe(1)
  const { code } = await run(
    'rebalance',
    '--by',
    'rows',
    '--factor',
    '1.02',
    '--auto',
    '--reversible',
    '0',
  )
  expect(code).toBe(0)
  expect(await router.verify()).toMatchObject({ ok: true, rows: USERS })
})

test('what makes no sense is refused in one line', async () => {
  const { run } = await fleet()
  for (const [args, message] of [
    [['plan'], /plan needs a change: --add/u],
    [['reshard', '--weight', 's1'], /--weight must be SHARD=NUMBER, got "s1"/u],
    [['reshard', '--until', 'never'], /--until must be one of planned, /u],
    [['cutover'], /no resharding job is under way/u],
    [['pause', '--add', 's3'], /pause takes no change of the map/u],
    [['reshard', '--add', 's9'], /there is no shard "s9"/u],
  ] as const) {
    const { code, out, err } = await run(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  }
})

test('Ctrl-C stops between two steps, and running again goes on', async () => {
  const { run, config, count } = await fleet()
  await run('reshard', '--add', 's3', '--until', 'prepared')
  const interrupt = new AbortController()
  const stopped = await runOn(config, ['reshard', '--until', 'done'], {
    interrupted: interrupt.signal,
    print: () => interrupt.abort(),
  })
  expect(stopped).toMatchObject({ code: 1, err: '' })
  const done = await run('reshard', '--until', 'ready', '--json')
  expect(last(done.out).state).toBe('ready')
  expect(await count()).toBe(USERS)
})

test('a line of progress has a bar, and no more columns than there are', () => {
  const progress: ReshardProgress = {
    id: 'j',
    state: 'copying',
    direction: 'forward',
    slots: { total: 10, copied: 5, verified: 0, flipped: 0 },
    rows: { total: 2_000, copied: 1_000 },
    bytes: { total: 20_000, copied: 10_000 },
    changes: 0,
    lagKeys: 3,
    etaMs: 90_000,
    freezeMs: { last: 0, max: 0, p99: 0 },
    flips: 0,
    thaws: 0,
    paused: undefined,
  }
  expect(progressLine(progress, 200)).toBe(
    'copying  [############------------]  50 %  1,000 of 2,000 rows  10.0 kB  90 s left  ' +
      '3 changes behind',
  )
  expect(progressLine(progress, 30)).toHaveLength(30)
})
