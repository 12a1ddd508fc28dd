// What each command finds out, and how it reads: as a value for programs, as text for people.

import {
  type CapacityReport,
  type RouterStatus,
  type Row,
  ShardError,
  type ShardMap,
  type ShardRouter,
  type VerifyReport,
} from '../index.ts'
import { type Request, UsageError } from './arguments.ts'
import { bytesText, keyLabel, textTable } from './text-table.ts'

/** What a command found. */
export interface Answer {
  /** Whether all is as it should be. */
  readonly ok: boolean
  readonly value: unknown
  readonly text: string
}

/** The map that is in force once `init` is done. */
export function initAnswer({ map }: ShardRouter, given: ShardMap | undefined): Answer {
  const isGiven = given !== undefined && JSON.stringify(given) === JSON.stringify(map)
  const shards = map.shards.map(({ id }) => id)
  const tables = [...map.tables.keys()]
  const what = isGiven ? 'the map given is in force' : 'another map is in force, and stays'
  return {
    ok: true,
    value: { epoch: map.epoch, isGiven, shards, tables },
    text: `${what}: epoch ${map.epoch}, ${shards.length} shards, ${tables.length} tables\n`,
  }
}

/** How the fleet is doing. */
export function statusAnswer(status: RouterStatus): Answer {
  const { epoch, inForce, engine, shards, pins, movingPins, splits } = status
  const table = textTable(
    ['shard', 'weight', 'zone', 'slots', 'prepared', 'state'],
    shards.map(({ shard, weight, zone, slots, prepared, problem }) => {
      return [shard, weight, zone ?? '-', slots, prepared, problem ?? 'ok']
    }),
  )
  const moving = movingPins === 0 ? '' : ` (${movingPins} on their way: pin them again)`
  const behind = inForce === epoch ? '' : ` (in force: ${inForce ?? 'unknown'})`
  const keys = `${pins} pins${moving}, ${splits} split keys`
  const head = `epoch ${epoch}${behind} on ${engine}; ${keys}\n\n`
  const isFit = shards.every(({ problem }) => problem === undefined)
  return { ok: isFit && inForce === epoch && movingPins === 0, value: status, text: head + table }
}

/** Where a key lies. */
export function routeAnswer({ map }: ShardRouter, { key, table }: Request): Answer {
  const given = key.length === 1 ? key[0]! : key
  const { slot, shard, epoch } = map.route(given, table)
  const pin = map.pinOf(given, table)
  const parts = map.parts(given, table).map((part) => ({ slot: part.slot, shard: part.shard }))
  const lines = [`shard ${shard}, slot ${slot}, epoch ${epoch}`]
  if (pin !== undefined) lines.push(`${pin.state} to slot ${pin.slot} from slot ${pin.from}`)
  if (parts.length > 1) {
    lines.push(...parts.map((part, i) => `part ${i}: shard ${part.shard}, slot ${part.slot}`))
  }
  const value = { key: given, table, slot, shard, epoch, pin, parts }
  return { ok: true, value, text: `${lines.join('\n')}\n` }
}

/** The shard keys with most rows, table by table. */
export async function hotAnswer(router: ShardRouter, { table, top }: Request): Promise<Answer> {
  if (table !== undefined && !router.map.tables.has(table)) {
    throw new UsageError(
      `the map has no table ${table}; known: ${[...router.map.tables.keys()].join(', ')}`,
    )
  }
  const keyed = [...router.map.tables].flatMap(([name, rule]) =>
    'key' in rule && (table === undefined || table === name) ? [{ name, key: rule.key }] : [],
  )
  const tables = []
  for (const { name, key } of keyed) {
    const rows = await countByKey(router, name, key, top)
    const total = await router.scatter({ table: name, aggregates: { rows: { op: 'count' } } })
    tables.push({ table: name, columns: key, rows: Number(total.rows[0]!.rows), keys: rows })
  }
  const lines = tables.flatMap(({ table: name, rows, keys }) =>
    keys.map((one) => {
      const share = `${((100 * one.rows) / rows).toFixed(1)}%`
      return [name, keyLabel(one.key), shardOf(router, one.key, name), one.rows, share]
    }),
  )
  const text = textTable(['table', 'key', 'shard', 'rows', 'share'], lines)
  return { ok: true, value: { tables }, text }
}

