// Asks all shards as if they were one: snapshots first, then rows merged as they come, or groups
// put together. What may be missing is named, never silently left out.

import { AggregatePlan } from './aggregate-plan.ts'
import type { Row } from './engine.ts'
import { cutOut, mergeSorted, takeTurns } from './merge-rows.ts'
import type { ScatterPlan, ScatterResult } from './scatter-query.ts'
import {
  closeAll,
  openSnapshots,
  type ScatterContext,
  type ShardRows,
} from './scatter-snapshots.ts'
import { ScatterPartial } from './shard-error.ts'

/** All rows at once. */
export async function scatterRows(
  context: ScatterContext,
  plan: ScatterPlan,
): Promise<ScatterResult> {
  const missing = new Set<string>()
  for (;;) {
    try {
      const rows: Row[] = []
      for await (const batch of scatterBatches(context, plan, missing)) {
        for (const row of batch) rows.push(row)
      }
      return { rows, missing: [...missing] }
    } catch (error) {
      if (plan.partial === 'error' || !(error instanceof ScatterPartial)) throw error
      // It fell silent in the middle: half of its rows would be neither there nor missing.
      for (const shard of error.missing) missing.add(shard)
    }
  }
}

/**
 * Rows in batches, in constant memory unless they are groups.
 *
 * @param missing Shards not to be asked; gains those that do not answer at the start.
 */
export async function* scatterBatches(
  context: ScatterContext,
  plan: ScatterPlan,
  missing: Set<string>,
): AsyncGenerator<readonly Row[]> {
  const snapshots = await openSnapshots(context, plan, missing)
  try {
    const rows =
      plan.query.aggregates === undefined ? rowsOf(plan, snapshots) : groupsOf(plan, snapshots)
    for await (const batch of cutOut(rows, plan.offset, plan.limit)) yield batch
  } finally {
    const closing = closeAll(snapshots)
    // A shard that hangs must not hold up a caller who gave up.
    if (plan.signal?.aborted !== true) await closing
  }
}

async function* rowsOf(
  plan: ScatterPlan,
  snapshots: readonly ShardRows[],
): AsyncGenerator<readonly Row[]> {
  const { order, columns, batchRows } = plan
  const merged =
    order === undefined ? takeTurns(snapshots) : mergeSorted(snapshots, order, batchRows)
  for await (const batch of merged) {
    yield columns === undefined ? batch : batch.map((row) => cutDown(row, columns))
  }
}

async function* groupsOf(
  { query, order }: ScatterPlan,
  snapshots: readonly ShardRows[],
): AsyncGenerator<readonly Row[]> {
  const groups = new AggregatePlan(query.aggregates!, query.groupBy)
  for await (const batch of takeTurns(snapshots)) groups.add(batch)
  const rows = groups.finish()
  yield order === undefined ? rows : rows.sort(order)
}

function cutDown(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column]]))
}
