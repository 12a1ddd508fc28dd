import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { Row } from '../src/engine.ts'
import type { OrderTerm } from '../src/scan-request.ts'
import type { ScatterOptions, ScatterQuery } from '../src/scatter-query.ts'
import type { ShardMap } from '../src/shard-map.ts'
import type { ShardRouter } from '../src/shard-router.ts'
import { openFleet, putUsers } from './router-fleet.ts'
import { groupsOfOne, sortedByOracle } from './scatter-oracle.ts'

const TEXTS = [
  '',
  'a',
  'B',
  'b',
  'é',
  'e\u0301',
  '\u{1f600}',
  '\uffff',
  '\ue000',
  '__proto__',
  '10',
]
const COLUMNS = ['id', 'name', 'n', 's', 'f', 'b']

const text = fc.constantFrom(...TEXTS)
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 })
const integer = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2n ** 62n, -(2n ** 70n)),
)

const rows = fc
  .array(
    fc.record({
      name: fc.oneof(text, fc.string({ unit: 'grapheme', maxLength: 3 })),
      n: orNull(integer),
      s: orNull(text),
      // Multiples of a quarter: their sums are exact in whatever order they are added.
      f: orNull(fc.integer({ min: -20, max: 20 }).map((quarters) => quarters / 4)),
      b: orNull(fc.boolean()),
    }),
    { maxLength: 24 },
  )
  .map((list) => list.map((row, id) => ({ id, ...row })))

const orderBy = (columns: readonly string[]): fc.Arbitrary<OrderTerm[]> =>
  fc.array(
    fc.record({
      column: fc.constantFrom(...columns),
      direction: fc.constantFrom('asc', 'desc', undefined),
      nulls: fc.constantFrom('first', 'last', undefined),
    }),
    { maxLength: 3 },
  )

const cut = fc.record({
  limit: fc.option(fc.nat(12), { nil: undefined }),
  offset: fc.nat(5),
  concurrency: fc.constantFrom(undefined, 1, 2),
  batchRows: fc.integer({ min: 1, max: 5 }),
})

const names = fc.integer({ min: 1, max: 4 }).map((count) => {
  return Array.from({ length: count }, (_, i) => `s${i + 1}`).concat(count === 1 ? ['s2'] : [])
})

const aggregates = fc.dictionary(
  fc.constantFrom('rows', 'total', 'low', 'high', 'mean', 'some', 'ashlar_sum_0'),
  fc.constantFrom(
    { op: 'count' } as const,
    { op: 'count', column: 'n' } as const,
    { op: 'sum', column: 'n' } as const,
    { op: 'sum', column: 'f' } as const,
    { op: 'avg', column: 'n' } as const,
    { op: 'avg', column: 'f' } as const,
    { op: 'min', column: 's' } as const,
    { op: 'max', column: 'n' } as const,
    { op: 'max', column: 's' } as const,
  ),
  { maxKeys: 4 },
)

describe('a scatter equals the same query on one merged table', () => {
  test.prop([rows, names, orderBy(COLUMNS), cut], { numRuns: 250 })(
    'for rows, ordered, cut, with ties in the order of the shards',
    async (users, shards, order, { limit, offset, ...rest }) => {
      const { router, map } = await openFleet({ names: shards })
      await putUsers(router, users)
      const options: ScatterOptions = { orderBy: order, limit, offset, ...rest }
      const found = await router.scatter({ table: 'users' }, options)
      expect(found.missing).toEqual([])
      const sorted = sortedByOracle(inShardOrder(users, map), order)
      const wanted = sorted.slice(offset, offset + (limit ?? sorted.length))
      if (order.length > 0) expect(found.rows).toEqual(wanted)
      else expectSomeOf(found.rows, sorted, wanted.length)
      expect(await streamed(router, { table: 'users' }, options)).toEqual(found.rows)
    },
  )

  test.prop([rows, orderBy(COLUMNS), fc.subarray(COLUMNS, { minLength: 1 })], { numRuns: 100 })(
    'for some columns only, ordered by whatever columns',
    async (users, order, columns) => {
      const { router, map } = await openFleet()
      await putUsers(router, users)
      const found = await router.scatter({ table: 'users', columns }, { orderBy: order })
      const cutRows = sortedByOracle(inShardOrder(users, map), order).map((row) =>
        Object.fromEntries(columns.map((column) => [column, row[column]])),
      )
      if (order.length > 0) expect(found.rows).toEqual(cutRows)
      else expectSomeOf(found.rows, cutRows, cutRows.length)
    },
  )

  const groups = fc
    .tuple(fc.subarray(['s', 'n', 'b', 'f']), aggregates)
    .chain(([groupBy, wanted]) => {
      const results = [...groupBy, ...Object.keys(wanted)]
      const order = results.length === 0 ? fc.constant([]) : orderBy(results)
      return fc.record({ groupBy: fc.constant(groupBy), wanted: fc.constant(wanted), order })
    })

  test.prop([rows, names, groups, cut], { numRuns: 250 })(
    'for groups with count, sum, min, max and avg',
    async (users, shards, { groupBy, wanted, order }, { limit, offset, ...rest }) => {
      const { router, map } = await openFleet({ names: shards })
      await putUsers(router, users)
      // No two groups have the same values, so the order is total.
      const total = [...order, ...groupBy.map((column) => ({ column }))]
      const query: ScatterQuery = { table: 'users', aggregates: wanted, groupBy }
      const found = await router.scatter(query, { orderBy: total, limit, offset, ...rest })
      const all = sortedByOracle(groupsOfOne(inShardOrder(users, map), groupBy, wanted), total)
      expect(found.rows).toEqual(all.slice(offset, offset + (limit ?? all.length)))
    },
  )

  test.prop([rows, text], { numRuns: 60 })(
    'for the rows that a condition holds for',
    async (users, least) => {
      const { router, map } = await openFleet()
      await putUsers(router, users)
      const found = await router.scatter(
        { table: 'users', where: [{ column: 's', is: '=', value: least }] },
        { orderBy: [{ column: 'id' }] },
      )
      const kept = inShardOrder(users, map).filter((row) => row.s === least)
      expect(found.rows).toEqual(sortedByOracle(kept, [{ column: 'id' }]))
    },
  )
})

/** As they are found when asked shard by shard. */
function inShardOrder(users: readonly Row[], map: ShardMap): Row[] {
  const shards = map.shards.map(({ id }) => id)
  const place = (row: Row) => shards.indexOf(map.route(row.name as string, 'users').shard)
  return users.map((row) => row).sort((a, b) => place(a) - place(b))
}

async function streamed(
  router: ShardRouter,
  query: ScatterQuery,
  options: ScatterOptions,
): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of router.stream(query, options)) rows.push(row)
  return rows
}

function expectSomeOf(found: readonly Row[], all: readonly Row[], count: number): void {
  expect(found).toHaveLength(count)
  const left = all.map(textOf)
  for (const row of found) {
    const at = left.indexOf(textOf(row))
    expect(at, `a row that is not there, or too often: ${textOf(row)}`).toBeGreaterThanOrEqual(0)
    left.splice(at, 1)
  }
}

function textOf(row: Row): string {
  const entries = Object.entries(row).map(([column, value]) => [
    column,
    typeof value,
    String(value),
  ])
  return JSON.stringify(entries.sort())
}
