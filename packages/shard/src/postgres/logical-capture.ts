// Changes by logical decoding: a publication of keys and slots, and a replication slot of the
// plugin `pgoutput` that is read by SQL. Nothing is added to what writers do. The slot keeps the
// log that it has not acknowledged, so changes must be read and acknowledged on every shard that
// captures, also where none is of interest; with max_slot_wal_keep_size the server gives it up
// rather than fill its disk.
//
// To begin waits for the transactions under way: what they wrote is before the slot, and there for
// every later snapshot. What movers write carries a message that says so.

import type { Row } from '../engine.ts'
import { BarrierTimeout, PlanConflict, ShardError } from '../shard-error.ts'
import type { ChangeBatch, MoveLease } from '../slot-mover.ts'
import { sleep } from '../timers.ts'
import { MOVER_SLOT, SLOT_CHANGED } from './capture-sql.ts'
import { dirtyKeys } from './dirty-keys.ts'
import type { MovedTable } from './moved-table.ts'
import { isTurnOver, type MoverShard } from './mover-shard.ts'
import { PgOutputReader, publishedColumns } from './pgoutput.ts'
import { sqlStateOf } from './postgres-error.ts'
import { quotedColumn } from './sql-name.ts'
import { unnamed } from './statement.ts'
import type { CaptureStart } from './trigger-capture.ts'

export const PUBLICATION = 'ashlar_move'
/** Replication slots are the whole server's, and so are their names. */
export const SLOT_NAME = `(select 'ashlar_move_' || oid from pg_catalog.pg_database
  where datname = pg_catalog.current_database())`

const OUR_SLOT = `select slot_name, active, wal_status, confirmed_flush_lsn
from pg_catalog.pg_replication_slots where slot_name = ${SLOT_NAME}`
const BEGIN_CAPTURE =
  "insert into ashlar.capturing (job, kind) values ($1, 'logical') on conflict do nothing"
const ADD_SLOTS = `with added as (
  insert into ashlar.capture select u from unnest($1::int[]) u on conflict do nothing
  returning slot)
select coalesce(json_agg(slot), '[]') as slots from added`
const REMOVE_SLOTS = 'delete from ashlar.capture where slot = any($1)'
const CREATE_SLOT = `select pg_catalog.pg_create_logical_replication_slot(${SLOT_NAME}, 'pgoutput')`
/** Who has written something, in whichever database: the slot waits for them all. */
const WRITERS = `
select 'process ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '')
  || ', in a transaction for ' || round(extract(epoch from clock_timestamp() - xact_start))
  || ' s' as name
from pg_catalog.pg_stat_activity
where backend_xid is not null and pid <> pg_catalog.pg_backend_pid()
union all select 'the prepared transaction ' || gid from pg_catalog.pg_prepared_xacts`

/**
 * Where the log is, whether all of it is on the disk, up to where decoding goes, and which slots
 * are captured. A commit that can be seen is before the place where the log is written next.
 */
const LOOK = `select pg_catalog.pg_current_wal_insert_lsn()::text as seen,
  pg_catalog.pg_current_wal_flush_lsn() >= pg_catalog.pg_current_wal_insert_lsn() as is_flushed,
  (select coalesce(string_agg(slot::text, ','), '') from ashlar.capture) as slots`
const FLUSH = [
  'begin',
  "set local synchronous_commit = 'local'",
  `select pg_catalog.pg_logical_emit_message(true, 'ashlar', 'flush')`,
  'commit',
].map((text) => unnamed(text))
/** M flags lsn │ ashlar 0 │ length │ content: said by mover-shard.ts and by guards. */
const IS_SAID = (content: string): string =>
  `get_byte(data, 0) = 77 and substring(data from 11)
    = 'ashlar'::bytea || '\\x00000000${content.length.toString(16).padStart(2, '0')}'::bytea
      || '${content}'::bytea`
