// How much the tables of a shard hold: bytes from the files, rows counted where that is cheap.

import type { TableSize } from '../engine.ts'
import type { PostgresShard } from './postgres-shard.ts'
import { quotedTable } from './sql-name.ts'
import { unnamed } from './statement.ts'

/** Up to so many bytes a table is counted; above, the planner's estimate must do. */
const COUNTED_BYTES = 16 * 1024 * 1024

const INSTALLED = 'select name from ashlar.installed order by name'

const SIZE = `
select coalesce(sum(pg_catalog.pg_total_relation_size(p.oid)), 0) as bytes,
  coalesce(sum(greatest(c.reltuples, 0)), 0)::int8 as estimate
from (
  select pg_catalog.to_regclass($1)::oid as oid union
  select relid::oid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))) p
join pg_catalog.pg_class c on c.oid = p.oid`

/** Sizes of all tables that were installed, reference tables as well. */
export async function measureTables(shard: PostgresShard): Promise<readonly TableSize[]> {
  const { rows } = await shard.run(unnamed(INSTALLED))
  return Promise.all(rows.map(({ name }) => measureTable(shard, String(name))))
}

async function measureTable(shard: PostgresShard, table: string): Promise<TableSize> {
  const name = quotedTable(table)
  const { rows } = await shard.run(unnamed(SIZE, [name]))
  const bytes = Number(rows[0]!.bytes)
  const estimate = Number(rows[0]!.estimate)
  if (bytes > COUNTED_BYTES && estimate > 0) return { table, rows: estimate, bytes }
  const counted = await shard.run(unnamed(`select count(*) as rows from ${name}`))
  return { table, rows: Number(counted.rows[0]!.rows), bytes }
}
