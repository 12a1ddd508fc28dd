// Rows of many shards as one stream, in constant memory: at most two batches of each shard are
// held, the one being read and the one read ahead. Sorted inputs are merged; rows that the order
// does not tell apart go by the order of the inputs, so the result does not depend on who answers
// first. Inputs without an order are taken in turns, a batch at a time.

import type { RowOrder } from './compare-values.ts'
import type { Row } from './engine.ts'
import { LoserTree } from './merge-tree.ts'
import { ShardError } from './shard-error.ts'

/** Rows of one shard. */
export interface RowSource {
  readonly shard: string
  /** Begins to read, so that sources do so side by side. */
  begin(): void
  /** The next batch, undefined at the end. */
  next(): Promise<readonly Row[] | undefined>
}

/**
 * Merges sources, each sorted by `order`, into one sorted stream of batches.
 *
 * @throws {ShardError} `UNSUPPORTED` as soon as a source turns out not to be sorted that way.
 */
export async function* mergeSorted(
  sources: readonly RowSource[],
  order: RowOrder,
  batchRows: number,
): AsyncGenerator<Row[]> {
  if (sources.length === 0) return
  const batches = await Promise.all(sources.map(nextRows))
  const at = new Int32Array(sources.length)
  const heads = batches.map((batch) => batch?.[0])
  const tree = new LoserTree(sources.length, (a, b) => {
    const x = heads[a]
    const y = heads[b]
    if (x === undefined || y === undefined) return x !== undefined || (y === undefined && a < b)
    const difference = order(x, y)
    return difference < 0 || (difference === 0 && a < b)
  })
  let out: Row[] = []
  for (let row = heads[tree.winner]; row !== undefined; row = heads[tree.winner]) {
    const winner = tree.winner
    out.push(row)
    if (++at[winner]! === batches[winner]!.length) {
      batches[winner] = await nextRows(sources[winner]!)
      at[winner] = 0
    }
    const next = batches[winner]?.[at[winner]!]
    if (next !== undefined && order(row, next) > 0) throw unsorted(sources[winner]!.shard)
    heads[winner] = next
    tree.replay()
    if (out.length === batchRows) {
      yield out
      out = []
    }
  }
  if (out.length > 0) yield out
}

/** Takes a batch of each source in turn until all have ended. */
export async function* takeTurns(sources: readonly RowSource[]): AsyncGenerator<readonly Row[]> {
  let left = [...sources]
  for (const source of sources) source.begin()
  while (left.length > 0) {
    const going: RowSource[] = []
    for (const source of left) {
      const batch = await source.next()
      if (batch === undefined) continue
      going.push(source)
      yield batch
    }
    left = going
  }
}

/** Skips `offset` rows, passes on `limit`, and reads no further. */
export async function* cutOut<B extends readonly Row[]>(
  batches: AsyncIterable<B>,
  offset: number,
  limit: number,
): AsyncGenerator<readonly Row[]> {
  let skip = offset
  let left = limit
  if (left === 0) return
  for await (const batch of batches) {
    const rows = skip === 0 && batch.length <= left ? batch : batch.slice(skip, skip + left)
    skip = Math.max(0, skip - batch.length)
    left -= rows.length
    if (rows.length > 0) yield rows
    if (left === 0) return
  }
}

async function nextRows(source: RowSource): Promise<readonly Row[] | undefined> {
  for (;;) {
    const batch = await source.next()
    if (batch === undefined || batch.length > 0) return batch
  }
}

// A merge of inputs that are not sorted gives wrong rows in silence; one comparison a row is what
// it costs to know. It happens where a driver hands values out as another type than the database
// sorts them by.
function unsorted(shard: string): ShardError {
  return new ShardError(
    'UNSUPPORTED',
    `the rows of shard ${shard} are not in the order of their values as they arrive here; order ` +
      'by columns of numbers, of text that sorts by code point, dates or bytes',
    { shard },
  )
}
