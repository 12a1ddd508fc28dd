// Two-phase commit: a prepared transaction commits or not as it is told, once, whatever crashes in
// between, and holds its rows and fences until then. `redo` is kept by the caller, as it would be
// with the decision, and handed in whenever the outcome is `commit`.

import type { ShardTx } from '../engine.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, SHARD } from './engine-fixture.ts'
import { person, purchase } from './standard-tables.ts'

/** Prepares a transaction under slots 1 and 2; gives its redo. */
async function prepared(
  { engine }: EngineFixture,
  name: string,
  work: (tx: ShardTx, other: ShardTx) => Promise<unknown>,
  shard: string = SHARD,
): Promise<Uint8Array | undefined> {
  const transaction = await engine.open(shard, { slots: [1, 2], epoch: EPOCH })
  await work(transaction.tx(1), transaction.tx(2))
  return transaction.prepare(name)
}

async function waiting({ engine }: EngineFixture, shard: string = SHARD): Promise<string[]> {
  return (await engine.prepared(shard)).map((one) => one.transaction)
}

/** Leaves a and b, changed: a is replaced, b deleted, c and a purchase of c added. */
async function manyChanges(tx: ShardTx, other: ShardTx): Promise<void> {
  await tx.put('person', person('a', { age: 2, balance: 2n ** 60n + 1n, score: 0.1 }))
  await tx.delete('person', { id: 'b' })
  await other.put('person', person('c', { name: 'çé🗿' }))
  await other.put('purchase', purchase('c', 1))
  await tx.mark('changed')
}

const CHANGED = [
  person('a', { age: 2, balance: 2n ** 60n + 1n, score: 0.1 }),
  person('c', { name: 'çé🗿' }),
]

async function demandChanged(fixture: EngineFixture): Promise<void> {
  const rows = await fixture.scan({ table: 'person', orderBy: [{ column: 'id' }] })
  demandSame(rows, CHANGED, 'a commit does all that was prepared')
  demandSame(await fixture.placed('person'), ['1:a', '2:c'], 'rows keep their slots')
  demandSame(await fixture.placed('purchase'), ['2:c/1'], 'in every table')
  const isNew = await fixture.transact([1], (tx) => tx.mark('changed'))
  demand(!isNew, 'marks are part of what was prepared')
  demandSame(await waiting(fixture), [], 'nothing waits for its outcome any more')
}

async function demandUnchanged(fixture: EngineFixture): Promise<void> {
  demandSame(await fixture.people(), ['a', 'b'], 'a rollback undoes all that was prepared')
  demandSame(await fixture.placed('purchase'), [], 'in every table')
  const isNew = await fixture.transact([1], (tx) => tx.mark('changed'))
  demand(isNew, 'marks are part of what was undone')
  demandSame(await waiting(fixture), [], 'nothing waits for its outcome any more')
}

