// Eight shards' rows merged in order as a stream, beside the same 800,000 rows read in order from
// one table by a plain cursor; and what is kept alive on the heap meanwhile, at the end of a tenth
// of the rows and of all.

import type { Bench } from './harness.ts'
import type { Fleet } from './shard-fleet.ts'
import { type DatabaseRow, measureRows } from './shard-rounds.ts'
import { cursor } from './shard-rows.ts'

/** How many shards are merged, and the rows of each. */
export const MERGED = { shards: 8, rows: 100_000 }

const OURS = '@ashlar/shard'
const CURSOR = 'plain cursor'
const ALL = MERGED.shards * MERGED.rows
const TENTH = ALL / 10
const TENTH_NAME = 'ours, a tenth of the rows'
/** Looks at the heap while rows are read, as many whatever the number of rows. */
const LOOKS = 40

const merge: DatabaseRow<Fleet> = {
  id: 'postgres-merge',
  title: '8 shards × 100,000 rows merged in the order of the primary key, from one server',
  unit: 'ms',
  goal: { against: CURSOR, atLeast: 0.7 },
  ops: 1,
  calls: 1,
  slices: 1,
  sides: (fleet) => ({ [OURS]: () => stream(fleet, ALL), [CURSOR]: cursor(fleet) }),
}
const heap = {
  id: 'postgres-merge-heap',
  title: 'the most that is alive on the heap while those rows are read, above what was before',
}

/** What is measured on the merged fleet. */
export const mergeRows: readonly { readonly id: string; readonly title: string }[] = [merge, heap]

/** Measures both. */
export async function measureMerge(bench: Bench, fleet: Fleet): Promise<void> {
  await measureRows(bench, [merge], fleet)
  if (!bench.wants(heap.id)) return
  const results = {
    [OURS]: await peak(ALL, (look) => stream(fleet, ALL, look)),
    [TENTH_NAME]: await peak(TENTH, (look) => stream(fleet, TENTH, look)),
    [CURSOR]: await peak(ALL, (look) => cursor(fleet, look)()),
  }
  // Constant: ten times the rows do not need half as much again.
  bench.count({ ...heap, unit: 'MB', results, goal: { against: TENTH_NAME, atLeast: 0.67 } })
}

async function stream(
  { router }: Fleet,
  limit: number,
  look: (rows: number) => void = () => {},
): Promise<number> {
  let sum = 0
  const options = { orderBy: [{ column: 'id' }], ...(limit < ALL ? { limit } : {}) }
  for await (const row of router.stream({ table: 'users' }, options)) {
    sum += Number(row.id)
    look(1)
  }
  return sum
}

/** Megabytes, the garbage collected at each look; the first run warms up. */
async function peak(
  rows: number,
  read: (look: (rows: number) => void) => Promise<number>,
): Promise<number> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('heap rows need node --expose-gc')
  await read(() => {})
  gc()
  const before = process.memoryUsage().heapUsed
  let most = 0
  let seen = 0
  let next = 0
  await read((more) => {
    seen += more
    if (seen < next) return
    next += rows / LOOKS
    gc()
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  })
  return most / 1e6
}
