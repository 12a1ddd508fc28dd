import { DatabaseSync } from 'node:sqlite'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Row, ScanRequest } from '../src/index.ts'
import { queryRows } from '../src/memory/row-query.ts'
import { scanSql } from '../src/sqlite/scan-sql.ts'
import { fromSql } from '../src/sqlite/sql-value.ts'
import { readTable } from '../src/sqlite/sqlite-catalog.ts'
import { SqliteConnection } from '../src/sqlite/sqlite-connection.ts'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

const DDL = [
  `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, n INTEGER, r REAL, any)`,
  'CREATE INDEX by_n ON t (n)',
  'CREATE TABLE o (k TEXT PRIMARY KEY, m INTEGER NOT NULL)',
  'CREATE INDEX by_m ON o (m)',
]
const TABLES = ['t', 'o'].map(
  (name) => ({ name, kind: 'sharded', key: [name === 't' ? 'id' : 'k'] }) as const,
)

async function oneShard(): Promise<OneShard> {
  const shard = new OneShard(folderFor(onTestFinished))
  onTestFinished(() => shard.engine.close())
  await shard.install(DDL, TABLES)
  return shard
}

const integers = fc
  .oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
  )
  .map(fromSql)
const texts = fc.constantFrom('', 'a', 'A', 'b', 'é', '\uffff', '🗿', 'zz', '__proto__')
const rows = fc.array(
  fc.record({
    id: fc.integer({ min: 0, max: 1e6 }),
    slot: fc.integer({ min: 0, max: 4 }),
    name: fc.option(texts),
    n: fc.option(integers),
    r: fc.option(fc.constantFrom(-0.5, 0.25, 1.5, 1e300)),
  }),
  { maxLength: 25 },
)
const column = fc.constantFrom('id', 'name', 'n', 'r')
const term = fc.record(
  {
    column,
    direction: fc.constantFrom('asc', 'desc'),
    nulls: fc.constantFrom('first', 'last'),
  },
  { requiredKeys: ['column'] },
)
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=')
const condition = fc.oneof(
  fc.record({ column: fc.constant('n'), is: comparison, value: fc.option(integers) }),
  fc.record({ column: fc.constant('name'), is: comparison, value: fc.option(texts) }),
  fc.record({
    column: fc.constant('name'),
    is: fc.constant('in'),
    value: fc.array(fc.option(texts)),
  }),
  fc.record({ column, is: fc.constantFrom('null', 'not null') }),
)
const aggregate = fc.oneof(
  fc.record({ op: fc.constantFrom('sum', 'min', 'max', 'count'), column: fc.constant('n') }),
  fc.record({ op: fc.constantFrom('min', 'max', 'count'), column: fc.constant('name') }),
  fc.record({ op: fc.constant('count') }),
)

/** The id last, so that the order is one and the same. */
function total(request: ScanRequest): ScanRequest {
  return { ...request, orderBy: [...(request.orderBy ?? []), { column: 'id' }] }
}

describe('scans', () => {
  // One shard for all runs: it is emptied before each.
  const folders: (() => void)[] = []
  const shard = new OneShard(folderFor((clean) => folders.push(clean)))
  const ready = shard.install(DDL, TABLES)

  async function holds(given: readonly (Row & { id: number; slot: number })[]) {
    await ready
    const byId = new Map(given.map((row) => [row.id, row]))
    shard.epoch += 1
    for (const slot of [0, 1, 2, 3, 4]) {
      await shard.engine.setFences('s', [{ slot, state: 'owned', epoch: shard.epoch }])
      await shard.transact(slot, async (tx) => {
        await tx.query('DELETE FROM t WHERE ashlar_slot = $1', [slot])
      })
    }
    for (const { slot, ...row } of byId.values()) {
      await shard.transact(slot, (tx) => tx.put('t', row))
    }
    await shard.engine.setFences('s', [
      { slot: 3, state: 'frozen', epoch: shard.epoch },
      { slot: 4, state: 'moved', epoch: shard.epoch },
    ])
    return [...byId.values()].filter(({ slot }) => slot !== 4)
  }

  property.prop(
    [rows, fc.array(condition, { maxLength: 2 }), fc.array(term), fc.option(fc.nat(9))],
    { numRuns: 60, seed: 17 },
  )('give what the slow query over owned rows gives', async (given, where, orderBy, limit) => {
    const owned = await holds(given)
    const request = total({
      table: 't',
      columns: ['id', 'name', 'n', 'r'],
      where: where as NonNullable<ScanRequest['where']>,
      orderBy,
      ...(limit === null ? {} : { limit }),
    })
    const plain = owned.map(({ slot: _, ...row }) => row)
    expect(await shard.scan(request)).toEqual([...queryRows(plain, request)])
  })

  property.prop(
    [rows, fc.dictionary(fc.constantFrom('x', 'y', '__proto__', 'a b'), aggregate), fc.boolean()],
    { numRuns: 60, seed: 18 },
  )('aggregate as the slow query does, integers exactly', async (given, aggregates, grouped) => {
    const owned = await holds(given)
    const request: ScanRequest = {
      table: 't',
      aggregates,
      groupBy: grouped ? ['name'] : [],
      orderBy: grouped ? [{ column: 'name' }] : [],
    }
    const plain = owned.map(({ slot: _, ...row }) => row)
    expect(await shard.scan(request)).toEqual([...queryRows(plain, request)])
  })

  test('end', async () => {
    await shard.engine.close()
    for (const clean of folders) clean()
  })
})

