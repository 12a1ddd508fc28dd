import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { meanOf, mergeAggregate } from '../src/aggregate-values.ts'
import { compareValues, type RowOrder, rowOrder } from '../src/compare-values.ts'
import type { Row } from '../src/engine.ts'
import { mergeSorted, type RowSource, takeTurns } from '../src/merge-rows.ts'
import { LoserTree } from '../src/merge-tree.ts'
import { sortedByOracle } from './scatter-oracle.ts'

describe('the loser tree', () => {
  test.prop([fc.array(fc.array(fc.nat(9)), { minLength: 1, maxLength: 9 })])(
    'merges sorted lists, equal values in the order of the lists',
    (lists) => {
      const sorted = lists.map((list) => list.toSorted((a, b) => a - b))
      const at = sorted.map(() => 0)
      const head = (list: number) => sorted[list]![at[list]!] ?? Number.POSITIVE_INFINITY
      const tree = new LoserTree(lists.length, (a, b) => {
        return head(a) < head(b) || (head(a) === head(b) && a < b)
      })
      const merged: number[][] = []
      while (head(tree.winner) < Number.POSITIVE_INFINITY) {
        merged.push([head(tree.winner), tree.winner])
        at[tree.winner]! += 1
        tree.replay()
      }
      const wanted = sorted.flatMap((list, i) => list.map((value) => [value, i]))
      expect(merged).toEqual(wanted.sort(([a, i], [b, j]) => a! - b! || i! - j!))
    },
  )

  test('plays no more than one match a level for each value', () => {
    let matches = 0
    const heads = Array.from({ length: 64 }, (_, i) => i)
    const tree = new LoserTree(64, (a, b) => {
      matches += 1
      return heads[a]! < heads[b]!
    })
    matches = 0
    for (let i = 0; i < 1_000; i++) {
      heads[tree.winner]! += 64
      tree.replay()
    }
    expect(matches).toBe(6_000)
  })
})

const value = fc.oneof(
  fc.constantFrom(0, -0, 1, 1.5, 2n ** 64n, -1n, Number.NaN, Infinity, true, false),
  fc.constantFrom('', 'a', '\uffff', '\u{10000}', '\ue000', '\ud7ff'),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.uint8Array({ maxLength: 3 }),
  fc.date({ noInvalidDate: true }),
)

describe('the order of values', () => {
  test.prop([value, value, value])('is total and transitive', (a, b, c) => {
    expect(Math.sign(compareValues(a, b))).toBe(-Math.sign(compareValues(b, a)) + 0)
    expect(compareValues(a, a)).toBe(0)
    if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) {
      expect(compareValues(a, c)).toBeLessThanOrEqual(0)
    }
  })

  test('is that of databases', () => {
    const inOrder = [
      [false, true],
      [-1n, 0, 1.5, 2n, 2 ** 53, 2n ** 53n + 1n, Number.POSITIVE_INFINITY, Number.NaN],
      [new Date(0), new Date(1)],
      ['', 'B', 'a', 'é', '\ue000', '\uffff', '\u{1f600}'],
      [new Uint8Array(), new Uint8Array([0]), new Uint8Array([0, 1]), new Uint8Array([1])],
    ].flat()
    expect(inOrder.toReversed().sort(compareValues)).toEqual(inOrder)
    expect(compareValues(5, 5n)).toBe(0)
  })

  test('is refused for values that have none', () => {
    expect(() => compareValues({}, {})).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    expect(() => compareValues([1], 'a')).toThrow(/order by a column of such a type/u)
  })
})

/** Lists as shards; counts what is read ahead and not given on yet. */
function sources(lists: readonly (readonly Row[])[], batchRows: number) {
  const held = { now: 0, most: 0 }
  const all = lists.map((rows, i): RowSource => {
    let at = 0
    return {
      shard: `s${i + 1}`,
      begin: () => {},
      next: async () => {
        if (at >= rows.length) return undefined
        const batch = rows.slice(at, at + batchRows)
        at += batchRows
        held.now += batch.length
        held.most = Math.max(held.most, held.now)
        return batch
      },
    }
  })
  return { all, held }
}

async function collect(batches: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const batch of batches) rows.push(...batch)
  return rows
}

const orderBy = [
  { column: 'a', nulls: 'first' },
  { column: 'b', direction: 'desc' },
] as const
const someRows = fc.array(
  fc.record({ a: fc.option(fc.nat(3)), b: fc.option(fc.constantFrom('x', 'y', '\uffff')) }),
  { maxLength: 12 },
)
const shardRows = fc
  .array(someRows, { maxLength: 5 })
  .map((lists) => lists.map((rows, i) => rows.map((row, j) => ({ ...row, from: `${i}.${j}` }))))

