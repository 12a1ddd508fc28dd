// Makes a database a shard: the schema `ashlar` with fences, bookkeeping and functions, and on
// every sharded table the slot column with its default and index, and the guards. In two
// transactions, the user's DDL being in the first, each under a lock that two processes cannot
// hold at once; what is there already is not touched, so that a second run waits for nobody who
// uses the tables.

import type { InstallSpec, TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { CAPTURE_DDL, captureTriggerSql, idleCaptureSql } from './capture-sql.ts'
import { BEGIN_WRITING, FENCE_DDL, INSTALL_LOCK, LOCK_CLASS } from './fence-sql.ts'
import {
  GUARD_DDL,
  guardTriggerSql,
  IS_SLOT_DEFAULT,
  REFERENCE_TRIGGERS,
  SHARDED_TRIGGERS,
  SLOT_DEFAULT,
} from './guard-sql.ts'
import type { PostgresSession } from './postgres-session.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { quotedTable, quotedText } from './sql-name.ts'
import { type Statement, unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'

/** What the catalogue says of a table. */
export interface FoundTable {
  readonly oid: number
  /** `r` a table, `p` a partitioned one. */
  readonly kind: string
  readonly isTemporary: boolean
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly primaryKey: readonly string[] | null
  readonly triggers: readonly string[] | null
  readonly hasIndex: boolean
  /** Whether its slot column, and those of its partitions, are NOT NULL and have our default. */
  readonly isFilled: boolean
  /** It and, where it is partitioned, its partitions, for SQL. */
  readonly parts: readonly string[]
}

const FIND = `
select json_build_object(
  'oid', c.oid::int8, 'kind', c.relkind, 'isTemporary', c.relpersistence = 't',
  'columns', (
    select coalesce(json_agg(
      json_build_object('name', a.attname, 'type', a.atttypid::regtype)), '[]')
    from pg_catalog.pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'primaryKey', (
    select json_agg(a.attname order by k.place)
    from pg_catalog.pg_index i
    cross join lateral unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = c.oid and i.indisprimary),
  'triggers', (select json_agg(t.tgname) from pg_catalog.pg_trigger t where t.tgrelid = c.oid),
  'hasIndex', exists(
    select from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = c.oid and i.indisvalid and a.attname = '${SLOT_COLUMN}'),
  'isFilled', not exists(
    select from (
      select c.oid union select p.relid::oid from pg_catalog.pg_partition_tree(c.oid) p) p
    left join pg_catalog.pg_attribute a on a.attrelid = p.oid and a.attname = '${SLOT_COLUMN}'
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where (
      a.attnotnull and pg_catalog.pg_get_expr(d.adbin, d.adrelid) ${IS_SLOT_DEFAULT}) is not true),
  'parts', case when c.relkind = 'p' then (
      select json_agg(p.relid::regclass::text) from pg_catalog.pg_partition_tree(c.oid) p)
    else json_build_array(c.oid::regclass::text) end) as found
from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass($1)`

const MAX_IDLE_MS = 10_000
const LOCK = `select pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, ${INSTALL_LOCK})`
const NAME_SHARD =
  'insert into ashlar.shard (id) select $1 where not exists (select from ashlar.shard)'

const NUMBER = 'select no from ashlar.installed where name = $1'

/** Installs on the shard at the other end of a session. */
export async function install(
  session: PostgresSession,
  shard: string,
  { ddl, tables }: InstallSpec,
): Promise<void> {
  await installBookkeeping(session, shard, ddl)
  await transact(session, async () => {
    const found: [TableSpec, FoundTable][] = []
    for (const spec of tables) {
      const table = await findTable(session, shard, spec)
      if (spec.kind === 'sharded' && !hasSlot(table) && (await holdsRows(session, spec))) {
        throw invalid(shard, spec, 'holds rows that have no slot: adopt it, or load them anew')
      }
      found.push([spec, table])
    }
    for (const [spec, table] of found) await guard(session, spec, table)
  })
}

/** The schema `ashlar`, and the user's DDL. */
export async function installBookkeeping(
  session: PostgresSession,
  shard: string,
  ddl: readonly string[],
): Promise<void> {
  await transact(session, async () => {
    runScript(session, 'create schema if not exists ashlar')
    runScript(session, `${FENCE_DDL}${GUARD_DDL}${CAPTURE_DDL}`)
    await session.run(unnamed(NAME_SHARD, [shard]))
    for (const text of ddl) await runOnce(session, text)
  })
}

async function transact(session: PostgresSession, work: () => Promise<void>): Promise<void> {
  // In one go with what follows: where they are refused, so is that.
  session.run(unnamed(BEGIN_WRITING), { role: 'begin' })
  // A process that was stopped in the middle must not hold the lock for ever.
  session.run(unnamed(`set local idle_in_transaction_session_timeout = ${MAX_IDLE_MS}`))
  session.run(unnamed(LOCK))
  await work()
  await session.run(unnamed('commit'), { role: 'end' })
}

/** DDL that ran on this shard before does not run again. */
async function runOnce(session: PostgresSession, text: string): Promise<void> {
  const remember = 'insert into ashlar.ddl select pg_catalog.md5($1), now() on conflict do nothing'
  const { rowCount } = await session.run(unnamed(remember, [text]))
  if (rowCount > 0) await runScript(session, text)
}

/** Several statements in one text: only PL/pgSQL takes them where parameters could be given. */
function runScript(session: PostgresSession, text: string): Promise<StatementResult> {
  return session.run(unnamed(`do ${quotedText(`begin execute ${quotedText(text)}; end`)}`))
}

/**
 * A table as it is, where it can be installed but for rows that have no slot.
 *
 * @throws {ShardError} `INVALID_TABLE`
 */
export async function findTable(
  session: PostgresSession,
  shard: string,
  spec: TableSpec,
): Promise<FoundTable> {
  const { rows } = await session.run(unnamed(FIND, [quotedTable(spec.name)]))
  const found = rows[0]?.found as FoundTable | undefined
  const problem = found === undefined ? 'is not there' : problemOf(spec, found)
  if (problem !== undefined) throw invalid(shard, spec, problem)
  return found!
}

function problemOf(spec: TableSpec, found: FoundTable): string | undefined {
  const { kind, columns, primaryKey, isTemporary } = found
  if (kind !== 'r' && kind !== 'p') return 'is no table but a view or the like'
  if (isTemporary) return 'is temporary'
  if (primaryKey === null) return 'has no primary key; add one'
  const key = spec.key.find((column) => !columns.some(({ name }) => name === column))
  if (key !== undefined) return `has no column ${key}, which its rule names as shard key`
  const given = spec.primaryKey ?? primaryKey
  if (given.length !== primaryKey.length || !given.every((one) => primaryKey.includes(one))) {
    return `has the primary key (${primaryKey.join(', ')}), not (${given.join(', ')})`
  }
  const slot = columns.find(({ name }) => name === SLOT_COLUMN)
  if (slot === undefined) return undefined
  if (spec.kind === 'reference') return `has a column ${SLOT_COLUMN}: it was a sharded table before`
  return slot.type === 'integer' ? undefined : `has a column ${SLOT_COLUMN} that is ${slot.type}`
}

function hasSlot({ columns }: FoundTable): boolean {
  return columns.some(({ name }) => name === SLOT_COLUMN)
}

async function holdsRows(session: PostgresSession, { name }: TableSpec): Promise<boolean> {
  const { rows } = await session.run(unnamed(`select from ${quotedTable(name)} limit 1`))
  return rows.length > 0
}

/** Gives a table what it lacks: slot, index, guards, capture; within a transaction. */
export async function guard(
  session: PostgresSession,
  spec: TableSpec,
  found: FoundTable,
): Promise<void> {
  const table = quotedTable(spec.name)
  const isSharded = spec.kind === 'sharded'
  const has = (trigger: string) => found.triggers?.includes(trigger)
  const statements: string[] = []
  if (isSharded && !hasSlot(found)) {
    statements.push(`alter table ${table} add column ${SLOT_COLUMN} int`)
  }
  if (isSharded && !found.isFilled) {
    const column = `alter column ${SLOT_COLUMN} set`
    statements.push(`alter table ${table} ${column} default ${SLOT_DEFAULT}, ${column} not null`)
  }
  if (isSharded && !found.hasIndex) statements.push(`create index on ${table} (${SLOT_COLUMN})`)
  for (const trigger of isSharded ? SHARDED_TRIGGERS : REFERENCE_TRIGGERS) {
    if (!has(trigger.name)) statements.push(guardTriggerSql(table, trigger))
  }
  if (isSharded && !has('ashlar_truncate')) {
    for (const part of found.parts) {
      statements.push(
        `create or replace trigger ashlar_truncate before truncate on ${part} ` +
          'for each statement execute function ashlar.guard_truncate()',
      )
    }
  }
  session.run(rememberTable(spec))
  if (isSharded && !has('ashlar_capture')) {
    const { rows } = await session.run(unnamed(NUMBER, [spec.name]))
    const capture = `capture_${rows[0]!.no}`
    statements.push(idleCaptureSql(capture), captureTriggerSql(table, capture))
  }
  for (const statement of statements) session.run(unnamed(statement))
  await session.run(unnamed(NUMBER, [spec.name]))
}

function rememberTable({ name, kind }: TableSpec): Statement {
  return unnamed(
    `insert into ashlar.installed (name, kind) values ($1, $2)
on conflict (name) do update set kind = excluded.kind
where ashlar.installed.kind <> excluded.kind`,
    [name, kind],
  )
}

function invalid(shard: string, { name }: TableSpec, problem: string): ShardError {
  return new ShardError('INVALID_TABLE', `table ${name} of shard ${shard} ${problem}`, { shard })
}