describe('a scan', () => {
  test('orders groups by exact sums, also where floats cannot tell them apart', async () => {
    const shard = await oneShard()
    const big = 2n ** 62n
    await shard.transact(1, async (tx) => {
      for (const [id, [name, n]] of [
        ['c', big],
        ['a', big + 2n],
        ['b', big + 1n],
        ['d', null],
        ['b', 0n],
      ].entries() as Iterable<[number, [string, bigint | null]]>) {
        await tx.put('t', { id, name, n })
      }
    })
    const aggregates = { sum: { op: 'sum', column: 'n' } } as const
    const orderBy = [{ column: 'sum' }]
    const found = await shard.scan({ table: 't', groupBy: ['name'], aggregates, orderBy })
    expect(found.map(({ name }) => name)).toEqual(['c', 'b', 'a', 'd'])
  })

  test('adds what is no integer as SQLite casts it', async () => {
    const shard = await oneShard()
    await shard.transact(1, async (tx) => {
      for (const [id, any] of [5, '2.5', 'x', null, 0.25].entries()) await tx.put('t', { id, any })
    })
    const aggregates = { sum: { op: 'sum', column: 'any' } } as const
    expect(await shard.scan({ table: 't', aggregates })).toEqual([{ sum: 7.75 }])
  })

  test('keeps its snapshot while writers go on, in constant memory', async () => {
    const shard = await oneShard()
    await shard.query(
      1,
      `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 50000)
       INSERT INTO o (k, m) SELECT 'k' || x, x FROM c`,
    )
    const scan = await shard.engine.scan(
      's',
      { table: 'o', orderBy: [{ column: 'm' }] },
      { batchRows: 100 },
    )
    let seen = 0
    for await (const batch of scan.rows()) {
      expect(batch[0]!.m).toBe(seen + 1)
      seen += batch.length
      if (seen % 10_000 === 0) await shard.query(1, 'UPDATE o SET m = m + 100000 WHERE m < 100000')
    }
    expect(seen).toBe(50_000)
    await scan.close()
    const least = { m: { op: 'min', column: 'm' } } as const
    expect(await shard.scan({ table: 'o', aggregates: least })).toEqual([{ m: 100_001 }])
  })

  test('walks an index for its order instead of sorting', async () => {
    const shard = await oneShard()
    await shard.engine.close()
    const connection = new SqliteConnection(new DatabaseSync(shard.path))
    onTestFinished(() => connection.close())
    const plan = (table: string, request: Omit<ScanRequest, 'table'>) => {
      const info = readTable(connection, { name: table, kind: 'sharded', key: [] })!
      const { sql } = scanSql(info, { table, ...request }, true)
      return connection.all(`EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => String(detail))
    }
    const ordered = [
      plan('t', { orderBy: [{ column: 'id' }] }),
      plan('t', { orderBy: [{ column: 'id', direction: 'desc' }] }),
      plan('o', { orderBy: [{ column: 'm' }], limit: 10 }),
      plan('o', { orderBy: [{ column: 'm', direction: 'desc' }] }),
    ]
    for (const details of ordered) expect(details.join()).not.toMatch(/TEMP B-TREE/u)
    const few = plan('t', { slots: [1, 2] }).join()
    expect(few).toMatch(/SEARCH t USING INDEX ashlar_slot_t/u)
  })

  test.each([
    [{ columns: ['nope'] }],
    [{ columns: ['ashlar_slot'] }],
    [{ where: [{ column: 'nope', is: '=', value: 1 }] }],
    [{ where: [{ column: 'n', is: 'like', value: 1 }] }],
    [{ where: [{ column: 'n', is: 'in', value: 1 }] }],
    [{ where: [{ column: 'n', is: '=', value: {} }] }],
    [{ where: { sql: 'n = $2', params: [1] } }],
    [{ where: { sql: 'n = 1; DELETE FROM t' } }],
    [{ orderBy: [{ column: 'nope' }] }],
    [{ orderBy: [{ column: 'n', direction: 'up' }] }],
    [{ limit: -1 }],
    [{ limit: 0.5 }],
    [{ groupBy: ['nope'] }],
    [{ aggregates: { x: { op: 'sum' } } }],
    [{ aggregates: { x: { op: 'avg', column: 'n' } } }],
  ])('refuses %j', async (request) => {
    const shard = await oneShard()
    const scan = shard.scan({ table: 't', ...request } as ScanRequest)
    expect((await refusal(scan)).code).toBe('INVALID_OPTION')
    expect(await shard.scan({ table: 't' })).toEqual([])
  })
})