const PEEK = `with change as materialized (
  select xid::text as xid, data from pg_catalog.pg_logical_slot_peek_binary_changes(
    ${SLOT_NAME}, $1::pg_lsn, $2::int, 'proto_version', '1',
    'publication_names', '${PUBLICATION}', 'messages', 'true'))
select data, (select count(*) from change) as total from change
where get_byte(data, 0) in (67, 82) or ${IS_SAID(SLOT_CHANGED)}
  or (get_byte(data, 0) in (68, 73, 84, 85)
  and xid not in (select xid from change where ${IS_SAID(MOVER_SLOT)}))`
const ADVANCE = `select pg_catalog.pg_replication_slot_advance(slot_name, $1::pg_lsn)
from pg_catalog.pg_replication_slots
where slot_name = ${SLOT_NAME} and confirmed_flush_lsn < $1::pg_lsn`
const DROP_SLOT = `select pg_catalog.pg_drop_replication_slot(slot_name)
from pg_catalog.pg_replication_slots where slot_name = ${SLOT_NAME}`

/** The slot is in use by a session that is about to end. */
const IS_BUSY = '55006'
/** It kept more of the log than the server may, which has thrown it away. */
const IS_GIVEN_UP = '55000'
const BUSY_PAUSE_MS = 20
const BUSY_ATTEMPTS = 250

/** Begins to capture; see the head of this file. */
export async function startLogicalCapture(
  at: MoverShard,
  lease: MoveLease,
  tables: readonly MovedTable[],
  { slots, maxBarrierMs, signal }: CaptureStart,
): Promise<void> {
  await checkSettings(at)
  const begun = await at.run(unnamed('select from ashlar.capturing where job = $1', [lease.job]))
  // One that another database of this name has left, say: it has seen nothing of this job.
  if (begun.rows.length === 0) await dropSlot(at)
  const added = await at.transact({ as: 'write', lease, signal }, async (session) => {
    const { rows } = await session.run(
      unnamed('select from pg_catalog.pg_publication where pubname = $1', [PUBLICATION]),
    )
    session.run(unnamed(publicationSql(tables, rows.length > 0)))
    const result = await session.run(unnamed(ADD_SLOTS, [slots]))
    return result.rows[0]!.slots as number[]
  })
  try {
    await createSlot(at, lease, maxBarrierMs, signal)
    await at.transact({ as: 'write', lease }, (session) =>
      session.run(unnamed(BEGIN_CAPTURE, [lease.job])),
    )
  } catch (error) {
    const writers = isTurnOver(error) ? (await at.run(unnamed(WRITERS))).rows : undefined
    await at.transact({ as: 'write', lease }, (session) =>
      session.run(unnamed(REMOVE_SLOTS, [added])),
    )
    if (writers === undefined) throw error
    const names = writers.map(({ name }) => String(name))
    throw new BarrierTimeout(at.id, maxBarrierMs, names, error)
  }
}

/** Why a shard could not be captured so, or undefined. */
export async function logicalProblem(at: MoverShard): Promise<string | undefined> {
  const { rows } = await at.run(
    unnamed(`select current_setting('wal_level') as level,
      (select rolsuper or rolreplication from pg_catalog.pg_roles where rolname = current_user)
        as may_replicate,
      (select count(*) from pg_catalog.pg_replication_slots)
        < current_setting('max_replication_slots')::int
        or exists (${OUR_SLOT}) as has_room`),
  )
  const { level, may_replicate, has_room } = rows[0]!
  if (level !== 'logical') {
    return (
      `shard ${at.id} has wal_level = ${level}, so its changes cannot be decoded: set ` +
      "wal_level = logical in postgresql.conf and restart it, or capture by 'trigger'"
    )
  }
  if (!may_replicate) {
    return (
      `the role of shard ${at.id} may not read the log: ALTER ROLE … REPLICATION, or capture ` +
      "by 'trigger'"
    )
  }
  if (has_room) return undefined
  return (
    `shard ${at.id} has no replication slot free: raise max_replication_slots, drop one that is ` +
    "not used, or capture by 'trigger'"
  )
}

