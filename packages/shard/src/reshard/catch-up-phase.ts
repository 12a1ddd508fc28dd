// catching-up → verifying: applies changes until the logs of all shards are short, and from then on
// keeps them so wherever a phase waits.

import { drainAll } from './change-drain.ts'
import type { ReshardWork } from './reshard-work.ts'

/** Applies changes until none were left when all shards had been asked. */
export async function catchUp(work: ReshardWork): Promise<void> {
  while (work.mayGoOn) {
    const { isAll } = await drainAll(work)
    if (isAll) {
      await work.save({ state: 'verifying' })
      return
    }
    await work.saveSometimes()
  }
}

const SHORTEST_WAIT_MS = 20
const LONGEST_WAIT_MS = 250

/** Follows the changes until it is time, or a wish comes; the emptier the logs the calmer. */
export async function follow(work: ReshardWork, isTime: () => boolean): Promise<void> {
  for (let waitMs = SHORTEST_WAIT_MS; work.mayGoOn && !isTime(); ) {
    const { keys } = await drainAll(work)
    waitMs = keys > 0 ? SHORTEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, waitMs * 2)
    await work.saveSometimes()
    if (work.mayGoOn && !isTime()) await work.sleep(waitMs)
  }
}
