// Moving a third of two PostgreSQL shards to a third one: the copying of a job beside a plain
// binary COPY of the same rows, idle and under eight writers; what the writers keep meanwhile; what
// the comparison after it costs; and how long a job stands still whose worker has gone.
//
// A job's copying is all that it does from `prepared` to `catching-up`: the lease taken, slots
// counted, units copied in fenced transactions, changes applied.

import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlTx } from '@ashlar/shard'
import { PostgresEngine } from '@ashlar/shard/postgres'
import { Reshard } from '@ashlar/shard/reshard'
import type { Bench } from './harness.ts'
import { type Capture, type MoveFleet, withMoveFleet } from './shard-move-fleet.ts'
import { PlainCopy } from './shard-plain-copy.ts'
import { Writers } from './shard-writers.ts'

const OURS = '@ashlar/shard'
const LOGICAL = `${OURS}, by logical decoding`
const PLAIN = 'plain COPY'
const ALONE = 'no job'
const BY: readonly (readonly [name: string, capture: Capture])[] = [
  [OURS, 'trigger'],
  [LOGICAL, 'logical'],
]
/** On each of two shards: 300,000 move. */
const ROWS = 450_000
const ROUNDS = 5
/** Of what takes jobs under writers, or workers that stop. */
const LONG_ROUNDS = 3
const WINDOW_MS = 1_000
const TAKEOVER_UNIT_ROWS = 10_000

const idleRow = {
  id: 'move-postgres-idle',
  title: 'a row copied from two servers to a third',
  unit: 'us/row',
  goal: { against: PLAIN, atLeast: 0.9 },
}

const loadedRow = {
  id: 'move-postgres-loaded',
  title: 'a row copied from two servers to a third, under eight writers',
  unit: 'us/row',
  goal: { against: PLAIN, atLeast: 0.8 },
}

const writersRow = {
  id: 'writers-copying',
  title: 'writes of eight writers while a job copies at full speed',
  unit: 'writes/s',
  lowerIsBetter: false,
  goal: { against: ALONE, atLeast: 0.75 },
}

const verifyRow = {
  id: 'verify-postgres',
  title: '400,000 rows on a server, summed up for the comparison of two shards',
  unit: 'ms',
  goal: { atMost: 1000 },
}

const takeoverRow = {
  id: 'takeover',
  title: `from a new worker's run to its first ${TAKEOVER_UNIT_ROWS / 1000},000 rows committed`,
  unit: 'ms',
  goal: { atMost: 1000 },
}

/** The rows of this file. */
export const moveRows = [idleRow, loadedRow, writersRow, verifyRow, takeoverRow]

/** Measures those that were asked for. */
export async function measureMoves(bench: Bench): Promise<void> {
  await withMoveFleet(ROWS, async (fleet) => {
    await using plain = await new PlainCopy(fleet).open()
    if (bench.wants(verifyRow.id)) {
      bench.count({ ...verifyRow, results: { [OURS]: await sums(fleet) } })
    }
    if (bench.wants(idleRow.id)) bench.count({ ...idleRow, results: await idle(fleet, plain) })
    if (bench.wants(takeoverRow.id)) {
      bench.count({ ...takeoverRow, results: { [OURS]: await takeovers(fleet) } })
    }
    if (!bench.wants(loadedRow.id) && !bench.wants(writersRow.id)) return
    const { copying, writing } = await loaded(fleet, plain)
    bench.count({ ...loadedRow, results: copying })
    bench.count({ ...writersRow, results: writing })
  })
}

/** Milliseconds for 400,000 rows, of all that one shard has. */
async function sums({ engine, router }: MoveFleet): Promise<number[]> {
  const slots = router.map.slotsOf('s1')
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    const found = await engine.mover.checksums('s1', slots)
    const spentMs = performance.now() - start
    const rows = [...found.values()].reduce((sum, slot) => sum + slot.rows, 0)
    rounds.push((spentMs * 400_000) / rows)
  }
  return rounds
}

async function idle(fleet: MoveFleet, plain: PlainCopy): Promise<Record<string, number[]>> {
  const job: number[] = []
  const copy: number[] = []
  const sides = [
    async () => job.push(await jobCopying(fleet, 'trigger')),
    async () => copy.push(await plainCopying(fleet, plain)),
  ]
  await alternate(ROUNDS, sides)
  return { [OURS]: job, [PLAIN]: copy }
}

