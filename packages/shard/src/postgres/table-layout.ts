// What a statement about a table must know of it, from the catalogue: whether it is sharded, its
// primary key, and which columns need `COLLATE "C"` to sort by code point.

import { ShardError } from '../shard-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quotedColumn, quotedTable } from './sql-name.ts'
import { type Statement, unnamed } from './statement.ts'

/** A column. */
interface ColumnLayout {
  readonly name: string
  /** Its type's id in the catalogue. */
  readonly type: number
  /** Whether it sorts otherwise than by code point when nothing is said. */
  readonly needsCollation: boolean
  /** Whether its value is the database's to make. */
  readonly isGenerated: boolean
}

/** A table that was installed. */
export interface TableLayout {
  /** For SQL, with its schema where that was given. */
  readonly table: string
  readonly isSharded: boolean
  readonly primaryKey: readonly string[]
  readonly columns: ReadonlyMap<string, ColumnLayout>
}

interface LayoutJson {
  readonly kind: 'sharded' | 'reference'
  readonly columns: readonly ColumnLayout[] | null
  readonly primaryKey: readonly string[] | null
}

const LAYOUT = `
select json_build_object(
  'kind', t.kind,
  'columns', (
    select json_agg(json_build_object(
      'name', a.attname, 'type', a.atttypid::int, 'isGenerated',
      a.attgenerated <> '' or a.attidentity = 'a', 'needsCollation',
      a.attcollation <> 0 and not case
        when a.attcollation = 100 then (
          select d.datlocprovider = 'c' and d.datcollate in ('C', 'POSIX')
          from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
        else coalesce((
          select c.collcollate in ('C', 'POSIX')
          from pg_catalog.pg_collation c where c.oid = a.attcollation), false) end))
    from pg_catalog.pg_attribute a
    where a.attrelid = pg_catalog.to_regclass($2) and a.attnum > 0 and not a.attisdropped),
  'primaryKey', (
    select json_agg(a.attname order by k.place)
    from pg_catalog.pg_index i
    cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = pg_catalog.to_regclass($2) and i.indisprimary)) as layout
from ashlar.installed t where t.name = $1`

function layoutStatement(table: string): Statement {
  return unnamed(LAYOUT, [table, quotedTable(table)])
}

/** Layouts of one shard, each read when it is first needed. */
export class TableLayouts {
  readonly #shard: string
  readonly #known = new Map<string, TableLayout>()

  constructor(shard: string) {
    this.#shard = shard
  }

  /** The layout if it is known and has these columns. */
  peek(table: string, columns: Iterable<string> = []): TableLayout | undefined {
    const layout = this.#known.get(table)
    if (layout === undefined) return undefined
    for (const column of columns) if (!layout.columns.has(column)) return undefined
    return layout
  }

  /**
   * Reads it over a session.
   *
   * @throws {ShardError} `UNKNOWN_TABLE` if no such table was installed, `INVALID_OPTION` for a
   * column that it does not have.
   */
  async read(
    session: PostgresSession,
    table: string,
    columns: Iterable<string> = [],
  ): Promise<TableLayout> {
    const { rows } = await session.run(layoutStatement(table))
    const json = rows[0]?.layout as LayoutJson | undefined
    if (json === undefined || json.columns === null) throw unknownTable(this.#shard, table)
    const layout: TableLayout = {
      table: quotedTable(table),
      isSharded: json.kind === 'sharded',
      primaryKey: json.primaryKey ?? [],
      columns: new Map(json.columns.map((column) => [column.name, column])),
    }
    this.#known.set(table, layout)
    for (const column of columns) {
      if (!layout.columns.has(column)) throw unknownColumn(this.#shard, table, column)
    }
    return layout
  }

  /** Forgets all, after a change of tables. */
  reset(): void {
    this.#known.clear()
  }
}

/** A column in an expression that compares or sorts: by code point. */
export function comparable({ columns }: TableLayout, column: string): string {
  const name = quotedColumn(column)
  return columns.get(column)?.needsCollation ? `${name} collate "C"` : name
}

function unknownTable(shard: string, table: string): ShardError {
  return new ShardError(
    'UNKNOWN_TABLE',
    `shard ${shard} has no table ${table} that was installed; run install with it`,
    { shard },
  )
}

function unknownColumn(shard: string, table: string, column: string): ShardError {
  return new ShardError('INVALID_OPTION', `${table} of shard ${shard} has no column ${column}`, {
    shard,
  })
}
