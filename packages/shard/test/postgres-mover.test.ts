// What is PostgreSQL's own in moving rows: types, collations, generated columns, partitions, roles
// that may not silence triggers, transactions from before the capture, stopped workers.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TableSpec } from '../src/engine.ts'
import { PostgresEngine } from '../src/postgres/index.ts'
import type { CaptureKind, MoveLease } from '../src/slot-mover.ts'
import { ask, database, owned, rejectionOf } from './postgres-fleet.ts'
import { ODD_DDL, ODD_KEYS, oddChanges, oddRows } from './postgres-odd-tables.ts'

const LEASE: MoveLease = { job: "job's", token: 1 }
const SPECS = Object.entries(ODD_KEYS).map(
  ([name, key]): TableSpec => ({ name, kind: 'sharded', key }),
)

let server: PostgresServer
/** A role that owns a database each, and may neither replicate nor silence triggers. */
const PLAIN = 'create role plain login password $$plain$$'

beforeAll(async () => {
  server = await postgresServer({
    settings: { max_prepared_transactions: 20, wal_level: 'logical' },
  })
  await ask(server.url, PLAIN)
})

afterAll(async () => {
  await server?.stop()
})

interface Fleet {
  readonly urls: Readonly<Record<'s1' | 's2', string>>
  readonly engine: PostgresEngine
}

/** Two shards, the first owning slots 1 to 9. */
async function fleet(ddl: string, tables: readonly TableSpec[], isPlain = false): Promise<Fleet> {
  const plain = async (url: string) => {
    const to = new URL(url)
    await ask(url, `alter database ${to.pathname.slice(1)} owner to plain`)
    await ask(url, 'alter schema public owner to plain')
    to.username = 'plain'
    to.password = 'plain'
    return to.href
  }
  const made = [await database(server), await database(server)]
  const [s1, s2] = isPlain ? [await plain(made[0]!), await plain(made[1]!)] : made
  const urls = { s1: s1!, s2: s2! }
  const engine = new PostgresEngine({ shards: urls })
  for (const shard of ['s1', 's2']) {
    await engine.install(shard, { ddl: [ddl], tables })
    await engine.mover.claim(shard, LEASE)
  }
  await engine.setFences('s1', owned([1, 2, 3, 4, 5, 6, 7, 8, 9]))
  return { urls, engine }
}

/** Writes under a slot past the router, as its guards let it. */
async function write(url: string, slot: number, ...texts: readonly string[]): Promise<void> {
  await ask(url, `set ashlar.slot = '${slot}'`, ...texts)
}

async function start(
  { engine }: Fleet,
  capture: CaptureKind,
  slots: readonly number[],
  maxBarrierMs = 10_000,
): Promise<void> {
  const options = { capture, slots, tables: SPECS, maxBarrierMs }
  await engine.mover.startCapture('s1', LEASE, options)
}

async function drain({ engine }: Fleet, slots: readonly number[], limit = 7): Promise<number> {
  for (let keys = 0; ; ) {
    const batch = await engine.mover.changes('s1', LEASE, limit)
    await engine.mover.apply('s1', 's2', LEASE, batch.keys, slots)
    await engine.mover.acknowledge('s1', LEASE, batch)
    keys += batch.keys.length
    if (batch.isAll) return keys
  }
}

/** All rows of tables under slots, as texts. */
async function texts(url: string, tables: readonly string[], slots: string): Promise<unknown[]> {
  const all = []
  for (const table of tables) {
    const rows = `select t::text as row from "${table}" t
      where ashlar_slot in (${slots}) order by 1`
    all.push([table, await ask(url, rows)])
  }
  return all
}

async function demandEqual(at: Fleet, slots: readonly number[]): Promise<void> {
  const tables = Object.keys(ODD_KEYS)
  const list = slots.join()
  expect(await texts(at.urls.s2, tables, list)).toEqual(await texts(at.urls.s1, tables, list))
  const { mover } = at.engine
  const sums = await mover.checksums('s1', slots)
  expect(await mover.checksums('s2', slots)).toEqual(sums)
  for (const slot of slots) {
    expect(await mover.digests('s2', slot)).toEqual(await mover.digests('s1', slot))
  }
}

const WAYS: readonly (readonly [CaptureKind, boolean])[] = [
  ['trigger', false],
  ['logical', false],
  ['trigger', true],
]

describe.each(WAYS)('captured by %s (by a role that may little: %s)', (capture, isPlain) => {
  test('rows of odd tables arrive as they are, and so do their changes', async () => {
    const at = await fleet(ODD_DDL, SPECS, isPlain)
    const { engine, urls } = at
    const { mover } = engine
    for (const slot of [1, 2, 3]) await write(urls.s1, slot, oddRows(slot))
    const inspect = (role: 'source' | 'target') =>
      mover.inspect(role === 'source' ? 's1' : 's2', SPECS, { role, capture })
    expect([await inspect('source'), await inspect('target')]).toEqual([[], []])
    await start(at, capture, [1, 2])
    const copied = await mover.copy('s1', 's2', LEASE, { slots: [1, 2], position: 2 })
    const counted = [...(await mover.count('s1', [1, 2])).values()]
    expect(copied.rows).toBe(counted.reduce((sum, { rows }) => sum + rows, 0))
    await demandEqual(at, [1, 2])
    for (const slot of [1, 2, 3]) {
      await write(
        urls.s1,
        slot,
        "set datestyle = 'German'; set extra_float_digits = -3",
        oddChanges(slot),
      )
    }
    expect(await drain(at, [1, 2])).toBeGreaterThan(30)
    await demandEqual(at, [1, 2])
    expect(await mover.count('s2', [3])).toEqual(new Map())
    // What is moved twice is the same, and what is not owned can be cleaned away.
    await mover.copy('s1', 's2', LEASE, { slots: [1, 2], position: 2 })
    await demandEqual(at, [1, 2])
    expect(await drain(at, [1, 2])).toBe(0)
    while ((await mover.clean('s2', LEASE, [1, 2], 10)) > 0);
    expect(await mover.count('s2')).toEqual(new Map())
    for (const shard of ['s1', 's2']) {
      await mover.release(shard, LEASE)
      expect(await mover.traces(shard)).toEqual([])
    }
    await engine.close()
  })
})

