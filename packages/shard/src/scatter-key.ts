// The rows of one key among those of its slots: a condition on the columns of the shard key. Those
// of a split key lie under its parts, which differ in the text of the last column.

import type { Condition, Where } from './scan-request.ts'
import { ShardError } from './shard-error.ts'
import { partKey, type ShardKey } from './shard-key.ts'
import type { ShardMap } from './shard-map.ts'
import { show } from './show.ts'

/**
 * What was asked for, and that the row has this key.
 *
 * @throws {ShardError} `INVALID_OPTION` for a table without a shard key, `INVALID_KEY` for a key
 * of another number of columns.
 */
export function keyCondition(
  map: ShardMap,
  table: string,
  key: ShardKey,
  where: Where | undefined,
): Where {
  const rule = map.tables.get(table)!
  const columns = 'key' in rule ? rule.key : []
  const values = Array.isArray(key) ? (key as readonly unknown[]) : [key]
  if (columns.length === 0) {
    throw new ShardError('INVALID_OPTION', `${table} has no shard key; use scatter to read it`)
  }
  if (columns.length !== values.length) {
    throw new ShardError(
      'INVALID_KEY',
      `the shard key of ${table} is ${columns.join(', ')}, got ${values.length} values: ` +
        values.map(show).join(', '),
    )
  }
  const parts = map.parts(key, table).length
  const last = values.length - 1
  const conditions = columns.map((column, i): Condition => {
    if (i < last || parts === 1) return { column, is: '=', value: values[i] }
    const salted = Array.from({ length: parts }, (_, part) => partKey(String(values[i]), part))
    return { column, is: 'in', value: salted }
  })
  if (where === undefined || isList(where)) return [...(where ?? []), ...conditions]
  return inSql(where.sql, where.params ?? [], conditions)
}

function isList(where: Where): where is readonly Condition[] {
  return Array.isArray(where)
}

function inSql(sql: string, given: readonly unknown[], conditions: readonly Condition[]): Where {
  const params = [...given]
  const texts = conditions.map(({ column, is, value }) => {
    const values = is === 'in' ? (value as readonly unknown[]) : [value]
    const places = values.map((one) => `$${params.push(one)}`)
    return `"${column.replaceAll('"', '""')}" in (${places.join(', ')})`
  })
  return { sql: `(${sql}) and ${texts.join(' and ')}`, params }
}
