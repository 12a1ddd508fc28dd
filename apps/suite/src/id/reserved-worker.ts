// Generators with a fixed worker each and no lease: what keeps a restart from repeating ticks is
// a high-water mark on disk, saved before ids above the old one are made.

import { checkUnique } from '@ashlar/history'
import { layouts, Snowflake } from '@ashlar/id'
import type { Env, Scenario } from '@ashlar/sim'
import { DurableLog } from '../zoo/durable-log.ts'

/** What is broken in a variant. */
export type ReservedBug =
  | 'keeps its guard in memory'
  | 'saves without fsync'
  | 'saves after it has made them'

const LAYOUT = { ...layouts.twitter, datacenterBits: 0, workerBits: 2, sequenceBits: 3 }
const RESERVE_MS = 200

/** The world of fixed workers, right or with one bug. */
export function reservedWorker(bug?: ReservedBug): (s: Scenario) => void {
  return (s) => {
    const made = { ids: 0 }
    for (const [workerId, id] of ['m1', 'm2'].entries()) {
      s.node(id, (env) => work(env, workerId, bug, made))
    }
    s.client('patience', (env) => env.sleep(s.horizonMs))
    s.sometimes('many ids were made', () => made.ids > 200)
    s.judge('each id once', (history) => {
      const { ok, violations } = checkUnique(history, { f: 'make' })
      return ok === true || violations[0]!.message
    })
  }
}

async function work(
  env: Env,
  workerId: number,
  bug: ReservedBug | undefined,
  made: { ids: number },
): Promise<void> {
  const { now, sleep, random } = env
  const { log, records } = await DurableLog.open<number>(env, 'floor')
  const floorTick = bug === 'keeps its guard in memory' ? 0 : Math.max(0, ...records)
  const ids = new Snowflake({ workerId, layout: LAYOUT, now, floorTick, maxHoldMs: 10_000_000 })
  const save = (tick: number) =>
    bug === 'saves without fsync' ? log.write(tick) : log.append(tick)
  const isReserving = bug === undefined || bug === 'saves without fsync'
  for (;;) {
    try {
      if (isReserving) await ids.reserve(RESERVE_MS, save)
      for (let i = 0; i < 12; i++) {
        const operation = env.invoke('make')
        operation.ok(ids.nextString())
        made.ids++
      }
      // The twin saves where it stands, which is too late for what it has just made.
      if (bug === 'saves after it has made them') void log.append(ids.state().lastTick)
    } catch {
      // The clock is too far ahead of what is reserved, or too far behind.
    }
    await sleep(random() * 25)
  }
}
