// Keys that changed, as their log has them: the texts of a primary key's columns, in order. As
// values they go out with integers and bytes decoded, and everything else as the text that
// PostgreSQL reads back as exactly the same: a Date would lose microseconds.

import type { Row } from '../engine.ts'
import type { DirtyKey } from '../slot-mover.ts'
import type { KeyColumn, MovedTable } from './moved-table.ts'
import { decoderOf, encodeValue } from './postgres-values.ts'

/** A key as it was noted. */
export interface NotedKey {
  readonly table: string
  readonly key: readonly string[]
  readonly slot: number | undefined
}

/** bytea, int8, int2, int4. */
const EXACT: ReadonlySet<number> = new Set([17, 20, 21, 23])

/** Each key once; without a slot where it was noted under several. O(keys). */
export function dirtyKeys(
  tables: readonly MovedTable[],
  noted: readonly NotedKey[],
): readonly DirtyKey[] {
  const known = new Map(tables.map((table) => [table.name, table]))
  const keys = new Map<string, DirtyKey>()
  for (const { table, key, slot } of noted) {
    const layout = known.get(table)
    if (layout === undefined) continue
    const id = JSON.stringify([table, key])
    const before = keys.get(id)
    if (before === undefined) {
      keys.set(id, { table, primaryKey: rowOf(layout.primaryKey, key), slot })
    } else if (before.slot !== slot) {
      keys.set(id, { ...before, slot: undefined })
    }
  }
  return [...keys.values()]
}

/** The texts of keys, by table. O(keys). */
export function keyTextsOf(
  tables: readonly MovedTable[],
  keys: readonly DirtyKey[],
): ReadonlyMap<string, readonly (readonly string[])[]> {
  const layouts = new Map(tables.map((table) => [table.name, table]))
  const texts = new Map<string, string[][]>()
  for (const { table, primaryKey } of keys) {
    const layout = layouts.get(table)
    if (layout === undefined) continue
    const own = texts.get(table) ?? []
    own.push(layout.primaryKey.map(({ name }) => encodeValue(primaryKey[name]) ?? ''))
    texts.set(table, own)
  }
  return texts
}

function rowOf(columns: readonly KeyColumn[], key: readonly string[]): Row {
  return Object.fromEntries(
    columns.map(({ name, oid }, i) => {
      const text = key[i]!
      return [name, EXACT.has(oid) ? decoderOf(oid, {})(text) : text]
    }),
  )
}
