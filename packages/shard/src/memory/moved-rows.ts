// The rows of slots, as they are taken from one database and put into another. Marks are rows of a
// table like others here.

import type { FenceState, Row } from '../engine.ts'
import { PlanConflict } from '../shard-error.ts'
import type { MemoryDatabase, RowChange } from './memory-database.ts'
import type { MemoryShard } from './memory-shard.ts'
import type { StoredRow } from './stored-row.ts'

/** A row and where it is found, on whichever shard; without a row, that there is none. */
export interface MovedRow {
  readonly table: string
  readonly key: string
  readonly row: StoredRow | undefined
}

/** Every row under these slots, marks included. O(rows of the database). */
export function* rowsUnder(
  database: MemoryDatabase,
  slots: ReadonlySet<number>,
): Generator<MovedRow & { readonly row: StoredRow }> {
  for (const { spec, versions } of database.movable) {
    for (const [key, row] of versions.all(database.commit)) {
      if (slots.has(row.slot)) yield { table: spec.name, key, row }
    }
  }
}

/**
 * What it takes to make the rows under these slots those given, and no others.
 *
 * @throws {ShardError} `PLAN_CONFLICT` as `putMoved`.
 */
export function replaceUnder(
  { id, database }: MemoryShard,
  slots: ReadonlySet<number>,
  rows: Iterable<MovedRow>,
): RowChange[] {
  for (const slot of slots) checkForeign(id, database, slot)
  const left = [...rowsUnder(database, slots)].map(({ table, key }) => {
    return { versions: database.movableTable(table).versions, key, row: undefined }
  })
  // What is deleted and then put again ends as it was put: the later of two changes stands.
  return [...left, ...[...rows].flatMap((row) => putMoved({ id, database }, slots, row))]
}

/**
 * What it takes to make one row what it is elsewhere; rows of other slots than these are let be.
 *
 * @throws {ShardError} `PLAN_CONFLICT` where the shard owns the slot, or a row of another slot that
 * has the primary key.
 */
export function putMoved(
  { id, database }: Pick<MemoryShard, 'id' | 'database'>,
  slots: ReadonlySet<number>,
  { table, key, row }: MovedRow,
): RowChange[] {
  const { versions, primaryKey } = database.movableTable(table)
  const present = versions.at(key, database.commit)
  const next = row !== undefined && slots.has(row.slot) ? row : undefined
  if (next === undefined) {
    if (present === undefined || !slots.has(present.slot)) return []
    checkForeign(id, database, present.slot)
    return [{ versions, key, row: undefined }]
  }
  checkForeign(id, database, next.slot)
  if (present !== undefined) {
    const { slot } = present
    const state = database.fences.get(slot)?.state
    if (slots.has(slot)) checkForeign(id, database, slot)
    // Where nobody owns the slot it is what an earlier job has left.
    else if (isOwned(state) || state === 'arriving') {
      throw new PlanConflict(
        `${table} ${keyOf(primaryKey, next.values)} of slot ${next.slot} cannot come to shard ` +
          `${id}, where a row of slot ${slot} has that primary key; make them differ`,
        { shard: id, slot: next.slot },
      )
    }
  }
  return [{ versions, key, row: next }]
}

/** Every row of the reference tables, by table and then by key. */
export function referenceRows(source: MemoryDatabase): Map<string, Map<string, StoredRow>> {
  const tables = [...source.tables.values()].filter(({ spec }) => spec.kind === 'reference')
  return new Map(
    tables.map(({ spec, versions }) => [spec.name, new Map(versions.all(source.commit))]),
  )
}

/** What it takes to make the reference tables hold these rows, and no others. */
export function replaceReference(
  target: MemoryDatabase,
  tables: ReadonlyMap<string, ReadonlyMap<string, StoredRow>>,
): RowChange[] {
  return [...tables].flatMap(([name, rows]) => {
    const { versions } = target.table(name)
    const left = [...versions.all(target.commit)].filter(([key]) => !rows.has(key))
    return [
      ...left.map(([key]) => ({ versions, key, row: undefined })),
      ...[...rows].map(([key, row]) => ({ versions, key, row })),
    ]
  })
}

/** Whether the rows under a fence in that state are the shard's, to be read at least. */
export function isOwned(state: FenceState | undefined): boolean {
  return state === 'owned' || state === 'frozen'
}

/** Nothing may be copied over what the shard owns. */
function checkForeign(id: string, database: MemoryDatabase, slot: number): void {
  if (!isOwned(database.fences.get(slot)?.state)) return
  throw new PlanConflict(`shard ${id} owns slot ${slot}: its rows cannot be replaced or cleaned`, {
    shard: id,
    slot,
  })
}

function keyOf(columns: readonly string[], row: Row): string {
  return columns.map((column) => `${column} = ${String(row[column])}`).join(', ')
}
