// Rows on their way from one shard's file into another's, in a transaction of the target that has
// the source attached and sees one snapshot of it.
//
// A row is in the way of another if it has its primary key, or a key that is UNIQUE. Rows of slots
// that the target owns, or will in a moment, stand against the move. All others are let go: they
// are what an earlier job has left, or copies that are out of date, which the log brings again.

import type { Row } from '../engine.ts'
import { PlanConflict } from '../shard-error.ts'
import { keyShown, type MovedTable } from './moved-table.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'
import { findFence, isOwned } from './sqlite-fence.ts'

const CONSTRAINT = 19

/** Where rows come from, and where to. */
export interface CopyPlace {
  readonly connection: SqliteConnection
  /** The target. */
  readonly shard: string
  /** The schema that the source is attached as. */
  readonly source: string
}

/** A statement that inserts rows, see {@link rowInsert}. */
export interface RowInsert {
  readonly table: MovedTable
  readonly condition: string
  readonly sql: string
}

/**
 * Refuses to change rows of a slot that the shard owns.
 *
 * @throws {ShardError} `PLAN_CONFLICT`
 */
export function refuseOwned({ connection, shard }: Omit<CopyPlace, 'source'>, slot: number): void {
  if (!isOwned(findFence(connection, slot)?.state)) return
  throw new PlanConflict(`shard ${shard} owns slot ${slot}: its rows are not to be written over`, {
    shard,
    slot,
  })
}

/** The statement that inserts the rows `s` of the source that meet a condition. */
export function rowInsert({ source }: CopyPlace, table: MovedTable, condition: string): RowInsert {
  const { name, columns, primaryKey } = table
  const read = columns.map((column) => `s.${quoted(column)}`).join(', ')
  // In the order of the table's own tree, which is the largest to be written.
  const order = primaryKey.map((column) => `s.${quoted(column)}`).join(', ')
  const sql = `INSERT INTO main.${quoted(name)} (${columns.map(quoted).join(', ')})
    SELECT ${read} FROM ${quoted(source)}.${quoted(name)} AS s WHERE ${condition} ORDER BY ${order}`
  return { table, condition, sql }
}

/**
 * Inserts rows, letting go what is in their way and may; how many.
 *
 * @throws {ShardError} `PLAN_CONFLICT` for what may not.
 */
export function insertRows(
  place: CopyPlace,
  { table, condition, sql }: RowInsert,
  params: readonly SqlValue[],
): number {
  const { connection, shard } = place
  try {
    return connection.run(sql, ...params)
  } catch (error) {
    if (!isConstraint(error)) throw error
    clearWay(place, table, condition, params)
  }
  try {
    return connection.run(sql, ...params)
  } catch (error) {
    if (!isConstraint(error)) throw error
    throw new PlanConflict(
      `rows of table ${table.name} cannot come to shard ${shard}: ${(error as Error).message}; ` +
        'make them fit, then resume',
      { shard, cause: error },
    )
  }
}

function isConstraint(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === CONSTRAINT
  )
}

/** Deletes what is in the way of the rows `s` of the source, if it may go. */
function clearWay(
  place: CopyPlace,
  table: MovedTable,
  condition: string,
  params: readonly SqlValue[],
): void {
  const { connection, source } = place
  const name = quoted(table.name)
  const slot = quoted(table.slotColumn)
  const key = table.primaryKey.map((column) => `m.${quoted(column)}`)
  for (const isSame of uniqueKeys(connection, table)) {
    const both = `main.${name} AS m JOIN ${quoted(source)}.${name} AS s ON ${isSame.join(' AND ')}`
    const [next, present] = [`s.${slot}`, `m.${slot}`]
    const terms = [next, present, ...key].map((term, i) => `${term} AS c${i}`)
    const taken = connection.get(
      `SELECT ${terms.join(', ')} FROM ${both} WHERE ${condition}
        AND ${present} IN (SELECT slot FROM main.ashlar_fence WHERE state <> 'moved') LIMIT 1`,
      ...params,
    )
    if (taken !== undefined) {
      refuseTaken(place, table, taken.slice(2), [Number(taken[0]), Number(taken[1])])
    }
    connection.run(
      `DELETE FROM main.${name} WHERE (${table.primaryKey.map(quoted).join(', ')}) IN
        (SELECT ${key.join(', ')} FROM ${both} WHERE ${condition})`,
      ...params,
    )
  }
}

/** That two rows `m` and `s` have a key in common: for each that is UNIQUE and of columns alone. */
function uniqueKeys(connection: SqliteConnection, table: MovedTable): string[][] {
  const rows = connection.all(
    `select l.name as "index", i.name as "column", i.coll as collation
      from pragma_index_list(?, 'main') as l join pragma_index_xinfo(l.name, 'main') as i
      where l."unique" = 1 and l.partial = 0 and i.key = 1 order by l.seq, i.seqno`,
    table.name,
  )
  const byIndex = new Map<unknown, Row[]>()
  for (const row of rows) byIndex.set(row.index, [...(byIndex.get(row.index) ?? []), row])
  const plain = [...byIndex.values()].filter((terms) =>
    terms.every(({ column }) => column !== null),
  )
  const same = (column: string, collation = 'BINARY') =>
    `m.${quoted(column)} = s.${quoted(column)} COLLATE ${quoted(collation)}`
  return [
    // Where the primary key is the rowid there is no index of it.
    table.primaryKey.map((column) => same(column)),
    ...plain.map((terms) =>
      terms.map(({ column, collation }) => same(String(column), String(collation))),
    ),
  ]
}

/**
 * Refuses to replace a row of another slot, given the slots of the new one and of the present one.
 *
 * @throws {ShardError} `PLAN_CONFLICT` where the shard owns that slot, or will in a moment.
 */
export function refuseTaken(
  { connection, shard }: CopyPlace,
  table: MovedTable,
  values: readonly unknown[],
  [next, present]: readonly [next: number, present: number],
): void {
  const state = findFence(connection, present)?.state
  if (!isOwned(state) && state !== 'arriving') return
  throw new PlanConflict(
    `a row of slot ${next} cannot come to shard ${shard}, where ${keyShown(table, values)} of ` +
      `slot ${present} has its primary key or another that is UNIQUE; make them differ`,
    { shard, slot: next },
  )
}
