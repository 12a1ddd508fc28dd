// Scans: which rows count, in which order, as of when, and how a scan ends.

import type { Row } from '../engine.ts'
import type { Condition, OrderTerm, ScanRequest } from '../scan-request.ts'
import { demand, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, SHARD } from './engine-fixture.ts'
import { person, purchase } from './standard-tables.ts'

/** Texts in the order of their code points, which neither UTF-16 nor a dictionary gives. */
const TEXTS = [
  '',
  ' ',
  '10',
  '9',
  'A',
  'Z',
  '_',
  'a',
  'aa',
  'b',
  'é',
  'ﬀ',
  '\uffee',
  '\u{10000}',
  '🗿',
]

const ids = (rows: readonly Row[]): unknown[] => rows.map((row) => row.id)

async function demandOrder(
  fixture: EngineFixture,
  orderBy: readonly OrderTerm[],
  expected: readonly unknown[],
  rule: string,
): Promise<void> {
  demandSame(ids(await fixture.scan({ table: 'person', orderBy })), expected, rule)
  const select = (limit: number | undefined) =>
    fixture.read([1, 2], (tx) => tx.select({ table: 'person', orderBy, limit }))
  demandSame(ids(await select(undefined)), expected, `${rule}, in select as well`)
  demandSame(ids(await select(2)), expected.slice(0, 2), `${rule}, also of the first two`)
}

async function demandMatch(
  fixture: EngineFixture,
  where: readonly Condition[],
  expected: readonly unknown[],
): Promise<void> {
  const request: ScanRequest = { table: 'person', where, orderBy: [{ column: 'id' }] }
  const rule = `where ${where.map((one) => `${one.column} ${one.is}`).join(' and ')}`
  demandSame(ids(await fixture.scan(request)), expected, rule)
  const selected = await fixture.read([1, 2], (tx) => tx.select(request))
  demandSame(ids(selected), expected, `${rule}, in select as well`)
}

