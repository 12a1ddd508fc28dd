// How much the tables of a shard hold. Rows are counted, over the smallest index; pages as well
// while the file is small enough for that to be quick, else the file's size is shared out by rows.

import type { TableSize } from '../engine.ts'
import { installedTables } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted } from './sqlite-database.ts'

/** Up to here pages are counted: 200 MB of the usual 4 KB. */
const MAX_COUNTED_PAGES = 50_000

/** Rows and bytes by table, in the snapshot that is open. */
export function measureTables(connection: SqliteConnection): TableSize[] {
  const counted = installedTables(connection).map((table) => {
    const [rows] = connection.get(`select count(*) from ${quoted(table)}`)!
    return { table, rows: Number(rows) }
  })
  const pages = Number(connection.get('pragma page_count')![0])
  const pageBytes = Number(connection.get('pragma page_size')![0])
  const bytes =
    pages <= MAX_COUNTED_PAGES ? bytesByTable(connection) : sharedOut(counted, pages * pageBytes)
  return counted.map(({ table, rows }) => ({ table, rows, bytes: bytes.get(table) ?? 0 }))
}

/** The pages of a table and its indexes. */
function bytesByTable(connection: SqliteConnection): Map<string, number> {
  const rows = connection.all(
    `select s.tbl_name as name, sum(d.pgsize) as bytes from dbstat('main', 1) as d
      join sqlite_schema as s on s.name = d.name and s.type in ('table', 'index')
      group by s.tbl_name`,
  )
  return new Map(rows.map(({ name, bytes }) => [String(name), Number(bytes)]))
}

function sharedOut(
  counted: readonly { table: string; rows: number }[],
  bytes: number,
): Map<string, number> {
  const all = counted.reduce((sum, { rows }) => sum + rows, 0)
  return new Map(
    counted.map(({ table, rows }) => [table, all === 0 ? 0 : Math.round((bytes * rows) / all)]),
  )
}
