// Changes by triggers: rows of captured slots that change are noted in `ashlar.dirty` within the
// transaction that changes them. What has been applied is deleted by its own id, for a transaction
// that began earlier may commit later, and no watermark over the ids would ever see it.
//
// To begin: the functions that note are put in place and the slots entered, and once that has
// committed, who held the tables to write them is waited for. Whoever locks a table after the
// commit runs the new functions; whoever had locked it before is in `pg_locks` until it ends. That
// is how CREATE INDEX CONCURRENTLY waits, and nobody is held up.

import { BarrierTimeout } from '../shard-error.ts'
import type { ChangeBatch, MoveLease } from '../slot-mover.ts'
import { sleep } from '../timers.ts'
import { captureSql, idleCaptureSql, isCapturingSql } from './capture-sql.ts'
import { dirtyKeys, type NotedKey } from './dirty-keys.ts'
import { INSTALL_LOCK, LOCK_CLASS } from './fence-sql.ts'
import type { MovedTable } from './moved-table.ts'
import type { MoverShard } from './mover-shard.ts'
import type { PostgresSession } from './postgres-session.ts'
import { unnamed } from './statement.ts'

/** What begins to be captured. */
export interface CaptureStart {
  readonly slots: readonly number[]
  readonly maxBarrierMs: number
  readonly signal?: AbortSignal | undefined
}

const PAUSE_MS = 20
const LOCK = `select pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, ${INSTALL_LOCK})`
const BEGIN_CAPTURE =
  "insert into ashlar.capturing (job, kind) values ($1, 'trigger') on conflict do nothing"
/** Gives those that were not captured before. */
const ADD_SLOTS = `with added as (
  insert into ashlar.capture select u from unnest($1::int[]) u on conflict do nothing
  returning slot)
select coalesce(json_agg(slot), '[]') as slots from added`
const REMOVE_SLOTS = 'delete from ashlar.capture where slot = any($1)'
/** Transactions that may write rows of these tables, each with what it is known by. */
const WRITERS = `
select distinct l.virtualtransaction as id, coalesce(
  'process ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
    || coalesce(', in a transaction for ' || round(extract(epoch from
      clock_timestamp() - a.xact_start)) || ' s', ''),
  'the prepared transaction ' || coalesce(p.gid, '?')) as name
from pg_catalog.pg_locks l
left join pg_catalog.pg_stat_activity a on a.pid = l.pid
left join pg_catalog.pg_prepared_xacts p on l.pid is null
  and l.virtualtransaction = '-1/' || p.transaction
where l.locktype = 'relation' and l.granted and l.relation = any($1::oid[])
  and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
    'AccessExclusiveLock')
  and l.database = (select oid from pg_catalog.pg_database
    where datname = pg_catalog.current_database())
  and l.pid is distinct from pg_catalog.pg_backend_pid()
order by 1`
const TREE = `select coalesce(json_agg(distinct oid), '[]') as oids from (
  select unnest($1::oid[])::int8 as oid union all
  select p.relid::int8 from unnest($1::oid[]) r
  cross join lateral pg_catalog.pg_partition_tree(r) p) s`
const TAKE = 'select id, ctid::text as place, name, key, slot from ashlar.dirty limit $1'
const DROP = 'delete from ashlar.dirty where ctid = any($1::tid[]) and id = any($2::int8[])'

/** Begins to capture; see the head of this file. */
export async function startTriggerCapture(
  at: MoverShard,
  lease: MoveLease,
  tables: readonly MovedTable[],
  { slots, maxBarrierMs, signal }: CaptureStart,
): Promise<void> {
  const added = await at.transact({ as: 'write', lease, signal }, async (session) => {
    session.run(unnamed(LOCK))
    for (const table of tables) session.run(unnamed(captureSql(table)))
    session.run(unnamed(isCapturingSql(true)))
    session.run(unnamed(BEGIN_CAPTURE, [lease.job]))
    const { rows } = await session.run(unnamed(ADD_SLOTS, [slots]))
    return rows[0]!.slots as number[]
  })
  // Slots that come later were never written here before: nobody is under way who missed them.
  if (slots.length === 0) return
  try {
    await waitForWriters(at, tables, maxBarrierMs, signal)
  } catch (error) {
    await at.transact({ as: 'write', lease }, (session) =>
      session.run(unnamed(REMOVE_SLOTS, [added])),
    )
    throw error
  }
}

/** Waits until transactions that hold the tables to write them now have ended. */
async function waitForWriters(
  at: MoverShard,
  tables: readonly MovedTable[],
  maxMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { timers, monotonic } = at.wait
  const start = monotonic()
  const { rows } = await at.run(unnamed(TREE, [tables.map(({ oid }) => oid)]))
  const oids = rows[0]!.oids as number[]
  let waited: ReadonlySet<unknown> | undefined
  for (;;) {
    const writers = await at.run(unnamed(WRITERS, [oids]))
    const left = writers.rows.filter(({ id }) => waited?.has(id) ?? true)
    if (left.length === 0) return
    if (monotonic() - start >= maxMs) {
      throw new BarrierTimeout(
        at.id,
        maxMs,
        left.map(({ name }) => String(name)),
      )
    }
    waited = new Set(left.map(({ id }) => id))
    await sleep(timers, PAUSE_MS, signal)
  }
}

/** Some of what was noted; without a receipt where there is nothing to forget. */
export async function triggerChanges(
  at: MoverShard,
  session: PostgresSession,
  limit: number,
): Promise<ChangeBatch> {
  const { rows } = await session.run(unnamed(TAKE, [limit]))
  const noted = rows.map(({ name, key, slot }): NotedKey => {
    return { table: String(name), key: key as string[], slot: Number(slot) }
  })
  return {
    keys: dirtyKeys(await at.tables(), noted),
    isAll: rows.length < limit,
    receipt:
      rows.length === 0
        ? undefined
        : { places: rows.map(({ place }) => place), ids: rows.map(({ id }) => id) },
  }
}

/** Forgets what a batch was made of. A place may have been taken by another row since. */
export async function dropTriggerChanges(
  session: PostgresSession,
  receipt: unknown,
): Promise<void> {
  const { places, ids } = receipt as { readonly places: unknown[]; readonly ids: unknown[] }
  await session.run(unnamed(DROP, [places, ids]))
}

/** Notes nothing any more. What writers under way still note goes with the next release. */
export function stopTriggerCapture(session: PostgresSession, tables: readonly MovedTable[]): void {
  session.run(unnamed(LOCK))
  session.run(unnamed(isCapturingSql(false)))
  for (const { capture } of tables) session.run(unnamed(idleCaptureSql(capture)))
}
