// While a job moves a slot, the shard that does not own it holds a copy of its rows and names, a
// little behind. Who looks past fences, as a saga does that searches for a name, must not take the
// copy for the thing itself.

import type { JobLog } from './job-log.ts'
import { ShardFrozen } from './shard-error.ts'
import type { Route } from './shard-map.ts'

/** What is read of a job's body: its slots are runs, see reshard/slot-runs.ts. */
interface CopiedSlots {
  readonly pairs?: readonly {
    readonly from: string
    readonly to: string
    readonly slots: readonly (readonly [first: number, count: number])[]
  }[]
}

/**
 * @throws {ShardFrozen} if a job has the slot copied on this shard, or may have: what was found
 * there is as it should be in a moment, or gone when the job has ended.
 */
export async function refuseCopy(
  jobs: JobLog,
  shard: string,
  { slot, shard: owner, epoch }: Route,
): Promise<void> {
  const job = await jobs.current()
  if (job?.kind !== 'reshard') return
  const { pairs = [] } = JSON.parse(job.body) as CopiedSlots
  const isCopied = pairs.some(({ from, to, slots }) => {
    const isPair = (from === shard && to === owner) || (from === owner && to === shard)
    return isPair && slots.some(([first, count]) => slot >= first && slot < first + count)
  })
  if (isCopied) throw new ShardFrozen(shard, slot, epoch)
}
