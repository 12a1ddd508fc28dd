// Fences as a job changes them: frozen in one turn that is bounded, and changed together with what
// is captured from then on.

import type { Fence } from '../engine.ts'
import { FreezeTimeout, PlanConflict } from '../shard-error.ts'
import type { MoveLease } from '../slot-mover.ts'
import { changeFences } from './fence-change.ts'
import { fenceColumns, LOCK_SLOTS, WRITE_FENCES } from './fence-sql.ts'
import { isTurnOver, type MoverShard } from './mover-shard.ts'
import type { PostgresSession } from './postgres-session.ts'
import { type Statement, unnamed } from './statement.ts'

/** What begins and ceases to be captured with a change of fences. */
export interface CaptureChange {
  readonly begin?: readonly number[] | undefined
  readonly end?: readonly number[] | undefined
}

const STRANGE = `select u.slot, f.state, f.epoch
from unnest($1::int[], $2::int8[]) u(slot, epoch) left join ashlar.fence f on f.slot = u.slot
where f.state is null or f.state not in ('owned', 'frozen') or f.epoch > u.epoch
order by 1 limit 1`

/**
 * Freezes slots that the shard owns. One turn: writers that come meanwhile wait for it as well.
 *
 * @throws {ShardError} `FREEZE_TIMEOUT`, `PLAN_CONFLICT` where one is not owned at that epoch.
 */
export async function freezeSlots(
  at: MoverShard,
  lease: MoveLease,
  fences: readonly Fence[],
  { maxMs, signal }: { readonly maxMs: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  if (fences.length === 0) return
  const [slots, states, epochs] = fenceColumns(fences)
  const limit = Math.max(1, Math.round(maxMs))
  try {
    await at.transact({ as: 'write', lease, signal }, async (session) => {
      session.run(unnamed(`set local statement_timeout = ${limit}`))
      session.run(unnamed(LOCK_SLOTS, [slots]))
      session.run(unnamed('set local statement_timeout = 0'))
      await checkOwned(session, at.id, slots, epochs)
      session.run(unnamed(WRITE_FENCES, [slots, states, epochs]))
    })
  } catch (error) {
    if (isTurnOver(error)) throw new FreezeTimeout(at.id, limit, { cause: error })
    throw error
  }
}

/** Writes fences, and what is captured from then on, in one transaction. */
export async function changeMovedFences(
  at: MoverShard,
  lease: MoveLease,
  fences: readonly Fence[],
  { begin = [], end = [] }: CaptureChange,
): Promise<void> {
  const before = [unnamed('select ashlar.hold_lease($1, $2, true)', [lease.job, lease.token])]
  const after: Statement[] = []
  if (begin.length > 0) {
    after.push(
      unnamed('insert into ashlar.capture select unnest($1::int[]) on conflict do nothing', [
        begin,
      ]),
    )
  }
  if (end.length > 0) {
    after.push(unnamed('delete from ashlar.capture where slot = any($1)', [end]))
  }
  await changeFences(() => at.connect(), fences, at.wait, at.id, { before, after })
}

async function checkOwned(
  session: PostgresSession,
  shard: string,
  slots: readonly number[],
  epochs: readonly number[],
): Promise<void> {
  const { rows } = await session.run(unnamed(STRANGE, [slots, epochs]))
  if (rows[0] === undefined) return
  const { slot, state, epoch } = rows[0]
  throw new PlanConflict(
    `slot ${slot} of shard ${shard} cannot be frozen: it is ${state ?? 'not there'}` +
      `${state === null ? '' : ` since epoch ${epoch}`}; load the map again`,
    { shard, slot: Number(slot) },
  )
}
