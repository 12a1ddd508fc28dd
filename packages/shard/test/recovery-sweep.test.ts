import { expect, test } from 'vitest'
import { runTransaction } from '../src/distributed-transaction.ts'
import { recover } from '../src/recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by } from '../src/table-rule.ts'
import { Fleet, keyOnEach } from './transaction-fleet.ts'

const map = ShardMap.create({
  slots: 8,
  shards: ['a', 'b'],
  tables: { users: by('id', { primaryKey: ['id'] }) },
})
const KEYS = keyOnEach(map)

/** A fleet with one transaction that its coordinator left prepared and undecided. */
async function withPrepared(): Promise<Fleet> {
  const fleet = await Fleet.of(map)
  const buggify = (label: string) => label === 'transaction.decide-unsent'
  const { context } = await fleet.process({ buggify })
  const put = runTransaction(context, KEYS, async (t) => {
    for (const id of KEYS) await t.on(id).put('users', { id })
  })
  await expect(put).rejects.toMatchObject({ code: 'IN_DOUBT' })
  return fleet
}

test('an undecided transaction is left to its coordinator while it is young', async () => {
  const fleet = await withPrepared()
  const { context } = await fleet.process()
  fleet.clock.ms += 29_000
  expect(await recover(context)).toMatchObject({ waiting: ['t1'], rolledBack: [] })
  fleet.clock.ms += 1_000
  expect(await recover(context)).toMatchObject({ waiting: [], rolledBack: ['t1'] })
  expect(fleet.leftovers()).toEqual([])
  expect(await fleet.rows('users')).toEqual([])
})

test('a rollback is decided for good: a coordinator that wakes up late finds it', async () => {
  const fleet = await withPrepared()
  const { context } = await fleet.process()
  await recover(context, { inDoubtMs: 0 })
  const late = { transaction: 't1', outcome: 'commit', shards: [{ shard: 'a' }] } as const
  expect(await context.store.decisions.decide(late)).toBe('rollback')
})

test('a shard that does not answer is named, and its transactions wait', async () => {
  const fleet = await withPrepared()
  const { context, engine } = await fleet.process()
  engine.down('b')
  const found = await recover(context, { inDoubtMs: 0 })
  // Decided and told the other; the decision is unsettled no more once both know.
  expect(found.rolledBack).toEqual(['t1'])
  expect(found.unreachable.map(({ shard }) => shard)).toEqual(['b'])
  engine.up('b')
  expect(await recover(context)).toMatchObject({ rolledBack: ['t1'], unreachable: [] })
  expect(fleet.leftovers()).toEqual([])
})

test('many recoveries at once settle everything once', async () => {
  const fleet = await withPrepared()
  const processes = await Promise.all([1, 2, 3].map(() => fleet.process()))
  await Promise.all(processes.map(({ context }) => recover(context, { inDoubtMs: 0 })))
  expect(fleet.leftovers()).toEqual([])
  expect(await recover(processes[0]!.context)).toEqual({
    committed: [],
    rolledBack: [],
    waiting: [],
    unreachable: [],
  })
})

test('bad input is refused by name', async () => {
  const { context } = await (await Fleet.of(map)).process()
  await expect(recover(context, { inDoubtMs: -1 })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  })
})
