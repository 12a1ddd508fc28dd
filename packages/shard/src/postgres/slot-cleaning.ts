// What is taken away: rows of slots that moved, and everything that a job put on a shard.

import { BarrierTimeout, PlanConflict } from '../shard-error.ts'
import type { MoveLease } from '../slot-mover.ts'
import { dropSlot, PUBLICATION, SLOT_NAME } from './logical-capture.ts'
import { isTurnOver, type MoverShard } from './mover-shard.ts'
import { isNotInstalled } from './postgres-error.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { unnamed } from './statement.ts'
import { stopTriggerCapture } from './trigger-capture.ts'

const OWNED = `select slot, state from ashlar.fence
where slot = any($1) and state in ('owned', 'frozen') order by slot limit 1`
const TRACES = `
select 'the trigger log has ' || count(*) || ' rows' as trace from ashlar.dirty having count(*) > 0
union all select 'slots are captured: ' || count(*) from ashlar.capture having count(*) > 0
union all select 'changes are captured by ' || kind || ' for job ' || job from ashlar.capturing
union all select 'triggers capture changes' where ashlar.is_capturing()
union all select 'a copy of job ' || job || ' from ' || source from ashlar.copied
union all select 'replication slot ' || slot_name from pg_catalog.pg_replication_slots
  where slot_name = ${SLOT_NAME}
union all select 'publication ' || pubname from pg_catalog.pg_publication
  where pubname = '${PUBLICATION}'`

/** Deletes about so many rows of slots that the shard does not own; how many there were. */
export async function cleanSlots(
  at: MoverShard,
  lease: MoveLease,
  slots: readonly number[],
  limit: number,
): Promise<number> {
  const tables = await at.shardedTables()
  return at.transact({ as: 'write', lease, isSilent: true }, async (session) => {
    const owned = await session.run(unnamed(OWNED, [slots]))
    if (owned.rows[0] !== undefined) {
      const { slot, state } = owned.rows[0]
      throw new PlanConflict(
        `slot ${slot} is ${state} on shard ${at.id}: its rows are not cleaned away`,
        { shard: at.id, slot: Number(slot) },
      )
    }
    let deleted = 0
    for (const leaf of tables.flatMap(({ leaves }) => leaves)) {
      if (deleted >= limit) break
      const text = `delete from only ${leaf} where ctid = any(array(
        select ctid from only ${leaf} where ${SLOT_COLUMN} = any($1) limit $2))`
      deleted += (await session.run(unnamed(text, [slots, limit - deleted]))).rowCount
    }
    return deleted
  })
}

/** Takes away what the job has put on a shard, rows and fences aside. */
export async function releaseShard(at: MoverShard, lease: MoveLease): Promise<void> {
  at.forget()
  const tables = await at.shardedTables()
  await at.transact({ as: 'write', lease }, async (session) => {
    stopTriggerCapture(session, tables)
    session.run(unnamed('delete from ashlar.capturing'))
    session.run(unnamed('delete from ashlar.capture'))
    await session.run(unnamed('delete from ashlar.copied where job = $1', [lease.job]))
  })
  await emptyLog(at, lease)
  await dropSlot(at)
  await at.transact({ as: 'write', lease }, (session) =>
    session.run(unnamed(`drop publication if exists ${PUBLICATION}`)),
  )
}

/** A capture of another job that was not released is not this one's. */
export async function forgetOtherJobs(at: MoverShard, lease: MoveLease): Promise<void> {
  const { rows } = await at.run(
    unnamed('select job from ashlar.capturing where job <> $1', [lease.job]),
  )
  if (rows.length > 0) await releaseShard(at, lease)
}

/** What jobs have left on a shard, a line each. */
export async function tracesOf(at: MoverShard): Promise<readonly string[]> {
  try {
    const { rows } = await at.run(unnamed(TRACES))
    return rows.map(({ trace }) => String(trace))
  } catch (error) {
    if (isNotInstalled(error)) return []
    throw error
  }
}

/** Writers under way may still note something; nobody begins to. */
async function emptyLog(at: MoverShard, lease: MoveLease): Promise<void> {
  try {
    await at.transact({ as: 'write', lease }, async (session) => {
      session.run(unnamed(`set local lock_timeout = ${Math.round(at.wait.waitMs)}`))
      await session.run(unnamed('truncate ashlar.dirty'))
    })
  } catch (error) {
    if (!isTurnOver(error)) throw error
    throw new BarrierTimeout(at.id, at.wait.waitMs, ['who has changed rows'], error)
  }
}