/** The law of a merge, for whatever takes the place of the order it goes by. */
async function mergesAsOne(lists: Row[][], order: RowOrder, batchRows = 2): Promise<void> {
  const sorted = lists.map((rows) => sortedByOracle(rows, orderBy))
  const found = await collect(mergeSorted(sources(sorted, batchRows).all, order, 3))
  expect(found).toEqual(sortedByOracle(lists.flat(), orderBy))
}

describe('a merge of sorted shards', () => {
  test.prop([shardRows, fc.integer({ min: 1, max: 4 })])(
    'is the sorted whole, ties in the order of the shards',
    (lists, batchRows) => mergesAsOne(lists, rowOrder(orderBy), batchRows),
  )

  test('holds one batch of each shard, however long they are', async () => {
    const lists = Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 5_000 }, (_unused, j) => ({ a: j * 8 + ((i * 3) % 8) })),
    )
    const { all, held } = sources(lists, 100)
    let last = -1
    for await (const batch of mergeSorted(all, rowOrder([{ column: 'a' }]), 100)) {
      const inOrder = batch.every(({ a }) => a === ++last)
      expect(inOrder, `up to ${last}`).toBe(true)
      held.now -= batch.length
    }
    expect(last).toBe(39_999)
    expect(held.most).toBeLessThanOrEqual(9 * 100)
  })

  test('is refused as soon as a shard turns out not to be sorted', async () => {
    // As PostgreSQL's numeric would arrive: sorted as numbers, handed out as text.
    const { all } = sources([[{ a: '9' }, { a: '10' }], [{ a: '7' }]], 5)
    const merged = collect(mergeSorted(all, rowOrder([{ column: 'a' }]), 5))
    await expect(merged).rejects.toMatchObject({ code: 'UNSUPPORTED', shard: 's1' })
  })

  test('goes on over empty batches, and ends with the last shard', async () => {
    const batches = [[], [{ a: 1 }], [], [{ a: 3 }], []]
    const uneven: RowSource = {
      shard: 's1',
      begin: () => {},
      next: async () => batches.shift(),
    }
    const { all } = sources([[{ a: 2 }], []], 1)
    const merged = mergeSorted([uneven, ...all], rowOrder([{ column: 'a' }]), 10)
    expect(await collect(merged)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })

  test('without an order takes a batch of each shard in turn', async () => {
    const { all } = sources([[{ a: 1 }, { a: 2 }, { a: 3 }], [{ a: 4 }]], 2)
    const turns = await collect(takeTurns(all))
    expect(turns.map(({ a }) => a)).toEqual([1, 2, 4, 3])
  })
})

describe('broken twins', () => {
  const nullsLast: RowOrder = rowOrder(orderBy.map(({ column }) => ({ column })))
  const blind: RowOrder = (a, b) => compareValues(a.a ?? 0, b.a ?? 0)

  test.each([
    ['ignores where NULLs go', nullsLast],
    ['takes NULL for a value', blind],
  ])('a merge that %s is caught by the law', async (_, order) => {
    const check = fc.check(
      fc.asyncProperty(shardRows, (lists) => mergesAsOne(lists, order)),
      { seed: 7 },
    )
    expect((await check).failed).toBe(true)
  })
})

describe('parts of an aggregate', () => {
  test.each([
    ['count', 2, 3, 5],
    ['sum', 2, null, 2],
    ['sum', null, null, null],
    ['sum', Number.MAX_SAFE_INTEGER, 1, 2n ** 53n],
    ['sum', 2n ** 53n, -1, Number.MAX_SAFE_INTEGER],
    ['sum', 0.5, 0.25, 0.75],
    ['sum', 1e300, 1e300, 2e300],
    ['sum', '12.50', '-0.75', '11.75'],
    ['sum', '-0.5', '0.25', '-0.25'],
    ['sum', '99999999999999999999.9', 1, '100000000000000000000.9'],
    ['sum', '7', '8', '15'],
    ['sum', 'NaN', '1.5', 'NaN'],
    ['min', 'b', 'a', 'a'],
    ['min', null, 'a', 'a'],
    ['max', 3, 2n ** 60n, 2n ** 60n],
    ['max', 'x', null, 'x'],
  ] as const)('%s of %s and %s is %s', (op, a, b, wanted) => {
    expect(mergeAggregate(op, a, b)).toEqual(wanted)
    expect(mergeAggregate(op, b, a)).toEqual(wanted)
  })

  test('of things that are not numbers have no sum', () => {
    expect(() => mergeAggregate('sum', true, 1)).toThrow(/numbers can be summed/u)
  })

  test('make a mean as a double, of nothing null', () => {
    expect(meanOf(10n ** 20n, 4)).toBe(2.5e19)
    expect(meanOf('7.5', 3n)).toBe(2.5)
    expect(meanOf(null, 0)).toBeNull()
  })
})
