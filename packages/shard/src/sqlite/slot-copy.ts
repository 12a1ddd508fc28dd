// Rows on their way from one shard's file to another's, in a transaction of the target that has the
// source attached and sees one snapshot of it.
//
// A row is in the way of another if it has its primary key, or a key that is UNIQUE. Rows of slots
// that the target owns, or will in a moment, stand against the move. All others are let go: they
// are what an earlier job has left, or copies that are out of date, which the log brings again.

import type { Row } from '../engine.ts'
import { PlanConflict } from '../shard-error.ts'
import type { DirtyKey } from '../slot-mover.ts'
import {
  checkSameColumns,
  keyShown,
  keyValues,
  type MovedTable,
  movedTable,
  movedTables,
} from './moved-table.ts'
import { installedTables, tableOf } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'
import { findFence, isOwned } from './sqlite-fence.ts'
import { isUsers, withoutTriggers } from './user-triggers.ts'

const CONSTRAINT = 19

const AMONG = '(SELECT value FROM json_each(?))'

/** A copy under way. */
export interface CopyPlace {
  readonly connection: SqliteConnection
  /** The target. */
  readonly shard: string
  /** The schema that the source is attached as. */
  readonly source: string
}

/** Makes the rows under these slots those of the source; how many there are now, by table. */
export function copySlots(place: CopyPlace, slots: readonly number[]): Map<string, number> {
  const { connection } = place
  for (const slot of slots) refuseOwned(place, slot)
  const tables = movedTables(connection)
  const list = JSON.stringify(slots)
  const copied = new Map<string, number>()
  // The guards too, which would let the rows pass: asked for each, they took a fifth of the time.
  const isSilent = () => true
  withoutTriggers(connection, tables.map(nameOf), isSilent, () => {
    for (const table of tables) {
      const slot = quoted(table.slotColumn)
      connection.run(`DELETE FROM main.${quoted(table.name)} WHERE ${slot} IN ${AMONG}`, list)
    }
    for (const table of tables) {
      checkSameColumns(connection, place.source, table)
      const rows = insertRows(place, table, `s.${quoted(table.slotColumn)} IN ${AMONG}`, [list])
      copied.set(table.name, rows)
    }
  })
  return copied
}

/** Makes the rows of these keys what they are at the source. */
export function applyKeys(
  place: CopyPlace,
  keys: readonly DirtyKey[],
  slots: readonly number[],
): void {
  const { connection, source } = place
  const names = new Set(keys.map(({ table }) => table))
  const tables = new Map([...names].map((name) => [name, movedTable(connection, name)]))
  for (const table of tables.values()) checkSameColumns(connection, source, table)
  const among = new Set(slots)
  withoutTriggers(connection, [...names], isUsers, () => {
    const arriving = keys.filter(({ table, primaryKey }) => {
      return leaveOrArrive(place, tables.get(table)!, primaryKey, among)
    })
    // All have left before any arrives: two rows may have exchanged a value that is UNIQUE.
    for (const { table: name, primaryKey } of arriving) {
      const table = tables.get(name)!
      const isKey = table.primaryKey.map((column) => `s.${quoted(column)} = ?`).join(' AND ')
      insertRows(place, table, isKey, keyValues(table, primaryKey))
    }
  })
}

/** Makes the reference tables those of the source. */
export function copyReferenceTables({ connection, source }: CopyPlace): void {
  const tables = installedTables(connection)
    .map((name) => tableOf(connection, name))
    .filter(({ kind }) => kind === 'reference')
  withoutTriggers(connection, tables.map(nameOf), isUsers, () => {
    for (const { name, columns: all, byColumn } of tables) {
      const columns = all.filter((column) => !byColumn.get(column)!.isGenerated)
      checkSameColumns(connection, source, { name, columns })
      const list = columns.map(quoted).join(', ')
      connection.run(`DELETE FROM main.${quoted(name)}`)
      connection.run(
        `INSERT INTO main.${quoted(name)} (${list})
          SELECT ${list} FROM ${quoted(source)}.${quoted(name)}`,
      )
    }
  })
}

