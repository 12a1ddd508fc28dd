// Checksums of slots, and digests of rows where they differ, in the snapshot of a reading
// connection. SQLite calls a function of ours for each row: as fast as reading all rows into
// memory at once, which a large slot would fill.

import type { SlotChecksum } from '../slot-mover.ts'
import { keyText, type MovedTable, movedTables } from './moved-table.ts'
import type { Pace } from './pace.ts'
import { RowSum } from './row-sum.ts'
import { prepareForRows } from './sql-value.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

/** Rows of a slot lie all over the file: its inner pages at least are to be found at once. */
const CACHE_KB = 16_384

const SUM_FUNCTION = 'ashlar_sum'

const sums = new WeakMap<SqliteConnection, RowSum>()

/** The checksum of each of these slots, in the snapshot that is open. */
export async function slotChecksums(
  connection: SqliteConnection,
  slots: readonly number[],
  pace: Pace,
): Promise<Map<number, SlotChecksum>> {
  const sum = sumOf(connection)
  connection.database.exec(`pragma cache_size = -${CACHE_KB}`)
  const statements = movedTables(connection).map((table) => {
    const from = `${quoted(table.name)} WHERE ${quoted(table.slotColumn)} = ?`
    const sql = `SELECT count(${SUM_FUNCTION}(${valuesOf(table).join(', ')})) FROM ${from}`
    return { table: table.name, sql }
  })
  const checksums = new Map<number, SlotChecksum>()
  for (const slot of slots) {
    await pace.pause()
    sum.reset()
    for (const { table, sql } of statements) {
      sum.enter(table)
      connection.get(sql, slot)
    }
    checksums.set(slot, { rows: sum.rows, hash: sum.hash })
  }
  return checksums
}

/** A digest of each row of a slot, in the snapshot that is open. */
export async function rowDigests(
  connection: SqliteConnection,
  slot: number,
  pace: Pace,
): Promise<Map<string, string>> {
  const sum = new RowSum()
  const digests = new Map<string, string>()
  for (const table of movedTables(connection)) {
    sum.enter(table.name)
    const keys = table.primaryKey.length
    const terms = [...table.primaryKey.map(quoted), ...valuesOf(table)]
    const named = terms.map((term, i) => `${term} AS c${i}`).join(', ')
    const sql = `SELECT ${named} FROM ${quoted(table.name)} WHERE ${quoted(table.slotColumn)} = ?`
    // Not from the cache: it is stepped through while others may use the connection's.
    const statement = prepareForRows(connection.database.prepare(sql))
    const raws: Iterable<unknown> = statement.iterate(slot)
    for (const raw of raws) {
      const values: readonly unknown[] = Array.isArray(raw) ? raw : Object.values(raw as object)
      sum.reset()
      sum.add(values.slice(keys))
      digests.set(`${table.name} ${keyText(values.slice(0, keys))}`, sum.hash)
      await pace.pause()
    }
  }
  return digests
}

/** In the order of their names, which source and target have in common. */
function valuesOf({ columns, slotColumn }: MovedTable): string[] {
  return columns
    .filter((column) => column !== slotColumn)
    .sort()
    .map(quoted)
}

function sumOf(connection: SqliteConnection): RowSum {
  const found = sums.get(connection)
  if (found !== undefined) return found
  const sum = new RowSum()
  const options = { varargs: true, useBigIntArguments: true }
  connection.database.function(SUM_FUNCTION, options, (...values) => {
    sum.add(values)
    return 0
  })
  sums.set(connection, sum)
  return sum
}
