// SQLite files are resharded under load by processes that are killed by SIGKILL, at named steps of
// the job and at moments of chance. The next process carries the job on. In the end every
// acknowledged write is there, once and where it should be, and of the job nothing is left.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ShardMap, ShardRouter } from '../src/index.ts'
import { verifyFleet } from '../src/verify.ts'
import { Ledger } from './reshard-ledger.ts'
import { closing, lostMark } from './reshard-teller.ts'
import { folderFor } from './sqlite-fixture.ts'
import { type CourseName, DDL, fleetOf, hear, MAP } from './sqlite-reshard-mortal.ts'

const MORTAL = fileURLToPath(import.meta.resolve('./sqlite-reshard-mortal.ts'))

/** Where a process is killed: when it comes to that step of the job for that time. */
const STEPS: readonly [course: CourseName, step: string, time: number][] = [
  // New shards join: reference tables are frozen on the old ones, then they are in the map.
  ['done', 'freeze done', 1],
  ['done', 'save map done', 1],
  ['done', 'startCapture done', 2],
  ['done', 'copy done', 1],
  ['done', 'apply done', 1],
  ['done', 'checksums done', 2],
  // A batch of slots: frozen, at the commit point, past it.
  ['done', 'freeze done', 3],
  ['done', 'save map', 2],
  ['done', 'save map done', 2],
  ['done', 'clean done', 1],
  ['done', 'release done', 2],
  ['aborted', 'clean', 1],
  // On the way back.
  ['there and back', 'freeze done', 8],
  ['back for good', 'save map done', 7],
]

interface Mortal {
  readonly said: string[]
  readonly child: ChildProcess
  readonly exited: Promise<unknown>
}

function born(...args: readonly string[]): Mortal {
  const child = spawn(process.execPath, ['--conditions=source', MORTAL, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  const lines = createInterface({ input: child.stdout! })
  lines.on('line', (line) => said.push(line))
  const closed = new Promise((resolve) => lines.once('close', resolve))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  return { said, child, exited: Promise.all([closed, exited]) }
}

async function newFleet(): Promise<string> {
  const folder = folderFor(onTestFinished)
  const { engine, store } = fleetOf(folder)
  const router = await ShardRouter.open({ engine, store, map: MAP, ddl: DDL })
  await router.close()
  await engine.close()
  await store.close()
  return folder
}

/** Lives until the job has ended; what it said goes to the ledger. */
async function bringToEnd(folder: string, course: CourseName, ledger: Ledger): Promise<void> {
  const last = born(folder, course)
  onTestFinished(() => void last.child.kill('SIGKILL'))
  await last.exited
  hear(ledger, last.said)
  expect(last.child.exitCode).toBe(0)
}

/** What is wrong once the job has ended. */
async function problem(folder: string, course: CourseName, ledger: Ledger) {
  const { engine, store } = fleetOf(folder)
  try {
    const router = await ShardRouter.open({ engine, store, sweepMs: 0 })
    await router.recover({ inDoubtMs: 0 })
    const found = ledger.close(await closing(router)) ?? (await lostMark(router, ledger))
    await router.close()
    if (found !== undefined) return found
    const map = ShardMap.fromJSON(await store.load())
    const report = await verifyFleet(engine, map)
    if (!report.ok) return JSON.stringify(report)
    const wanted = course === 'done' || course === 'there and back' ? ['a', 'b', 'c'] : ['a', 'b']
    expect(map.shards.map(({ id }) => id)).toEqual(wanted)
    for (const shard of engine.shards) {
      const own = new Set(wanted.includes(shard) ? map.slotsOf(shard) : [])
      const foreign = map.liveSlots().filter((slot) => !own.has(slot))
      const sums = await engine.mover.checksums(shard, foreign)
      const strays = [...sums].filter(([, { rows }]) => rows > 0)
      if (strays.length > 0) return `left on ${shard}: rows of slot ${strays[0]![0]}`
      const traces = await engine.mover.traces(shard)
      if (traces.length > 0) return `left on ${shard}: ${traces.join(', ')}`
    }
    return undefined
  } finally {
    await engine.close()
    await store.close()
  }
}

describe('a resharding process killed by SIGKILL', { timeout: 300_000 }, () => {
  test.each(STEPS)('(%s) at “%s” for time %i loses nothing', async (course, step, time) => {
    const folder = await newFleet()
    const ledger = new Ledger()
    const mortal = born(folder, course, step, String(time))
    onTestFinished(() => void mortal.child.kill('SIGKILL'))
    await mortal.exited
    expect(mortal.child.signalCode).toBe('SIGKILL')
    hear(ledger, mortal.said)
    await bringToEnd(folder, course, ledger)
    expect(await problem(folder, course, ledger)).toBeUndefined()
    expect(ledger.acked).toBeGreaterThan(0)
  })

  test('that does not freeze what it flips is caught', async () => {
    const folder = await newFleet()
    const ledger = new Ledger()
    const careless = born(folder, 'done', 'careless')
    onTestFinished(() => void careless.child.kill('SIGKILL'))
    await careless.exited
    hear(ledger, careless.said)
    expect(await problem(folder, 'done', ledger)).toMatch(/^(?:lost|count|stale|torn|wrong)/u)
  })

  test('at moments of chance, until the job is done, loses nothing', async () => {
    const folder = await newFleet()
    const ledger = new Ledger()
    for (let life = 0; life < 5; life++) {
      const mortal = born(folder, 'there and back')
      try {
        await expect.poll(() => mortal.said.length > 0, { timeout: 60_000 }).toBe(true)
        await sleep(Math.random() * 300)
      } finally {
        mortal.child.kill('SIGKILL')
        await mortal.exited
      }
      hear(ledger, mortal.said)
    }
    await bringToEnd(folder, 'there and back', ledger)
    expect(await problem(folder, 'there and back', ledger)).toBeUndefined()
  })
})