export const PREPARE_RULES: readonly EngineRule[] = [
  {
    name: 'a prepared transaction waits, unseen, and commits when it is told to',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      const redo = await prepared(fixture, 't1', manyChanges)
      demandSame(await waiting(fixture), ['t1'], 'prepared() lists what waits for its outcome')
      const [listed] = await fixture.engine.prepared(SHARD)
      demand(listed!.ageMs >= 0 && listed!.ageMs < 60_000, 'prepared() tells since when')
      demandSame(await fixture.people(), ['a', 'b'], 'it is not seen before it commits')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await demandChanged(fixture)
    },
  },
  {
    name: 'a prepared transaction is undone when it is told to roll back',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      await prepared(fixture, 't1', manyChanges)
      await fixture.engine.resolve(SHARD, 't1', 'rollback')
      await demandUnchanged(fixture)
    },
  },
  {
    name: 'resolving twice, or what was never prepared, does nothing',
    async check(fixture) {
      const redo = await prepared(fixture, 't1', (tx) => tx.put('person', person('a', { age: 1 })))
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await fixture.put(1, 'person', [person('a', { age: 2 })])
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      const rows = await fixture.scan({ table: 'person' })
      demandSame(rows, [person('a', { age: 2 })], 'a second commit does not do it again')
      await prepared(fixture, 't2', (tx) => tx.put('person', person('b')))
      await fixture.engine.resolve(SHARD, 't2', 'rollback')
      await fixture.engine.resolve(SHARD, 't2', 'rollback')
      await fixture.engine.resolve(SHARD, 'never', 'rollback')
      demandSame(await fixture.people(), ['a'], 'a second rollback undoes nothing else')
    },
  },
  {
    name: 'a prepared transaction commits after a crash, and once only',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      const redo = await prepared(fixture, 't1', manyChanges)
      await fixture.reopen()
      if (redo === undefined) {
        demandSame(await waiting(fixture), ['t1'], 'the shard, given no redo to keep, kept it')
      }
      demandSame(await fixture.people(), ['a', 'b'], 'a crash decides nothing')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await demandChanged(fixture)
      await fixture.put(1, 'person', [person('a', { age: 3 })])
      await fixture.reopen()
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      const found = await fixture.read([1], (tx) => tx.get('person', { id: 'a' }))
      demandSame(found, person('a', { age: 3 }), 'a crash does not make it happen again')
    },
  },
  {
    name: 'a prepared transaction is undone after a crash, and its rows are free again',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      await prepared(fixture, 't1', manyChanges)
      await fixture.reopen()
      await fixture.engine.resolve(SHARD, 't1', 'rollback')
      await demandUnchanged(fixture)
      await fixture.put(1, 'person', [person('a', { age: 9 })])
    },
  },
  {
    name: 'a commit that crashed halfway stands after the crash, told again or not',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      const redo = await prepared(fixture, 't1', manyChanges)
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await fixture.reopen()
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await demandChanged(fixture)
    },
  },
  {
    name: 'an open transaction that was not prepared is gone after a crash',
    async check(fixture) {
      const open = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await open.tx(1).put('person', person('a'))
      await fixture.reopen()
      await demandRefusal(() => open.commit(), 'a transaction of the old engine cannot commit')
      demandSame(await fixture.placed('person'), [], 'nothing of it remains')
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      await fixture.fence('frozen', [1])
    },
  },
  {
    name: 'rows of a prepared transaction are locked until it is resolved',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 0 })])
      const redo = await prepared(fixture, 't1', (tx) => tx.put('person', person('a', { age: 1 })))
      const other = fixture.put(1, 'person', [person('a', { age: 2 })]).then(
        () => true,
        () => false,
      )
      await fixture.waits(other)
      const [before] = await fixture.scan({ table: 'person' })
      demandSame(before!.age, 0, 'no other writer changes its row meanwhile')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      const isDone = await other
      const [after] = await fixture.scan({ table: 'person' })
      demandSame(after!.age, isDone ? 2 : 1, 'the other writer comes after it, or not at all')
    },
  },
  {
    name: 'setFences waits for a prepared transaction',
    async check(fixture) {
      const redo = await prepared(fixture, 't1', (tx) => tx.put('person', person('a')))
      const flip = fixture.fence('moved', [1], EPOCH + 1)
      demand(await fixture.waits(flip), 'a prepared transaction holds its fences')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      await flip
      demandSame(await fixture.placed('person'), ['1:a'], 'it committed before the fence changed')
    },
  },
  {
    name: 'a prepared transaction does not hinder readers',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 0 })])
      const redo = await prepared(fixture, 't1', (tx) => tx.put('person', person('a', { age: 1 })))
      const found = await fixture.read([1], (tx) => tx.get('person', { id: 'a' }))
      demandSame(found, person('a', { age: 0 }), 'they see what was there before')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
    },
  },
  {
    name: 'prepare is refused with the claim, and with a statement that was refused',
    async check(fixture) {
      await fixture.fence('frozen', [2])
      const stale = () => prepared(fixture, 't1', (tx) => tx.put('person', person('a')))
      await demandCode(stale, 'SHARD_FROZEN', 'nothing is prepared under a refused claim')
      await fixture.fence('owned', [2])
      const bad = () =>
        prepared(fixture, 't2', async (tx) => {
          tx.put('person', person('a'))
          tx.put('person', { ...person('b'), id: null })
        })
      await demandRefusal(bad, 'nothing is prepared after a refused statement')
      demandSame(await waiting(fixture), [], 'nothing waits for its outcome')
      demandSame(await fixture.placed('person'), [], 'nothing remains')
      await fixture.fence('frozen', [1, 2])
    },
  },
  {
    name: 'a transaction that wrote nothing can be prepared and resolved',
    async check(fixture) {
      const redo = await prepared(fixture, 't1', (tx) => tx.get('person', { id: 'a' }))
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      demandSame(await waiting(fixture), [], 'nothing waits for its outcome')
      await fixture.fence('frozen', [1, 2])
    },
  },
  {
    name: 'each shard prepares and resolves its own',
    shards: ['s1', 's2'],
    async check(fixture) {
      const put = (tx: ShardTx) => tx.put('person', person('a'))
      const redo = await prepared(fixture, 't1', put)
      await prepared(fixture, 't1', put, 's2')
      await fixture.engine.resolve('s2', 't1', 'rollback')
      demandSame(await waiting(fixture), ['t1'], 'the other shard still waits')
      demandSame(await waiting(fixture, 's2'), [], 'this one does not')
      await fixture.engine.resolve(SHARD, 't1', 'commit', redo)
      const found = [await fixture.people(), await fixture.people({ shard: 's2' })]
      demandSame(found, [['a'], []], 'each did what it was told')
    },
  },
]
