// What moving rows must know of a table, from the catalogue: the columns that are written, by name
// so that two shards agree on their order, the primary key, and whether a row's binary form means
// the same on another server.

import { ShardError } from '../shard-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { quotedColumn, quotedTable, quotedText } from './sql-name.ts'
import { unnamed } from './statement.ts'

/** The table under which marks move. */
export const MARKS = 'ashlar_mark'

/** A column of a primary key. */
export interface KeyColumn {
  readonly name: string
  /** Without a length or the like. */
  readonly type: string
  /** Its type's id in the catalogue. */
  readonly oid: number
}

/** A table whose rows move. */
export interface MovedTable {
  readonly name: string
  readonly kind: 'sharded' | 'reference'
  /** For SQL. */
  readonly table: string
  /** Its id in the catalogue. */
  readonly oid: number
  /** The function of schema `ashlar` that its trigger of capture runs. */
  readonly capture: string
  /** Columns that are written, generated ones left out, by name. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly primaryKey: readonly KeyColumn[]
  /** The columns of each unique index beside, those with conditions or expressions left out. */
  readonly uniques: readonly (readonly string[])[]
  /** Whether its rows can be copied in binary form. */
  readonly isPortable: boolean
  /** Itself or, where it is partitioned, the partitions that hold rows, for SQL. */
  readonly leaves: readonly string[]
}

const INSTALLED = `select name, kind, 'capture_' || no as capture from ashlar.installed
union all select '${MARKS}', 'sharded', 'capture_mark' order by 1`

/**
 * By number: `reg…` and arrays of them mean something else on another server, as do the numbers
 * of types that are not built in within arrays and composites.
 */
const NUMBERED =
  '{24,2202,2203,2204,2205,2206,3734,3769,4089,4096,4191,1008,2207,2208,2209,2210,2211}'
const IS_PORTABLE = `bool_and(b.typsend <> 0 and b.typtype in ('b', 'e', 'r', 'm')
  and (b.typelem < 16384 or b.typlen <> -1) and (t.typbasetype = 0 or b.oid < 16384)
  and b.oid <> all('${NUMBERED}'::oid[]))`

const DESCRIBE = `
select x.no, json_build_object(
  'oid', c.oid::int8,
  'columns', (
    select json_agg(json_build_object(
      'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod))
      order by a.attname collate "C")
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''),
  'isPortable', (
    select ${IS_PORTABLE}
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    join pg_catalog.pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''),
  'primaryKey', (
    select json_agg(json_build_object('name', a.attname, 'oid', a.atttypid::int8,
      'type', pg_catalog.format_type(a.atttypid, -1)) order by k.place)
    from pg_catalog.pg_index i
    cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary and k.place <= i.indnkeyatts),
  'uniques', (
    select coalesce(json_agg((
      select json_agg(a.attname)
      from unnest((i.indkey::int2[])[:i.indnkeyatts - 1]) k
      join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = k)), '[]')
    from pg_catalog.pg_index i
    where i.indrelid = c.oid and i.indisunique and not i.indisprimary
      and i.indpred is null and i.indexprs is null),
  'leaves', case when c.relkind = 'p' then (
      select coalesce(json_agg(p.relid::regclass::text), '[]')
      from pg_catalog.pg_partition_tree(c.oid) p where p.isleaf)
    else json_build_array(c.oid::regclass::text) end) as found
from unnest($1::text[]) with ordinality as x(name, no)
join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(x.name)
order by x.no`

type Found = Pick<
  MovedTable,
  'oid' | 'columns' | 'primaryKey' | 'uniques' | 'isPortable' | 'leaves'
>

/** The tables that were installed on a shard and are there, marks included. */
export async function readMovedTables(session: PostgresSession): Promise<readonly MovedTable[]> {
  const { rows } = await session.run(unnamed(INSTALLED))
  const tables = rows.map(({ name, kind, capture }) => ({
    name: String(name),
    kind: kind as MovedTable['kind'],
    capture: String(capture),
    table: name === MARKS ? 'ashlar.mark' : quotedTable(String(name)),
  }))
  const described = await session.run(unnamed(DESCRIBE, [tables.map(({ table }) => table)]))
  return described.rows.map(({ no, found }) => ({
    ...tables[Number(no) - 1]!,
    ...(found as Found),
  }))
}

/** Its columns as a list. */
export function columnList({ columns }: MovedTable, row?: string): string {
  const prefix = row === undefined ? '' : `${row}.`
  return columns.map(({ name }) => prefix + quotedColumn(name)).join(', ')
}

/** The texts of its primary key as an array. */
export function keyTexts({ primaryKey }: MovedTable, row: string): string {
  return `array[${primaryKey.map(({ name }) => `${row}.${quotedColumn(name)}::text`).join(', ')}]`
}

/** The condition that rows of two names have the same in these columns. */
export function sameIn(columns: readonly string[], one: string, other: string): string {
  const terms = columns.map((name) => {
    return `${one}.${quotedColumn(name)} = ${other}.${quotedColumn(name)}`
  })
  return terms.join(' and ')
}

/** The condition that rows of two names have the same primary key. */
export function sameKey({ primaryKey }: MovedTable, one: string, other: string): string {
  const names = primaryKey.map(({ name }) => name)
  return sameIn(names, one, other)
}

/** The condition that a row's slot is one of a list. */
export function ofSlots(row: string, slots: string): string {
  return `${row}.${SLOT_COLUMN} = any(${slots})`
}

/** A list of slots as a literal. */
export function slotsLiteral(slots: readonly number[]): string {
  return `'{${slots.map(Math.trunc).join(',')}}'::int[]`
}

/** The condition that a row's primary key is one of those given as texts. */
export function hasKey(
  { primaryKey }: MovedTable,
  row: string,
  keys: readonly (readonly string[])[],
): string {
  const columns = primaryKey.map(({ name }) => `${row}.${quotedColumn(name)}`)
  const lists = primaryKey.map((_, i) => {
    return `${quotedText(`{${keys.map((key) => quotedElement(key[i]!)).join(',')}}`)}::text[]`
  })
  const names = primaryKey.map((_, i) => `k${i}`)
  const values = primaryKey.map(({ type }, i) => `k.k${i}::${type}`)
  return (
    `(${columns.join(', ')}) in (select ${values.join(', ')} ` +
    `from unnest(${lists.join(', ')}) as k(${names.join(', ')}))`
  )
}

function quotedElement(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** @throws {ShardError} `PLAN_CONFLICT` where rows of one cannot be those of the other. */
export function checkSameColumns(from: MovedTable, to: MovedTable, shard: string): void {
  const [here, there] = [from, to].map(({ columns }) =>
    columns.map(({ name, type }) => `${name} ${type}`).join(', '),
  )
  if (here === there) return
  throw new ShardError(
    'PLAN_CONFLICT',
    `table ${from.name} has other columns on shard ${shard} (${there}) than where its rows come ` +
      `from (${here}): run the same migrations on both`,
    { shard },
  )
}
