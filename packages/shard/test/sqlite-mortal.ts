// A process that moves money between two shards until it is killed, and says what was acknowledged,
// a line at a time: `node sqlite-mortal.ts <folder> [<step> <transfer> [careless]]`. With a step it
// kills itself there, by SIGKILL, in the middle of that transfer. Careless, it commits one shard
// after the other: the broken twin of two-phase commit.

import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteEngine, SqliteMapStore } from '../src/sqlite/index.ts'

/** The steps of a transfer, in order. */
export const STEPS = [
  'begin',
  'opened',
  'written',
  'prepared one',
  'prepared',
  'decided',
  'resolved one',
  'resolved',
  'settled',
] as const

const SHARDS = ['s1', 's2'] as const

/** The fleet in a folder: two shards and the map store. */
export function fleetOf(folder: string): { engine: SqliteEngine; store: SqliteMapStore } {
  const engine = new SqliteEngine({
    shards: Object.fromEntries(SHARDS.map((shard) => [shard, join(folder, `${shard}.db`)])),
  })
  return { engine, store: new SqliteMapStore(join(folder, 'map.db')) }
}

/** Does what decisions say that a crash left undone. */
export async function recoverFleet({ engine, store }: ReturnType<typeof fleetOf>): Promise<number> {
  const unsettled = await store.decisions.unsettled()
  for (const { transaction, outcome, shards } of unsettled) {
    for (const { shard, redo } of shards) await engine.resolve(shard, transaction, outcome, redo)
    await store.decisions.settle(transaction)
  }
  return unsettled.length
}

if (import.meta.filename === process.argv[1]) {
  const [, , folder = '', step = '', at = '', twin = ''] = process.argv
  const fleet = fleetOf(folder)
  await recoverFleet(fleet)
  const reach: Reach = (now, transfer) => {
    if (now === step && transfer === Number(at)) process.kill(process.pid, 'SIGKILL')
  }
  for (let transfer = 1; ; transfer++) await live(fleet, transfer, twin === 'careless', reach)
}

type Reach = (step: (typeof STEPS)[number], transfer: number) => void

async function live(
  { engine, store }: ReturnType<typeof fleetOf>,
  transfer: number,
  isCareless: boolean,
  reach: Reach,
): Promise<void> {
  const name = `${process.pid}-${transfer}`
  reach('begin', transfer)
  const s1 = await engine.open('s1', { slots: [1], epoch: 1 })
  const s2 = await engine.open('s2', { slots: [2], epoch: 1 })
  reach('opened', transfer)
  await s1.tx(1).query('UPDATE account SET money = money - 1 WHERE id = 1')
  await s1.tx(1).put('done', { name })
  await s2.tx(2).query('UPDATE account SET money = money + 1 WHERE id = 2')
  await s2.tx(2).put('done', { name })
  reach('written', transfer)
  if (isCareless) {
    await s1.commit()
    reach('resolved one', transfer)
    await s2.commit()
  } else {
    const redo1 = await s1.prepare(name)
    reach('prepared one', transfer)
    const redo2 = await s2.prepare(name)
    reach('prepared', transfer)
    const shards = [
      { shard: 's1', redo: redo1 },
      { shard: 's2', redo: redo2 },
    ]
    await store.decisions.decide({ transaction: name, outcome: 'commit', shards })
    reach('decided', transfer)
    await engine.resolve('s1', name, 'commit', redo1)
    reach('resolved one', transfer)
    await engine.resolve('s2', name, 'commit', redo2)
    reach('resolved', transfer)
    await store.decisions.settle(name)
    reach('settled', transfer)
  }
  // In one piece and at once, before anything else happens.
  writeSync(1, `${name}\n`)
  const alone = await engine.open('s1', { slots: [1], epoch: 1 })
  await alone.tx(1).put('done', { name: `alone ${name}` })
  await alone.commit()
  writeSync(1, `alone ${name}\n`)
}
