// Processes that transfer money between two SQLite shards are killed by SIGKILL, at every step of a
// two-phase commit and at moments of chance. What was acknowledged is there, on both shards or on
// none, and nothing is half done; also for the next process, which recovers before it goes on.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderFor } from './sqlite-fixture.ts'
import { fleetOf, recoverFleet, STEPS } from './sqlite-mortal.ts'

const MORTAL = fileURLToPath(import.meta.resolve('./sqlite-mortal.ts'))
const MONEY = 1000

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
  const ddl = [
    'CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER, transfers INTEGER DEFAULT 0)',
    'CREATE TABLE done (name TEXT PRIMARY KEY)',
    // It must not count again what recovery does again.
    `CREATE TRIGGER counts AFTER INSERT ON done WHEN NEW.name NOT LIKE 'alone%'
       BEGIN UPDATE account SET transfers = transfers + 1; END`,
  ]
  const tables = ['account', 'done'].map(
    (name) => ({ name, kind: 'sharded', key: [name === 'done' ? 'name' : 'id'] }) as const,
  )
  for (const [id, shard] of ['s1', 's2'].entries()) {
    const slot = id + 1
    await engine.install(shard, { ddl, tables })
    await engine.setFences(shard, [{ slot, state: 'owned', epoch: 1 }])
    const open = await engine.open(shard, { slots: [slot], epoch: 1 })
    await open.tx(slot).put('account', { id: slot, money: MONEY })
    await open.commit()
  }
  await engine.close()
  await store.close()
  return folder
}

interface Left {
  readonly unsettled: number
  readonly money: number[]
  readonly transfers: number[]
  readonly done: string[][]
}

/** What is there once recovery has run. */
async function leftIn(folder: string): Promise<Left> {
  const fleet = fleetOf(folder)
  try {
    expect(await fleet.engine.prepared('s1')).toEqual([])
    expect(await fleet.engine.prepared('s2')).toEqual([])
    const unsettled = await recoverFleet(fleet)
    expect(await recoverFleet(fleet)).toBe(0)
    const money: number[] = []
    const transfers: number[] = []
    const done: string[][] = []
    for (const [i, shard] of ['s1', 's2'].entries()) {
      const open = await fleet.engine.open(shard, { slots: [i + 1], epoch: 1 }, { readOnly: true })
      const tx = open.tx(i + 1)
      const [account] = (await tx.query('SELECT money, transfers FROM account')).rows
      money.push(Number(account!.money))
      transfers.push(Number(account!.transfers))
      const names = await tx.query('SELECT name FROM done ORDER BY name')
      done.push(names.rows.map(({ name }) => String(name)))
      await open.commit()
    }
    return { unsettled, money, transfers, done }
  } finally {
    await fleet.engine.close()
    await fleet.store.close()
  }
}

function expectWhole({ money, transfers, done }: Left, acknowledged: readonly string[]): void {
  const [first, second] = done as [string[], string[]]
  expect(first.filter((name) => !name.startsWith('alone'))).toEqual(second)
  expect(money).toEqual([MONEY - second.length, MONEY + second.length])
  expect(transfers).toEqual([second.length, second.length])
  const missing = acknowledged.filter((name) => !first.includes(name))
  expect(missing).toEqual([])
}

describe('a process killed by SIGKILL', { timeout: 300_000 }, () => {
  test.each(STEPS)('at the step “%s” leaves its transfer done or not begun', async (step) => {
    const folder = await newFleet()
    const mortal = born(folder, step, '2')
    await mortal.exited
    expect(mortal.child.signalCode).toBe('SIGKILL')
    expect(mortal.said).toHaveLength(2)
    const left = await leftIn(folder)
    expectWhole(left, mortal.said)
    // The decision is the point at which it happened.
    const hasHappened = STEPS.indexOf(step) >= STEPS.indexOf('decided')
    expect(left.done[1]!.includes(`${mortal.child.pid}-2`)).toBe(hasHappened)
    expect(left.unsettled).toBe(hasHappened && step !== 'settled' ? 1 : 0)
  })

  test('that commits one shard after the other is caught half done', async () => {
    const folder = await newFleet()
    const mortal = born(folder, 'resolved one', '2', 'careless')
    await mortal.exited
    const left = await leftIn(folder)
    expect(() => expectWhole(left, mortal.said)).toThrow()
  })

  test('at moments of chance, six times over, leaves nothing half done', async () => {
    const folder = await newFleet()
    const acknowledged: string[] = []
    for (let life = 0; life < 6; life++) {
      const mortal = born(folder)
      try {
        await expect.poll(() => mortal.said.length > 0, { timeout: 30_000 }).toBe(true)
        await sleep(Math.random() * 80)
      } finally {
        mortal.child.kill('SIGKILL')
        await mortal.exited
      }
      acknowledged.push(...mortal.said)
      // Every other time it is left to the next process to recover.
      if (life % 2 === 1) expectWhole(await leftIn(folder), acknowledged)
    }
    expect(acknowledged.length).toBeGreaterThan(6)
  })
})
