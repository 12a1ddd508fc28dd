// Aggregates and groups, of scans and of select alike.

import type { Row } from '../engine.ts'
import type { Aggregate, ScanRequest } from '../scan-request.ts'
import { demand, demandSame } from './conformance-case.ts'
import type { EngineFixture, EngineRule } from './engine-fixture.ts'
import { person } from './standard-tables.ts'

const ALL: Readonly<Record<string, Aggregate>> = {
  rows: { op: 'count' },
  ages: { op: 'count', column: 'age' },
  total: { op: 'sum', column: 'age' },
  youngest: { op: 'min', column: 'age' },
  oldest: { op: 'max', column: 'age' },
  first: { op: 'min', column: 'name' },
  last: { op: 'max', column: 'name' },
}

async function demandRows(
  fixture: EngineFixture,
  request: Omit<ScanRequest, 'table'>,
  expected: readonly Row[],
  rule: string,
): Promise<void> {
  const whole: ScanRequest = { table: 'person', ...request }
  demandSame(await fixture.scan(whole), expected, rule)
  const selected = await fixture.read([1, 2], (tx) => tx.select(whole))
  demandSame(selected, expected, `${rule}, in select as well`)
}

async function demandSum(
  fixture: EngineFixture,
  balances: readonly (number | bigint)[],
  expected: number | bigint,
): Promise<void> {
  await fixture.put(
    1,
    'person',
    balances.map((balance, at) => person(`p${at}`, { balance })),
  )
  const aggregates: Readonly<Record<string, Aggregate>> = { sum: { op: 'sum', column: 'balance' } }
  const [row] = await fixture.scan({ table: 'person', aggregates })
  demandSame(row, { sum: expected }, 'a sum of integers is exact')
  const isRight = typeof row!.sum === typeof expected
  demand(isRight, 'a sum of integers is a number where that holds it, else a bigint')
}

export const AGGREGATE_RULES: readonly EngineRule[] = [
  {
    name: 'count, sum, min and max pass over NULLs; a count without a column counts rows',
    async check(fixture) {
      await fixture.put(1, 'person', [
        person('a', { age: 3, name: 'Z' }),
        person('b', { age: -5, name: 'a' }),
      ])
      await fixture.put(2, 'person', [person('c'), person('d', { age: 4, name: '\u{10000}' })])
      await fixture.put(3, 'person', [person('e')])
      await fixture.fence('moved', [3], 9)
      const expected = {
        rows: 4,
        ages: 3,
        total: 2,
        youngest: -5,
        oldest: 4,
        first: 'Z',
        last: '\u{10000}',
      }
      await demandRows(fixture, { aggregates: ALL }, [expected], 'over all rows')
      const [row] = await fixture.scan({ table: 'person', aggregates: ALL })
      demand(typeof row!.rows === 'number', 'a count is a number')
      const where = [{ column: 'age', is: '>', value: 0 }] as const
      const some = { ...expected, rows: 2, ages: 2, total: 7, youngest: 3 }
      await demandRows(fixture, { aggregates: ALL, where }, [some], 'over rows that match')
    },
  },
  {
    name: 'aggregates of no rows, and of NULLs alone, are null, counts 0',
    async check(fixture) {
      const none = { ages: 0, total: null, youngest: null, oldest: null, first: null, last: null }
      await demandRows(fixture, { aggregates: ALL }, [{ rows: 0, ...none }], 'of no rows')
      await fixture.put(1, 'person', [person('a'), person('b')])
      await demandRows(fixture, { aggregates: ALL }, [{ rows: 2, ...none }], 'of NULLs alone')
    },
  },
  {
    name: 'a sum of integers is exact beyond 2^53',
    async check(fixture) {
      await demandSum(fixture, [2n ** 53n, 1, 1], 2n ** 53n + 2n)
      await demandSum(fixture, [2n ** 53n, -1, 0], 2 ** 53 - 1)
      await demandSum(fixture, [-(2n ** 62n), -1, -2], -(2n ** 62n) - 3n)
      await demandSum(fixture, [1, 2, 3], 6)
    },
  },
  {
    name: 'a sum of integers is exact beyond 2^63',
    async check(fixture) {
      const most = 2n ** 63n - 1n
      await demandSum(fixture, [most, most, 5], 2n * most + 5n)
      await demandSum(fixture, [-most - 1n, -most - 1n, 7], -2n * most + 5n)
      await demandSum(fixture, [most, most, -most], most)
    },
  },
  {
    name: 'min and max of integers are exact beyond 2^53',
    async check(fixture) {
      const big = 2n ** 53n
      await fixture.put(1, 'person', [
        person('a', { balance: big }),
        person('b', { balance: big + 1n }),
      ])
      const aggregates = {
        least: { op: 'min', column: 'balance' },
        most: { op: 'max', column: 'balance' },
      } as const
      await demandRows(fixture, { aggregates }, [{ least: big, most: big + 1n }], 'exact')
    },
  },
  {
    name: 'a sum of reals is a number',
    async check(fixture) {
      await fixture.put(1, 'person', [
        person('a', { score: 0.5 }),
        person('b', { score: 1.25 }),
        person('c', { score: 2 }),
        person('d'),
      ])
      const aggregates = { sum: { op: 'sum', column: 'score' } } as const
      await demandRows(fixture, { aggregates }, [{ sum: 3.75 }], 'the sum of reals')
    },
  },
  {
    name: 'groups have the columns they are grouped by, NULL being one group',
    async check(fixture) {
      const name = (text: string | null, age: number | null) => ({ name: text, age })
      await fixture.put(1, 'person', [
        person('a', name('x', 1)),
        person('b', name('y', null)),
        person('c', name(null, 3)),
      ])
      await fixture.put(2, 'person', [
        person('d', name('x', 2)),
        person('e', name(null, 4)),
        person('f', name('X', 9)),
      ])
      const aggregates = {
        n: { op: 'count' },
        sum: { op: 'sum', column: 'age' },
      } as const
      const groupBy = ['name']
      const groups = [
        { name: 'X', n: 1, sum: 9 },
        { name: 'x', n: 2, sum: 3 },
        { name: 'y', n: 1, sum: null },
        { name: null, n: 2, sum: 7 },
      ]
      const byName = { aggregates, groupBy, orderBy: [{ column: 'name' }] }
      await demandRows(fixture, byName, groups, 'a row a group')
      await demandRows(fixture, { ...byName, limit: 2 }, groups.slice(0, 2), 'limit cuts groups')
      const bySum = [{ column: 'sum', direction: 'desc', nulls: 'last' }] as const
      const sorted = [groups[0]!, groups[3]!, groups[1]!, groups[2]!]
      await demandRows(fixture, { ...byName, orderBy: bySum }, sorted, 'ordered by an aggregate')
    },
  },
  {
    name: 'groups by several columns; no rows make no group',
    async check(fixture) {
      const aggregates = { n: { op: 'count' } } as const
      const orderBy = [{ column: 'name' }, { column: 'age' }]
      const request = { aggregates, groupBy: ['name', 'age'], orderBy }
      await demandRows(fixture, request, [], 'no rows make no group')
      await fixture.put(1, 'person', [
        person('a', { name: 'x', age: 1 }),
        person('b', { name: 'x', age: 2 }),
        person('c', { name: 'x', age: 1 }),
        person('d', { name: 'x' }),
      ])
      const expected = [
        { name: 'x', age: 1, n: 2 },
        { name: 'x', age: 2, n: 1 },
        { name: 'x', age: null, n: 1 },
      ]
      await demandRows(fixture, request, expected, 'a row a combination')
    },
  },
]
