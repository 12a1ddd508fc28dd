// Many rows at once: a batch is shared out to the shards, and each shard takes its part in one
// transaction under the slots of those rows. A part that a fence refuses is shared out anew by the
// newest map; `put` writes a row the same way twice, so no row is doubled or lost by that.

import { retryConflicts, settledRoute, type TransactionContext } from './distributed-transaction.ts'
import type { OpenTransaction, Row, ShardTx } from './engine.ts'
import { ShardError } from './shard-error.ts'
import type { ShardKey } from './shard-key.ts'
import type { Route, ShardMap } from './shard-map.ts'
import { show } from './show.ts'

const BATCH_ROWS = 5_000

/** Options of `ShardRouter.load`. */
export interface LoadOptions {
  /** Rows that are shared out at a time, and lost together if it fails; default 5,000. */
  readonly batchRows?: number | undefined
  /** Called after each batch with how many rows are in so far. */
  readonly onProgress?: ((rows: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes rows into a sharded table, each on its shard; a row with the primary key of an old one
 * replaces it. Not one transaction: each shard's part of a batch is.
 *
 * @returns how many rows were written.
 * @throws {ShardError} `UNKNOWN_TABLE`, `INVALID_TABLE` for a table that has no shard key,
 * `INVALID_KEY` for a row without it, `INVALID_OPTION`; and as `withShard`. Batches before the one
 * that failed are in, which can be told by `onProgress`; loading again is safe.
 */
export async function loadRows<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  table: string,
  rows: Iterable<Row> | AsyncIterable<Row>,
  { batchRows = BATCH_ROWS, onProgress, signal }: LoadOptions = {},
): Promise<number> {
  if (!(Number.isSafeInteger(batchRows) && batchRows > 0)) {
    throw new ShardError(
      'INVALID_OPTION',
      `batchRows must be a whole number above 0, got ${show(batchRows)}`,
    )
  }
  const columns = keyColumns(context.map(), table)
  let loaded = 0
  let batch: Row[] = []
  const flush = async () => {
    await loadBatch(context, table, batch, columns, signal)
    loaded += batch.length
    batch = []
    onProgress?.(loaded)
    // An engine in this process answers without a turn of the event loop; others need one as well.
    await context.sleep(0, signal)
  }
  for await (const row of rows) {
    signal?.throwIfAborted()
    if (batch.push(row) === batchRows) await flush()
  }
  if (batch.length > 0) await flush()
  return loaded
}

/** A row and where it belongs. */
interface PlacedInput {
  readonly row: Row
  readonly slot: number
}

/** Shares a batch out; the shards take their parts side by side. */
async function loadBatch<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  table: string,
  rows: readonly Row[],
  columns: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let missing = rows
  const attempt = async () => {
    const map = context.map()
    const parts = new Map<string, PlacedInput[]>()
    for (const row of missing) {
      const { shard, slot } = routeOf(map, table, row, columns)
      const part = parts.get(shard)
      if (part === undefined) parts.set(shard, [{ row, slot }])
      else part.push({ row, slot })
    }
    const outcomes = await Promise.allSettled(
      Array.from(parts, ([shard, part]) => {
        return loadPart(context, table, { shard, epoch: map.epoch }, part, signal)
      }),
    )
    const refused = [...parts.values()].filter((_, i) => outcomes[i]!.status === 'rejected')
    missing = refused.flat().map(({ row }) => row)
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }
  await retryConflicts(context, attempt, signal)
}

async function loadPart<Tx extends ShardTx>(
  { engine }: TransactionContext<Tx>,
  table: string,
  { shard, epoch }: Pick<Route, 'shard' | 'epoch'>,
  part: readonly PlacedInput[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // Slot after slot: an engine has to say so each time the slot is another.
  const sorted = part.toSorted((a, b) => a.slot - b.slot)
  const slots = [...new Set(sorted.map(({ slot }) => slot))]
  const open: OpenTransaction<Tx> = await engine.open(
    shard,
    { slots, epoch },
    { prepares: false, signal },
  )
  try {
    await Promise.all(sorted.map(({ row, slot }) => open.tx(slot).put(table, row)))
    signal?.throwIfAborted()
    await open.commit()
  } catch (error) {
    await open.rollback().catch(Boolean)
    throw error
  }
}

function keyColumns(map: ShardMap, table: string): readonly string[] {
  const rule = map.tables.get(table)
  if (rule === undefined) {
    throw new ShardError('UNKNOWN_TABLE', `the map has no rule for the table ${show(table)}`)
  }
  if ('key' in rule) return rule.key
  if (rule.by === 'table') return []
  throw new ShardError(
    'INVALID_TABLE',
    `${table} is a reference table, which has a copy on every shard; write it through replicate`,
  )
}

function routeOf(map: ShardMap, table: string, row: Row, columns: readonly string[]): Route {
  const values = columns.map((column) => row[column] as ShardKey & (string | number | bigint))
  const absent = columns.find((_, i) => values[i] === undefined || values[i] === null)
  if (absent !== undefined) {
    throw new ShardError(
      'INVALID_KEY',
      `a row for ${table} has no value for its shard key column ${show(absent)}`,
    )
  }
  // A table that lies whole on one shard goes there whatever the key.
  return settledRoute(map, columns.length === 1 ? values[0]! : values, table)
}