const UNIQUE: readonly TableSpec[] = [{ name: 'numbered', kind: 'sharded', key: ['id'] }]

describe('the start of a capture', () => {
  /** Whether a row of a writer from before the capture arrives. */
  async function arrives(isAwaited: boolean): Promise<boolean> {
    const at = await fleet(ODD_DDL, SPECS)
    const writer = await at.engine.open('s1', { slots: [1], epoch: 1 })
    await writer.tx(1).put('order', { select: 'slow', from: 1 })
    const starting = start(at, 'trigger', [1])
    await ask(at.urls.s1, 'select pg_sleep(0.3)')
    const copy = () => at.engine.mover.copy('s1', 's2', LEASE, { slots: [1], position: 1 })
    if (!isAwaited) await copy()
    await writer.commit()
    await starting
    if (isAwaited) await copy()
    await drain(at, [1])
    const { rows } = (await at.engine.mover.checksums('s2', [1])).get(1)!
    await at.engine.close()
    return rows > 0
  }

  test('waits for writers that had begun, so that what they wrote is in the copy', async () => {
    expect(await arrives(true)).toBe(true)
  })

  test('loses their rows where it is not waited for', async () => {
    expect(await arrives(false)).toBe(false)
  })

  test('names who still writes, and waits for nobody where no slot is captured yet', async () => {
    const at = await fleet(ODD_DDL, SPECS)
    const writer = await at.engine.open('s1', { slots: [5], epoch: 1 })
    await writer.tx(5).put('order', { select: 'slow', from: 1 })
    await start(at, 'trigger', [], 100)
    expect(await rejectionOf(start(at, 'trigger', [1], 100))).toMatchObject({
      code: 'BARRIER_TIMEOUT',
      blockers: [expect.stringMatching(/^process \d+/)],
    })
    await writer.commit()
    await start(at, 'trigger', [1], 5_000)
    await at.engine.close()
  })
})

describe('what must be unique beside the primary key', () => {
  test('may be swapped between rows that move, one key at a time', async () => {
    const at = await fleet(ODD_DDL, UNIQUE)
    const insert = (slot: number, id: number, who: string) =>
      write(
        at.urls.s1,
        slot,
        `insert into numbered overriding system value values (${id}, '${who}')`,
      )
    await insert(1, 1, 'ada')
    await insert(2, 2, 'ken')
    await start(at, 'trigger', [1, 2])
    await at.engine.mover.copy('s1', 's2', LEASE, { slots: [1, 2], position: 2 })
    await write(at.urls.s1, 1, "update numbered set who = 'x' where id = 1")
    await write(at.urls.s1, 2, "update numbered set who = 'ada' where id = 2")
    await write(at.urls.s1, 1, "update numbered set who = 'ken' where id = 1")
    await drain(at, [1, 2], 1)
    expect(await texts(at.urls.s2, ['numbered'], '1, 2')).toEqual(
      await texts(at.urls.s1, ['numbered'], '1, 2'),
    )
    await at.engine.close()
  })

  test('is refused where the target has it already', async () => {
    const at = await fleet(ODD_DDL, UNIQUE)
    await at.engine.setFences('s2', owned([20]))
    await write(at.urls.s2, 20, "insert into numbered (who) values ('ada')")
    await write(at.urls.s1, 1, "insert into numbered overriding system value values (7, 'ada')")
    const copied = at.engine.mover.copy('s1', 's2', LEASE, { slots: [1], position: 1 })
    const refused = await rejectionOf(copied)
    expect(refused).toMatchObject({ code: 'PLAN_CONFLICT' })
    expect(String(refused)).toContain('numbered_who_key')
    await at.engine.close()
  })
})

test('foreign keys are refused at once where they could not be let rest', async () => {
  const ddl = `create table parent (id text primary key);
    create table child (id text primary key references parent)`
  const tables = ['parent', 'child'].map(
    (name): TableSpec => ({ name, kind: 'sharded', key: ['id'] }),
  )
  for (const isPlain of [true, false]) {
    const { engine } = await fleet(ddl, tables, isPlain)
    const found = await engine.mover.inspect('s2', tables, { role: 'target', capture: 'trigger' })
    expect(found.some((text) => text.includes('GRANT SET ON PARAMETER'))).toBe(isPlain)
    const logical = { role: 'source', capture: 'logical' } as const
    const others = await engine.mover.inspect('s1', tables, logical)
    expect(others.some((text) => text.includes('REPLICATION'))).toBe(isPlain)
    await engine.close()
  }
})
