// Moves the rows of one key from one slot to another, all tables of its family in one transaction,
// over one shard or two. Children leave before their parents and arrive after them, for the sake of
// foreign keys. Every table's rows leave before any arrives: on one shard a primary key is there
// once only.
//
// A row is the key's if the text of its key columns is the key's text. SQL engines compare as text
// in the database, since a column's type decides what a parameter is read as: the key 'n/a' asked
// of an integer column would fail where it should only find nothing.

import { runOnShards, type TransactionContext } from './distributed-transaction.ts'
import type { Row, ShardTx, TableSpec } from './engine.ts'
import type { Where } from './scan-request.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { ShardMap } from './shard-map.ts'
import type { PinJson } from './shard-map-json.ts'

/** Moves them under the fences of both slots at the map's epoch. */
export async function movePinnedRows<Tx extends ShardTx>(
  context: TransactionContext<Tx>,
  map: ShardMap,
  { table: root, key, from, slot }: PinJson,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = map.ownerOf(from)
  const target = map.ownerOf(slot)
  const slots = new Map<string, number[]>([[source, [from]]])
  slots.set(
    target,
    [...(slots.get(target) ?? []), slot].sort((a, b) => a - b),
  )
  const tables = familyOf(map, root)
  const move = async (old: Tx, fresh: Tx): Promise<void> => {
    const moved: [TableSpec, Row[]][] = []
    for (const spec of tables.toReversed()) {
      const rows = await rowsOf(old, spec, key, from)
      for (const row of rows) await old.delete(spec.name, primaryKeyOf(spec, row))
      moved.unshift([spec, rows])
    }
    for (const [spec, rows] of moved) for (const row of rows) await fresh.put(spec.name, row)
  }
  await runOnShards(
    context,
    { epoch: map.epoch, slots },
    ({ tx }) => move(tx(source, from), tx(target, slot)),
    { signal },
  )
}

/** The tables of a family that have a shard key, parents before children. */
function familyOf(map: ShardMap, root: string): TableSpec[] {
  const members = map
    .specs()
    .filter(
      ({ name, kind, key }) => kind === 'sharded' && key.length > 0 && map.rootOf(name) === root,
    )
  return members.sort((a, b) => depthOf(map, a.name) - depthOf(map, b.name))
}

function depthOf(map: ShardMap, table: string): number {
  const rule = map.tables.get(table)
  return rule?.by === 'colocated' ? 1 + depthOf(map, rule.with) : 0
}

async function rowsOf<Tx extends ShardTx>(
  tx: Tx,
  { name, key: columns }: TableSpec,
  key: string,
  slot: number,
): Promise<Row[]> {
  const where = 'query' in tx ? asText(columns, key) : undefined
  const rows = await tx.select({ table: name, slots: [slot], where })
  return where === undefined ? rows.filter((row) => hasKey(row, columns, key)) : rows
}

/** The comparison in SQL; undefined where the text does not tell how many columns it is of. */
function asText(columns: readonly string[], key: string): Where | undefined {
  const parts = columns.length === 1 ? [key] : key.split('\u0000')
  if (parts.length !== columns.length) return undefined
  const sql = columns.map((column, i) => `CAST(${quoted(column)} AS TEXT) = $${i + 1}`)
  return { sql: sql.join(' AND '), params: parts }
}

function quoted(column: string): string {
  return `"${column.replaceAll('"', '""')}"`
}

function hasKey(row: Row, columns: readonly string[], key: string): boolean {
  const values = columns.map((column) => row[column])
  return values.every(isKeyPart) && keyText(values) === key
}

function isKeyPart(value: unknown): value is Exclude<ShardKey, readonly unknown[]> {
  return typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value)
}

/** SQL engines know the primary key from the catalogue and find it in the row. */
function primaryKeyOf({ primaryKey }: TableSpec, row: Row): Row {
  if (primaryKey === undefined) return row
  return Object.fromEntries(primaryKey.map((column) => [column, row[column]]))
}