async function checkSettings(at: MoverShard): Promise<void> {
  const problem = await logicalProblem(at)
  if (problem !== undefined) throw new ShardError('UNSUPPORTED', problem, { shard: at.id })
}

function publicationSql(tables: readonly MovedTable[], isThere: boolean): string {
  const list = tables
    .map((table) => `${table.table} (${publishedColumns(table).map(quotedColumn).join(', ')})`)
    .join(', ')
  return isThere
    ? `alter publication ${PUBLICATION} set table ${list}`
    : `create publication ${PUBLICATION} for table ${list} with (publish_via_partition_root)`
}

async function createSlot(
  at: MoverShard,
  lease: MoveLease,
  maxMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { rows } = await at.run(unnamed(OUR_SLOT))
  if (rows.length > 0 && rows[0]!.wal_status !== 'lost') return
  await dropSlot(at)
  // In a transaction that has written nothing, as the server demands.
  await at.transact({ as: 'snapshot', lease, signal }, async (session) => {
    session.run(unnamed(`set local statement_timeout = ${Math.max(1, Math.round(maxMs))}`))
    await session.run(unnamed(CREATE_SLOT))
  })
}

/** Some of what has changed. */
export async function logicalChanges(
  at: MoverShard,
  lease: MoveLease,
  limit: number,
): Promise<ChangeBatch> {
  for (;;) {
    const { rows } = await at.run(unnamed(LOOK))
    const { seen, is_flushed, slots } = rows[0]!
    if (!is_flushed) await at.run(...FLUSH)
    const { rows: changes } = await whenFree(at, () =>
      at.transact({ as: 'snapshot', lease }, (session) =>
        session.run(unnamed(PEEK, [seen, limit])),
      ),
    )
    const isAll = Number(changes[0]?.total ?? 0) < limit
    const reader = read(await at.tables(), changes)
    const captured = new Set(String(slots).split(',').map(Number))
    const noted = reader.keys.filter(({ slot }) => slot === undefined || captured.has(slot))
    const end = isAll ? String(seen) : lsnText(reader.end!)
    const batch = { keys: dirtyKeys(await at.tables(), noted), isAll, receipt: end }
    if (noted.length === 0) await acknowledgeLogical(at, lease, end)
    if (isAll || noted.length > 0) return batch
  }
}

/** Lets the server forget what was read up to a place in its log. */
export async function acknowledgeLogical(
  at: MoverShard,
  lease: MoveLease,
  receipt: unknown,
): Promise<void> {
  await whenFree(at, () =>
    at.transact({ as: 'snapshot', lease }, (session) => session.run(unnamed(ADVANCE, [receipt]))),
  )
}

/** Drops the replication slot, if there is one. */
export async function dropSlot(at: MoverShard): Promise<void> {
  await whenFree(at, () => at.run(unnamed(DROP_SLOT)))
}

function read(tables: readonly MovedTable[], changes: readonly Row[]): PgOutputReader {
  const reader = new PgOutputReader(tables)
  for (const { data } of changes) reader.read(data as Uint8Array)
  return reader
}

/** A place in the log as PostgreSQL writes it. */
function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`
}

async function whenFree<T>(at: MoverShard, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (sqlStateOf(error) === IS_GIVEN_UP) throw givenUp(at.id, error)
      if (sqlStateOf(error) !== IS_BUSY || attempt === BUSY_ATTEMPTS) throw error
    }
    await sleep(at.wait.timers, BUSY_PAUSE_MS)
  }
}

function givenUp(shard: string, cause: unknown): PlanConflict {
  return new PlanConflict(
    `shard ${shard} no longer has the log since the last change that was read ` +
      `(${(cause as Error).message}): abort the job, raise max_slot_wal_keep_size, and begin ` +
      'another',
    { shard, cause },
  )
}
