// How long a batch of slots is frozen while it is cut over, idle and under eight writers; and what
// the writers keep once all is cut over and the job follows, to be reversed if need be. A job goes
// forth and back, in 36 batches of the usual size: of so few its 99th percentile is the longest.

import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlTx } from '@ashlar/shard'
import type { Reshard } from '@ashlar/shard/reshard'
import type { Bench } from './harness.ts'
import { type Capture, type MoveFleet, withMoveFleet } from './shard-move-fleet.ts'
import { Writers } from './shard-writers.ts'

const OURS = '@ashlar/shard'
const LOGICAL = `${OURS}, by logical decoding`
const ALONE = 'no job'
/** On each of two shards. */
const ROWS = 20_000
const ROUNDS = 3
const WINDOW_MS = 1_000
/** After which a job that follows is as it will stay. */
const SETTLED_MS = 300

const idleRow = {
  id: 'freeze-idle',
  title: 'how long 256 slots are frozen, the longest of the batches of a job',
  unit: 'ms',
  goal: { atMost: 100 },
}

const loadedRow = {
  id: 'freeze-loaded',
  title: 'how long 256 slots are frozen, the longest of the batches of a job, under eight writers',
  unit: 'ms',
  goal: { atMost: 250 },
}

const steadyRow = {
  id: 'writers-steady',
  title: 'writes of eight writers while a job that is cut over keeps the way back',
  unit: 'writes/s',
  lowerIsBetter: false,
  goal: { against: ALONE, atLeast: 0.9 },
}

/** The rows of this file. */
export const freezeRows = [idleRow, loadedRow, steadyRow]

/** Measures those that were asked for. */
export async function measureFreezes(bench: Bench): Promise<void> {
  await withMoveFleet(ROWS, async (fleet) => {
    if (bench.wants(idleRow.id)) {
      const rounds: number[] = []
      for (let round = 0; round < ROUNDS; round++) rounds.push(await freezeMs(fleet, 'trigger'))
      bench.count({ ...idleRow, results: { [OURS]: rounds } })
    }
    if (!bench.wants(loadedRow.id) && !bench.wants(steadyRow.id)) return
    const { freezes, writing } = await loaded(fleet)
    bench.count({ ...loadedRow, results: freezes })
    bench.count({ ...steadyRow, results: writing })
  })
}

/** Both rows under writers are of the same jobs. */
async function loaded(
  fleet: MoveFleet,
): Promise<Record<'freezes' | 'writing', Record<string, number[]>>> {
  const freezes: Record<string, number[]> = { [OURS]: [], [LOGICAL]: [] }
  const writing: Record<string, number[]> = { [OURS]: [], [LOGICAL]: [], [ALONE]: [] }
  await using writers = new Writers(fleet.router, fleet.ids)
  await sleep(WINDOW_MS)
  const side = (name: string, capture: Capture) => async () => {
    const p99 = await freezeMs(fleet, capture, async () => {
      await sleep(SETTLED_MS)
      writing[name]!.push(await writers.rateDuring(() => sleep(WINDOW_MS)))
    })
    freezes[name]!.push(p99)
  }
  const alone = async () => {
    writing[ALONE]!.push(await writers.rateDuring(() => sleep(WINDOW_MS)))
  }
  const sides = [side(OURS, 'trigger'), alone, side(LOGICAL, 'logical')]
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < sides.length; k++) await sides[(k + round) % sides.length]!()
  }
  return { freezes, writing }
}

/** Cuts all over and back again; `following` is while a worker keeps the way back. */
async function freezeMs(
  fleet: MoveFleet,
  capture: Capture,
  following: () => Promise<void> = async () => {},
): Promise<number> {
  const job = await fleet.job(capture)
  await job.cutover()
  await job.run({ until: 'reversible' })
  await whileWorking(job, following)
  await job.reverse()
  await job.run({ until: 'ready' })
  const { freezeMs: found } = await job.status()
  await fleet.undo(job)
  return found.p99
}

async function whileWorking(job: Reshard<SqlTx>, act: () => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const working = job.run({ signal: stop.signal })
  const stopped = working.catch((error: unknown) => {
    if (error !== stop.signal.reason) throw error
  })
  await act()
  stop.abort()
  await stopped
}