/** How full the shards are. */
export function capacityAnswer(report: CapacityReport): Answer {
  const { shards, missing, imbalance } = report
  const table = textTable(
    ['shard', 'rows', 'size', 'rows a day', 'size a day', 'days left'],
    shards.map(({ shard, rows, bytes, rowsPerDay, bytesPerDay, daysLeft }) => [
      shard,
      rows,
      bytesText(bytes),
      rowsPerDay === undefined ? '-' : Math.round(rowsPerDay),
      bytesPerDay === undefined ? '-' : bytesText(Math.round(bytesPerDay)),
      daysLeft === undefined ? '-' : daysLeft === Number.POSITIVE_INFINITY ? 'no end' : daysLeft,
    ]),
  )
  const even = `fullest against the mean: ${imbalance.rows.toFixed(2)} by rows, `
  const lines = [`${even}${imbalance.bytes.toFixed(2)} by size`]
  if (missing.length > 0) lines.push(`no answer from ${missing.join(', ')}`)
  const isFull = shards.some(({ daysLeft }) => daysLeft === 0)
  return {
    ok: missing.length === 0 && !isFull,
    value: report,
    text: `${table}\n${lines.join('\n')}\n`,
  }
}

/** Whether rows and fences are as the map says. */
export function verifyAnswer(report: VerifyReport): Answer {
  const { ok, rows, misplacedCount, leftoverCount, fenceCount, references, missing } = report
  if (ok) return { ok, value: report, text: `ok: ${rows} rows lie where the map says\n` }
  const lines = [
    ...report.misplaced.map(({ shard, table, slot, primaryKey }) => {
      return `misplaced: ${table} ${rowText(primaryKey)} under slot ${slot} on ${shard}`
    }),
    ...report.leftovers.map((one) => {
      return `left over: ${one.rows} rows of ${one.table} under slot ${one.slot} on ${one.shard}`
    }),
    ...report.fences.map(({ shard, slot, problem, fence }) => {
      const says = fence === undefined ? 'none' : `${fence.state} at epoch ${fence.epoch}`
      return `fence ${problem}: slot ${slot} on ${shard} (${says})`
    }),
    ...references.map(({ table, copies }) => {
      const sizes = copies.map((copy) => `${copy.shard}: ${copy.rows} rows, ${copy.digest}`)
      return `copies differ: ${table} (${sizes.join('; ')})`
    }),
    ...missing.map((shard) => `no answer: ${shard}`),
  ]
  const head =
    `not as the map says: ${misplacedCount} rows misplaced, ${leftoverCount} left over, ` +
    `${fenceCount} fences, ${references.length} reference tables; ${rows} rows read\n\n`
  return { ok, value: report, text: `${head}${lines.join('\n')}\n` }
}

async function countByKey(
  router: ShardRouter,
  table: string,
  key: readonly string[],
  top: number,
): Promise<{ key: string[]; rows: number }[]> {
  const counted = freeName(key)
  const { rows } = await router.scatter(
    { table, groupBy: key, aggregates: { [counted]: { op: 'count' } } },
    {
      orderBy: [{ column: counted, direction: 'desc' }, ...key.map((column) => ({ column }))],
      limit: top,
    },
  )
  return rows.map((row) => ({
    key: key.map((column) => String(row[column])),
    rows: Number(row[counted]),
  }))
}

/** A row may have a key that has no place: `verify` tells more. */
function shardOf(router: ShardRouter, key: readonly string[], table: string): string {
  try {
    return router.route(key, table).shard
  } catch (error) {
    if (error instanceof ShardError) return '-'
    throw error
  }
}

function freeName(taken: readonly string[]): string {
  let name = 'rows'
  while (taken.includes(name)) name += '_'
  return name
}

function rowText(row: Row): string {
  return Object.entries(row)
    .map(([column, value]) => `${column}=${String(value)}`)
    .join(' ')
}
