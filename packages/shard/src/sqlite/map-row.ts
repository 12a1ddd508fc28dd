// The map in force, one row of the map store's file: its epoch is what is compared.

import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import type { SqliteConnection } from './sqlite-connection.ts'

/** The epoch of the map in force, undefined while there is none. */
export function mapEpoch(connection: SqliteConnection): number | undefined {
  const row = connection.get('select epoch from ashlar_map')
  return row === undefined ? undefined : Number(row[0])
}

/**
 * Replaces the map, in the transaction that is open, if it is the one expected; else false.
 *
 * @throws {ShardError} `INVALID_MAP` if its epoch is not above that.
 */
export function replaceMap(
  connection: SqliteConnection,
  { expected, next }: { readonly expected: number | undefined; readonly next: ShardMapJson },
): boolean {
  if (mapEpoch(connection) !== expected) return false
  if (expected !== undefined && next.epoch <= expected) {
    throw new ShardError(
      'INVALID_MAP',
      `the next map has epoch ${next.epoch}; it must be above ${expected}, the one in force`,
    )
  }
  connection.run(
    `insert into ashlar_map values (1, ?, ?) on conflict do update
      set epoch = excluded.epoch, json = excluded.json`,
    next.epoch,
    JSON.stringify(next),
  )
  return true
}
