// Waits for the writers that are at work at a moment, and for no later one: a capture that began
// while they were might have missed what they had done before.

import { BarrierTimeout } from '../shard-error.ts'
import type { Timers } from '../timers.ts'
import type { LockOwner } from './lock-table.ts'
import type { MemoryShard } from './memory-shard.ts'
import { fenceLock } from './memory-transaction.ts'

/** How long to wait. */
export interface BarrierOptions {
  readonly timers: Timers
  readonly maxMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Resolves once everybody has ended who holds a fence of these slots now.
 *
 * @throws {ShardError} `BARRIER_TIMEOUT` after `maxMs`, naming who has not.
 */
export async function passWriters(
  shard: MemoryShard,
  slots: readonly number[],
  { timers, maxMs, signal }: BarrierOptions,
): Promise<void> {
  const { locks } = shard.database
  const writers = new Set(slots.flatMap((slot) => locks.holders(fenceLock(slot))))
  const stops: (() => void)[] = []
  let crash: { readonly reason: unknown } | undefined
  try {
    await new Promise<void>((pass, fail) => {
      const check = (ended?: LockOwner) => {
        if (ended) writers.delete(ended)
        if (writers.size === 0) pass()
      }
      check()
      for (const writer of writers) {
        const onEnd = () => check(writer)
        writer.onRelease.add(onEnd)
        stops.push(() => writer.onRelease.delete(onEnd))
      }
      const late = () => {
        const blockers = shard.database.namesOf(writers)
        fail(new BarrierTimeout(shard.id, maxMs, blockers))
      }
      const timer = timers.setTimeout(late, maxMs)
      const abort = () => fail(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const ending = {
        fail: (reason: unknown) => {
          // Their end may be the crash itself: then nobody is there any more to go on.
          crash = { reason }
          fail(reason)
        },
      }
      shard.open.add(ending)
      stops.push(
        () => timers.clearTimeout(timer),
        () => signal?.removeEventListener('abort', abort),
        () => shard.open.delete(ending),
      )
    })
    if (crash !== undefined) throw crash.reason
  } finally {
    for (const stop of stops) stop()
  }
}
