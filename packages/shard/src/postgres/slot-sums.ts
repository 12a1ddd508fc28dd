// What lies under slots: how many rows, and what they add up to. A row's hash is that of its text,
// by code point, with the settings of mover-shard.ts and the columns by name: equal for equal rows
// on any two servers. Hashes of a slot are summed, so their order does not matter.

import type { SlotChecksum, SlotSize } from '../slot-mover.ts'
import { columnList, keyTexts, MARKS, type MovedTable } from './moved-table.ts'
import type { MoverShard } from './mover-shard.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { quotedText } from './sql-name.ts'
import { unnamed } from './statement.ts'

/** So many rows of a slot tell what one takes on average: to weigh all takes four times as long. */
const SAMPLED_OF_SLOT = 8

/** How much lies under each slot that has rows, marks aside: rows exactly, bytes by a sample. */
export async function countSlots(
  at: MoverShard,
  slots: readonly number[] | undefined,
): Promise<ReadonlyMap<number, SlotSize>> {
  const tables = (await at.shardedTables()).filter(({ name }) => name !== MARKS)
  const sizes = new Map<number, SlotSize>()
  const values = slots === undefined ? [] : [slots]
  const where = slots === undefined ? '' : `where ${SLOT_COLUMN} = any($1)`
  await at.transact({ as: 'snapshot' }, async (session) => {
    for (const { table } of tables) {
      // The count takes no more than the index of slots.
      const text = `select c.slot, c.rows, (
          select avg(pg_catalog.pg_column_size(s.*)) from (
            select * from ${table} where ${SLOT_COLUMN} = c.slot limit ${SAMPLED_OF_SLOT}) s
        ) * c.rows as bytes
        from (select ${SLOT_COLUMN} as slot, count(*) as rows
          from ${table} ${where} group by 1) c`
      const { rows } = await session.run(unnamed(text, values))
      for (const row of rows) {
        const before = sizes.get(Number(row.slot)) ?? { rows: 0, bytes: 0 }
        sizes.set(Number(row.slot), {
          rows: before.rows + Number(row.rows),
          bytes: before.bytes + Math.round(Number(row.bytes)),
        })
      }
    }
  })
  return sizes
}

/** The checksum of each of these slots, in one snapshot. */
export async function sumSlots(
  at: MoverShard,
  slots: readonly number[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, SlotChecksum>> {
  const tables = await at.shardedTables()
  const sums = new Map(slots.map((slot) => [slot, { rows: 0, sum: 0n }]))
  await at.transact({ as: 'snapshot', signal }, async (session) => {
    for (const table of tables) {
      const text = `select ${SLOT_COLUMN} as slot, count(*) as rows,
        sum(${hashSql(table)})::text as sum
        from ${table.table} t where ${SLOT_COLUMN} = any($1) group by 1`
      const { rows } = await session.run(unnamed(text, [slots]))
      for (const row of rows) {
        const own = sums.get(Number(row.slot))!
        own.rows += Number(row.rows)
        own.sum += BigInt(String(row.sum))
      }
    }
  })
  return new Map(
    [...sums].map(([slot, { rows, sum }]) => {
      return [slot, { rows, hash: BigInt.asUintN(64, sum).toString(16) }]
    }),
  )
}

/** A digest of each row of a slot. */
export async function digestSlot(
  at: MoverShard,
  slot: number,
): Promise<ReadonlyMap<string, string>> {
  const tables = await at.shardedTables()
  const digests = new Map<string, string>()
  await at.transact({ as: 'snapshot' }, async (session) => {
    for (const table of tables) {
      const text = `select pg_catalog.to_json(${keyTexts(table, 't')})::text as key,
        ${hashSql(table)}::text as hash from ${table.table} t where ${SLOT_COLUMN} = $1`
      const { rows } = await session.run(unnamed(text, [slot]))
      for (const { key, hash } of rows) digests.set(`${table.name} ${key}`, String(hash))
    }
  })
  return digests
}

/** By table, so that the same row in another table counts differently. */
function hashSql(table: MovedTable): string {
  return `pg_catalog.hashtextextended(row(${columnList(table, 't')})::text collate "C",
    pg_catalog.hashtextextended(${quotedText(table.name)} collate "C", 0))`
}
