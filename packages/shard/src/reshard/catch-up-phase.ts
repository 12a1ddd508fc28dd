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

/**
 * How long changes are left to gather: to apply many at once takes little more than to apply one,
 * and those that writers made meanwhile on one row are one.
 */
const GATHER_MS = 250

/** Follows the changes until it is time, or a wish comes. */
export async function follow(work: ReshardWork, isTime: () => boolean): Promise<void> {
  while (work.mayGoOn && !isTime()) {
    await drainAll(work)
    await work.saveSometimes()
    if (work.mayGoOn && !isTime()) await work.sleep(GATHER_MS)
  }
}
