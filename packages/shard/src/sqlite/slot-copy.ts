// Copies of whole slots and of reference tables from one shard's file to another's, and the end of
// such copies. One statement for each table, in which SQLite goes from file to file by itself.

import { checkSameColumns, movedTables } from './moved-table.ts'
import { type CopyPlace, insertRows, refuseOwned, rowInsert } from './row-insert.ts'
import { installedTables, tableOf } from './sqlite-catalog.ts'
import { quoted } from './sqlite-database.ts'
import { isUsers, withoutTriggers } from './user-triggers.ts'

const AMONG = '(SELECT value FROM json_each(?))'

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
      const insert = rowInsert(place, table, `s.${quoted(table.slotColumn)} IN ${AMONG}`)
      copied.set(table.name, insertRows(place, insert, [list]))
    }
  })
  return copied
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
      const isOne = `${quoted(slotColumn)} IN ${AMONG}`
      deleted += connection.run(
        `DELETE FROM main.${quoted(name)} WHERE (${key}) IN
          (SELECT ${key} FROM main.${quoted(name)} WHERE ${isOne} LIMIT ?)`,
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