export const SCAN_RULES: readonly EngineRule[] = [
  {
    name: 'a scan tells which slots the shard owns, in order, frozen ones included',
    async check(fixture) {
      await fixture.fence('frozen', [30, 2])
      await fixture.fence('owned', [9, 10, 100])
      await fixture.fence('moved', [3, 200])
      const scan = await fixture.engine.scan(SHARD, { table: 'person' })
      const slots = scan.owned.filter((slot) => slot >= 0)
      demandSame(slots, [1, 2, 4, 9, 10, 30, 100], 'owned lists owned and frozen slots')
      await scan.close()
    },
  },
  {
    name: 'rows of slots that the shard does not own never count',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      await fixture.put(3, 'person', [person('c')])
      await fixture.fence('moved', [2], EPOCH + 1)
      await fixture.fence('frozen', [3])
      demandSame(await fixture.people(), ['a', 'c'], 'rows left behind are not shown')
      const count: ScanRequest = { table: 'person', aggregates: { n: { op: 'count' } } }
      demandSame(await fixture.scan(count), [{ n: 2 }], 'nor counted')
      const both = await fixture.scan({ ...count, slots: [1, 2] })
      demandSame(both, [{ n: 1 }], 'nor when their slot is asked for')
      demandSame(await fixture.placed('person'), ['1:a', '2:b', '3:c'], 'placements shows all')
      await fixture.fence('owned', [2], EPOCH + 2)
      demandSame(await fixture.people(), ['a', 'b', 'c'], 'they count once they are owned')
    },
  },
  {
    name: 'a scan sees rows as they were when it was opened',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 }), person('b')])
      const scan = await fixture.engine.scan(SHARD, {
        table: 'person',
        orderBy: [{ column: 'id' }],
      })
      await fixture.transact([1], async (tx) => {
        await tx.put('person', person('a', { age: 2 }))
        await tx.delete('person', { id: 'b' })
        await tx.put('person', person('c'))
      })
      const found: Row[] = []
      for await (const batch of scan.rows()) found.push(...batch)
      await scan.close()
      demandSame(found, [person('a', { age: 1 }), person('b')], 'later commits do not show')
    },
  },
  {
    name: 'a scan sees the fences of its snapshot, though they change while it runs',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      await fixture.fence('moved', [2], EPOCH + 1)
      const request: ScanRequest = { table: 'person', orderBy: [{ column: 'id' }] }
      const scan = await fixture.engine.scan(SHARD, request)
      // Not awaited yet: an engine may let fences wait for scans as well.
      const flips = [fixture.fence('moved', [1], EPOCH + 1), fixture.fence('owned', [2], EPOCH + 2)]
      await fixture.waits(Promise.all(flips))
      const found: Row[] = []
      for await (const batch of scan.rows()) found.push(...batch)
      demandSame(
        scan.owned.filter((slot) => slot >= 0),
        [1, 3, 4],
        'the slots it owned then',
      )
      demandSame(ids(found), ['a'], 'and exactly their rows')
      await scan.close()
      await Promise.all(flips)
      demandSame(await fixture.people(), ['b'], 'the next scan sees the new fences')
    },
  },
  {
    name: 'text sorts by code point',
    async check(fixture) {
      await fixture.put(
        1,
        'person',
        [...TEXTS].reverse().map((text) => person(text)),
      )
      await demandOrder(fixture, [{ column: 'id' }], TEXTS, 'ascending')
      const descending = [...TEXTS].reverse()
      await demandOrder(fixture, [{ column: 'id', direction: 'desc' }], descending, 'descending')
      const where: Condition[] = [
        { column: 'id', is: '>=', value: 'Z' },
        { column: 'id', is: '<', value: '\u{10000}' },
      ]
      const found = await fixture.scan({ table: 'person', where, orderBy: [{ column: 'id' }] })
      demandSame(ids(found), TEXTS.slice(5, 13), 'comparisons go by code point as well')
    },
  },
  {
    name: 'numbers sort by value, beyond 2^53 as well',
    async check(fixture) {
      const big = 2n ** 53n
      const balances = [-(2n ** 63n), -10n, -9n, 0n, 9n, 10n, big, big + 1n, 2n ** 63n - 1n]
      const scores = [-1e300, -2.5, -1, 0, 5e-324, 0.1, 9, 10, 1e300]
      const names = balances.map((_, at) => `p${at}`)
      const rows = balances.map((balance, at) => person(`p${at}`, { balance, score: scores[at] }))
      await fixture.put(1, 'person', rows.toReversed())
      await demandOrder(fixture, [{ column: 'balance' }], names, 'integers')
      await demandOrder(fixture, [{ column: 'score' }], names, 'reals')
      const above: Condition[] = [{ column: 'balance', is: '>', value: big }]
      await demandMatch(fixture, above, ['p7', 'p8'])
      await demandMatch(fixture, [{ column: 'balance', is: '=', value: big + 1n }], ['p7'])
    },
  },
  {
    name: 'NULLs go last ascending and first descending, or where they are told to',
    async check(fixture) {
      await fixture.put(1, 'person', [
        person('n'),
        person('b', { age: 2 }),
        person('a', { age: 1 }),
      ])
      const column = 'age'
      await demandOrder(fixture, [{ column }], ['a', 'b', 'n'], 'ascending')
      await demandOrder(fixture, [{ column, direction: 'desc' }], ['n', 'b', 'a'], 'descending')
      await demandOrder(fixture, [{ column, nulls: 'first' }], ['n', 'a', 'b'], 'nulls first')
      const descending = [{ column, direction: 'desc', nulls: 'last' }] as const
      await demandOrder(fixture, descending, ['b', 'a', 'n'], 'descending, nulls last')
    },
  },
  {
    name: 'ties are broken by the next term',
    async check(fixture) {
      const rows = [
        person('a', { age: 1, name: 'x' }),
        person('b', { age: 2, name: 'x' }),
        person('c', { name: 'x' }),
        person('d', { age: 1, name: 'y' }),
        person('e', { age: 1, name: 'x' }),
        person('f'),
      ]
      await fixture.put(1, 'person', rows.slice(0, 3))
      await fixture.put(2, 'person', rows.slice(3))
      const orderBy = [
        { column: 'name' },
        { column: 'age', direction: 'desc' },
        { column: 'id', direction: 'desc' },
      ] as const
      await demandOrder(fixture, orderBy, ['c', 'b', 'e', 'a', 'd', 'f'], 'three terms')
    },
  },
  {
    name: 'every comparison holds where it should, and never for NULL',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 }), person('b', { age: 2 })])
      await fixture.put(2, 'person', [person('c', { age: 3, name: "O'H; --" }), person('n')])
      const column = 'age'
      await demandMatch(fixture, [], ['a', 'b', 'c', 'n'])
      await demandMatch(fixture, [{ column, is: '=', value: 2 }], ['b'])
      await demandMatch(fixture, [{ column, is: '!=', value: 2 }], ['a', 'c'])
      await demandMatch(fixture, [{ column, is: '<', value: 2 }], ['a'])
      await demandMatch(fixture, [{ column, is: '<=', value: 2 }], ['a', 'b'])
      await demandMatch(fixture, [{ column, is: '>', value: 2 }], ['c'])
      await demandMatch(fixture, [{ column, is: '>=', value: 2 }], ['b', 'c'])
      await demandMatch(fixture, [{ column, is: 'in', value: [3, 1, 7] }], ['a', 'c'])
      await demandMatch(fixture, [{ column, is: 'in', value: [] }], [])
      await demandMatch(fixture, [{ column, is: 'null' }], ['n'])
      await demandMatch(fixture, [{ column, is: 'not null' }], ['a', 'b', 'c'])
      await demandMatch(fixture, [{ column: 'name', is: '=', value: "O'H; --" }], ['c'])
      const both: Condition[] = [
        { column, is: '>', value: 1 },
        { column: 'name', is: 'null' },
      ]
      await demandMatch(fixture, both, ['b'])
    },
  },
  {
    name: 'columns, slots and limit narrow a scan down',
    async check(fixture) {
      const rows = ['a', 'b', 'c', 'd', 'e'].map((id, age) => person(id, { age }))
      await fixture.put(1, 'person', rows.slice(0, 2))
      await fixture.put(2, 'person', rows.slice(2, 4))
      await fixture.put(3, 'person', rows.slice(4))
      const orderBy = [{ column: 'age', direction: 'desc' }] as const
      const request: ScanRequest = { table: 'person', orderBy }
      const columns = await fixture.scan({ ...request, columns: ['name', 'id'], limit: 1 })
      demandSame(columns, [{ id: 'e', name: null }], 'only the columns that were named')
      const all = await fixture.scan({ ...request, limit: 1 })
      demandSame(all, [rows[4]], "all of the table's own columns by default")
      const slots = await fixture.scan({ ...request, slots: [3, 1, 77] })
      demandSame(ids(slots), ['e', 'b', 'a'], 'only rows of the slots that were named')
      demandSame(ids(await fixture.scan({ ...request, slots: [] })), [], 'of no slot: none')
      for (const limit of [0, 1, 4, 5, 6]) {
        const found = ids(await fixture.scan({ ...request, limit }))
        demandSame(found, ['e', 'd', 'c', 'b', 'a'].slice(0, limit), `limit ${limit}`)
      }
    },
  },
  {
    name: 'rows come in batches of at most batchRows, none of them empty',
    async check(fixture) {
      const rows = Array.from({ length: 10 }, (_, no) => purchase('a', no))
      await fixture.put(1, 'purchase', rows)
      const orderBy = [{ column: 'no' }]
      for (const batchRows of [1, 3, 5, 10, 11]) {
        const scan = await fixture.engine.scan(SHARD, { table: 'purchase', orderBy }, { batchRows })
        const found: Row[] = []
        for await (const batch of scan.rows()) {
          demand(batch.length > 0 && batch.length <= batchRows, 'a batch has 1 to batchRows rows')
          found.push(...batch)
        }
        await scan.close()
        demandSame(found, rows, `all rows come in batches of ${batchRows}`)
      }
    },
  },
  {
    name: 'a scan can be closed unread, in the middle, at the end, and twice',
    async check(fixture) {
      const rows = Array.from({ length: 10 }, (_, no) => purchase('a', no))
      await fixture.put(1, 'purchase', rows)
      const request: ScanRequest = { table: 'purchase' }
      const unread = await fixture.engine.scan(SHARD, request)
      await unread.close()
      await unread.close()
      const scan = await fixture.engine.scan(SHARD, request, { batchRows: 2 })
      for await (const batch of scan.rows()) {
        demandSame(batch.length, 2, 'the first batch')
        break
      }
      await scan.close()
      const left = await fixture.engine.scan(SHARD, request, { batchRows: 2 })
      await left.rows()[Symbol.asyncIterator]().next()
      await left.close()
      // Whatever a scan held is free again.
      await fixture.put(1, 'purchase', [purchase('a', 10)])
      await fixture.fence('frozen', [1])
      demandSame((await fixture.scan(request)).length, 11, 'later scans are whole')
    },
  },
  {
    name: 'a scan of a table that is not there is refused',
    async check(fixture) {
      const scan = () => fixture.scan({ table: 'nowhere' })
      await demandRefusal(scan, 'there is no such table')
      await fixture.put(1, 'person', [person('a')])
    },
  },
]
