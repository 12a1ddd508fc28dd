// Makes single rows of a copy what they are at the source now, key by key.

import type { DirtyKey } from '../slot-mover.ts'
import { checkSameColumns, keyValues, type MovedTable, movedTable } from './moved-table.ts'
import {
  type CopyPlace,
  insertRows,
  type RowInsert,
  refuseOwned,
  refuseTaken,
  rowInsert,
} from './row-insert.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'
import { isUsers, withoutTriggers } from './user-triggers.ts'

/** The statements on a table that rows are applied by, each given a primary key. */
interface KeyStatements {
  readonly table: MovedTable
  /** The slot of the row at the target. */
  readonly present: string
  /** Its slot at the source. */
  readonly found: string
  readonly remove: string
  readonly insert: RowInsert
}

/** Makes the rows of these keys what they are at the source. */
export function applyKeys(
  place: CopyPlace,
  keys: readonly DirtyKey[],
  slots: readonly number[],
): void {
  const { connection } = place
  const names = [...new Set(keys.map(({ table }) => table))]
  const statements = new Map(names.map((name) => [name, statementsOf(place, name)]))
  const reach = new SlotReach(place, slots)
  withoutTriggers(connection, names, isUsers, () => {
    const arriving: [RowInsert, SqlValue[]][] = []
    for (const { table, primaryKey } of keys) {
      const on = statements.get(table)!
      const values = keyValues(on.table, primaryKey)
      if (clearKey(place, on, values, reach)) arriving.push([on.insert, values])
    }
    // All have left before any arrives: two rows may have exchanged a value that is UNIQUE.
    for (const [insert, values] of arriving) insertRows(place, insert, values)
  })
}

/** The slots whose rows are applied, each looked at once: the target must not own it. */
class SlotReach {
  readonly #place: CopyPlace
  readonly #slots: ReadonlySet<number>
  readonly #checked = new Set<number>()

  constructor(place: CopyPlace, slots: readonly number[]) {
    this.#place = place
    this.#slots = new Set(slots)
  }

  /** @throws {ShardError} `PLAN_CONFLICT` for one of them that the target owns. */
  has(slot: number | undefined): slot is number {
    if (slot === undefined || !this.#slots.has(slot)) return false
    if (this.#checked.has(slot)) return true
    refuseOwned(this.#place, slot)
    this.#checked.add(slot)
    return true
  }
}

function statementsOf(place: CopyPlace, name: string): KeyStatements {
  const table = movedTable(place.connection, name)
  checkSameColumns(place.connection, place.source, table)
  const isKey = table.primaryKey.map((column) => `s.${quoted(column)} = ?`).join(' AND ')
  const slot = `s.${quoted(table.slotColumn)}`
  const from = (schema: string) => `FROM ${quoted(schema)}.${quoted(name)} AS s WHERE ${isKey}`
  return {
    table,
    present: `SELECT ${slot} ${from('main')}`,
    found: `SELECT ${slot} ${from(place.source)}`,
    remove: `DELETE ${from('main')}`,
    insert: rowInsert(place, table, isKey),
  }
}

/** Deletes what lies under a key and has to go; whether a row of the source takes its place. */
function clearKey(
  place: CopyPlace,
  { table, present, found, remove }: KeyStatements,
  values: readonly SqlValue[],
  reach: SlotReach,
): boolean {
  const { connection } = place
  const there = slotOf(connection.get(found, ...values))
  const here = slotOf(connection.get(present, ...values))
  const isArriving = reach.has(there)
  const isLeaving = reach.has(here)
  if (here === undefined || !(isArriving || isLeaving)) return isArriving
  if (!isLeaving) refuseTaken(place, table, values, [there!, here])
  connection.run(remove, ...values)
  return isArriving
}

function slotOf(row: readonly unknown[] | undefined): number | undefined {
  return row === undefined ? undefined : Number(row[0])
}
