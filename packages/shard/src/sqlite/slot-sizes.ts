// How much lies under slots, in the snapshot of a reading connection. Bytes are those of the
// values, without what SQLite adds for pages and indexes.

import type { SlotSize } from '../slot-mover.ts'
import { type MovedTable, movedTables } from './moved-table.ts'
import type { Pace } from './pace.ts'
import { prepareForRows } from './sql-value.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

/** So many rows of a table tell what one takes on average. */
const SAMPLED = 1000

/** And so many of a slot. */
const SAMPLED_OF_SLOT = 8

/** What each column of a row takes at least. */
const COLUMN_BYTES = 1

/** The bytes of a row of each table, on average. */
export type RowBytes = ReadonlyMap<string, number>

/** Samples the tables. */
export function sampleRowBytes(connection: SqliteConnection): RowBytes {
  return new Map(
    movedTables(connection).map((table) => {
      const some = `SELECT ${bytesOfRow(table)} AS bytes FROM ${quoted(table.name)} LIMIT ?`
      const row = connection.get(`SELECT coalesce(avg(bytes), 0) FROM (${some})`, SAMPLED)!
      return [table.name, Number(row[0])]
    }),
  )
}

/** How much lies under each slot that has rows: rows exactly, bytes by a few of them. */
export async function slotSizes(
  connection: SqliteConnection,
  slots: readonly number[] | undefined,
  pace: Pace,
): Promise<Map<number, SlotSize>> {
  const found = new Map<number, SlotSize>()
  const among = slots === undefined ? '' : 'WHERE ashlar_slot IN (SELECT value FROM json_each(?))'
  const params = slots === undefined ? [] : [JSON.stringify(slots)]
  for (const table of movedTables(connection)) {
    // Marks are few and small, and no rows of a user's.
    if (table.slotColumn !== 'ashlar_slot') continue
    const name = quoted(table.name)
    const some = `SELECT ${bytesOfRow(table)} AS bytes FROM ${name} WHERE ashlar_slot = ? LIMIT ?`
    const sample = `SELECT avg(bytes) FROM (${some})`
    // Over the index of slots alone.
    const sql = `SELECT ashlar_slot, count(*) FROM ${name} ${among} GROUP BY ashlar_slot`
    const statement = prepareForRows(connection.database.prepare(sql))
    const raws: Iterable<unknown> = statement.iterate(...params)
    for (const raw of raws) {
      const [slot, rows] = (Array.isArray(raw) ? raw : Object.values(raw as object)).map(Number)
      const before = found.get(slot!) ?? { rows: 0, bytes: 0 }
      const [rowBytes] = connection.get(sample, slot!, SAMPLED_OF_SLOT)!
      const bytes = before.bytes + Math.round(rows! * Number(rowBytes))
      found.set(slot!, { rows: before.rows + rows!, bytes })
      await pace.pause()
    }
  }
  return found
}

function bytesOfRow({ columns }: MovedTable): string {
  const bytes = columns.map((column) => `coalesce(octet_length(${quoted(column)}), 0)`)
  return `${bytes.join(' + ')} + ${columns.length * COLUMN_BYTES}`
}