/**
 * Deletes up to `limit` rows of these slots; how many there were.
 *
 * @throws {ShardError} `PLAN_CONFLICT` where the shard owns one of them.
 */
export function cleanSlots(
  place: Omit<CopyPlace, 'source'>,
  slots: readonly number[],
  limit: number,
): number {
  const { connection } = place
  for (const slot of slots) refuseOwned(place, slot)
  const tables = movedTables(connection)
  const list = JSON.stringify(slots)
  return withoutTriggers(connection, tables.map(nameOf), isUsers, () => {
    let deleted = 0
    for (const { name, primaryKey, slotColumn } of tables) {
      if (deleted >= limit) break
      const key = primaryKey.map(quoted).join(', ')
      deleted += connection.run(
        `DELETE FROM main.${quoted(name)} WHERE (${key}) IN
          (SELECT ${key} FROM main.${quoted(name)} WHERE ${quoted(slotColumn)} IN ${AMONG} LIMIT ?)`,
        list,
        limit - deleted,
      )
    }
    return deleted
  })
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

/** Nothing is copied over what the shard owns, nor deleted of it. */
function refuseOwned({ connection, shard }: Omit<CopyPlace, 'source'>, slot: number): void {
  if (!isOwned(findFence(connection, slot)?.state)) return
  throw new PlanConflict(`shard ${shard} owns slot ${slot}: its rows are not to be written over`, {
    shard,
    slot,
  })
}

/** Deletes what lies under a key and has to go; whether a row of the source takes its place. */
function leaveOrArrive(
  place: CopyPlace,
  table: MovedTable,
  primaryKey: Row,
  among: ReadonlySet<number>,
): boolean {
  const { connection, source } = place
  const values = keyValues(table, primaryKey)
  const isKey = table.primaryKey.map((column) => `${quoted(column)} = ?`).join(' AND ')
  const slotIn = (schema: string) => {
    const from = `${quoted(schema)}.${quoted(table.name)}`
    const sql = `SELECT ${quoted(table.slotColumn)} FROM ${from} WHERE ${isKey}`
    const row = connection.get(sql, ...values)
    return row === undefined ? undefined : Number(row[0])
  }
  const [present, found] = [slotIn('main'), slotIn(source)]
  const next = found !== undefined && among.has(found) ? found : undefined
  if (next !== undefined) refuseOwned(place, next)
  if (present === undefined || (next === undefined && !among.has(present)))
    return next !== undefined
  if (among.has(present)) refuseOwned(place, present)
  else refuseTaken(place, table, values, [next!, present])
  connection.run(`DELETE FROM main.${quoted(table.name)} WHERE ${isKey}`, ...values)
  return next !== undefined
}

/** Inserts the rows `s` of the source that meet a condition; how many. */
function insertRows(
  place: CopyPlace,
  table: MovedTable,
  condition: string,
  params: readonly SqlValue[],
): number {
  const { connection, source, shard } = place
  const { name, columns, primaryKey } = table
  const read = columns.map((column) => `s.${quoted(column)}`).join(', ')
  // In the order of the table's own tree, which is the largest to be written.
  const order = primaryKey.map((column) => `s.${quoted(column)}`).join(', ')
  const insert = `INSERT INTO main.${quoted(name)} (${columns.map(quoted).join(', ')})
    SELECT ${read} FROM ${quoted(source)}.${quoted(name)} AS s WHERE ${condition} ORDER BY ${order}`
  try {
    return connection.run(insert, ...params)
  } catch (error) {
    if (!isConstraint(error)) throw error
    clearWay(place, table, condition, params)
  }
  try {
    return connection.run(insert, ...params)
  } catch (error) {
    if (!isConstraint(error)) throw error
    throw new PlanConflict(
      `rows of table ${name} cannot come to shard ${shard}: ${(error as Error).message}; ` +
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

function refuseTaken(
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