/** Both rows under writers are of the same runs. */
async function loaded(
  fleet: MoveFleet,
  plain: PlainCopy,
): Promise<Record<'copying' | 'writing', Record<string, number[]>>> {
  const copying: Record<string, number[]> = {}
  const writing: Record<string, number[]> = {}
  const note = (to: Record<string, number[]>, name: string, figure: number) => {
    to[name] ??= []
    to[name].push(figure)
  }
  await using writers = new Writers(fleet.router, fleet.ids)
  await sleep(WINDOW_MS)
  const jobs = BY.map(([name, capture]) => async () => {
    const usPerRow = await jobCopying(fleet, capture, async (copy) => {
      note(writing, name, await writers.rateDuring(copy))
    })
    note(copying, name, usPerRow)
  })
  const copy = async () => {
    let usPerRow = 0
    const rate = await writers.rateDuring(async () => {
      usPerRow = await plainCopying(fleet, plain)
    })
    note(copying, PLAIN, usPerRow)
    note(writing, PLAIN, rate)
  }
  const alone = async () => note(writing, ALONE, await writers.rateDuring(() => sleep(WINDOW_MS)))
  await alternate(LONG_ROUNDS, [...jobs, copy, alone])
  return { copying, writing }
}

/** Runs all sides in each round, in an order that rotates. */
async function alternate(
  rounds: number,
  sides: readonly (() => Promise<unknown>)[],
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < sides.length; k++) await sides[(k + round) % sides.length]!()
  }
}

/** What a row takes while a job copies, which is undone again. */
async function jobCopying(
  fleet: MoveFleet,
  capture: Capture,
  during: (copy: () => Promise<unknown>) => Promise<unknown> = (copy) => copy(),
): Promise<number> {
  const job = await fleet.job(capture)
  await job.run({ until: 'prepared' })
  let spentMs = 0
  await during(async () => {
    const start = performance.now()
    await job.run({ until: 'catching-up' })
    spentMs = performance.now() - start
  })
  const { rows } = await job.status()
  checkRows(fleet, rows.copied)
  await fleet.undo(job)
  return (spentMs * 1000) / rows.copied
}

async function plainCopying(fleet: MoveFleet, plain: PlainCopy): Promise<number> {
  const start = performance.now()
  const rows = await plain.run()
  const spentMs = performance.now() - start
  checkRows(fleet, rows)
  await fleet.empty()
  return (spentMs * 1000) / rows
}

/** The writers neither make rows nor delete any, so all sides have the same ones to copy. */
function checkRows({ pairs }: MoveFleet, copied: number): void {
  const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0)
  if (copied !== rows) throw new Error(`${copied} rows were copied, and there were ${rows}`)
}

/** A worker stops in the middle of the copy; another begins that has no connection yet. */
async function takeovers(fleet: MoveFleet): Promise<number[]> {
  const rounds: number[] = []
  for (let round = 0; round < LONG_ROUNDS; round++) {
    const { id } = await fleet.job('trigger')
    await onNewEngine(fleet, id, async (job) => {
      const stop = new AbortController()
      const working = job.run({ until: 'catching-up', signal: stop.signal })
      await firstCopied(fleet, id, working)
      stop.abort()
      await working.catch((error: unknown) => {
        if (error !== stop.signal.reason) throw error
      })
    })
    await onNewEngine(fleet, id, async (job) => {
      const start = performance.now()
      const working = job.run({ until: 'catching-up' })
      await firstCopied(fleet, id, working)
      rounds.push(performance.now() - start)
      await working
      await fleet.undo(job)
    })
  }
  return rounds
}

async function onNewEngine(
  { urls, store }: MoveFleet,
  id: string,
  act: (job: Reshard<SqlTx>) => Promise<void>,
): Promise<void> {
  const engine = new PostgresEngine({ shards: urls, unitRows: TAKEOVER_UNIT_ROWS })
  try {
    await act(await Reshard.open({ engine, store, id }))
  } finally {
    await engine.close()
  }
}

/** Resolves once the target has more rows than now; rejects if the worker ends without that. */
async function firstCopied(
  { engine, pairs }: MoveFleet,
  id: string,
  working: Promise<unknown>,
): Promise<void> {
  const copied = async () => {
    const positions = pairs.map(({ from, to }) => engine.mover.position(from, to, id))
    return (await Promise.all(positions)).reduce((sum, position) => sum + position, 0)
  }
  let isOver = false
  const end = working.finally(() => {
    isOver = true
  })
  end.catch(() => undefined)
  const before = await copied()
  while ((await copied()) === before) {
    if (isOver) throw new Error('the worker has ended and copied nothing')
    await sleep(2)
  }
}
