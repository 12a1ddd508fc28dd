// Fences: what a claim is refused with, that a refused claim leaves and shows nothing, and that
// fences change only between transactions.

import { REFERENCE_SLOT, type ShardTx } from '../engine.ts'
import type { ShardErrorCode } from '../shard-error.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, fence, SHARD } from './engine-fixture.ts'
import { person } from './standard-tables.ts'

const READS: readonly ((tx: ShardTx) => Promise<unknown>)[] = [
  (tx) => tx.get('person', { id: 'a' }),
  (tx) => tx.get('person', { id: 'nobody' }),
  (tx) => tx.select({ table: 'person' }),
  (tx) => tx.select({ table: 'person', aggregates: { n: { op: 'count' } } }),
]

const WRITES: readonly ((tx: ShardTx) => Promise<unknown>)[] = [
  (tx) => tx.put('person', person('b')),
  (tx) => tx.delete('person', { id: 'a' }),
  // No row, so no row trigger fires: only the claim can refuse it.
  (tx) => tx.delete('person', { id: 'nobody' }),
  (tx) => tx.mark('done'),
]

/** Tries every read, and every write, on slot 1 at an epoch. */
async function demandAll(
  fixture: EngineFixture,
  attempts: readonly ((tx: ShardTx) => Promise<unknown>)[],
  code: ShardErrorCode | undefined,
  { epoch = EPOCH, slot = 1, rule }: { epoch?: number; slot?: number; rule: string },
): Promise<void> {
  for (const attempt of attempts) {
    const options = { epoch, readOnly: attempts === READS }
    const run = () => fixture.transact([slot], attempt, options)
    if (code === undefined) await run()
    else {
      const error = await demandCode(run, code, rule)
      demandSame([error.shard, error.slot], [SHARD, slot], `${rule}, naming the shard and slot`)
    }
  }
}

export const FENCE_RULES: readonly EngineRule[] = [
  {
    name: 'a slot without a fence is refused with SHARD_MOVED to reads and writes',
    async check(fixture) {
      const rule = { slot: 77, rule: 'no fence: SHARD_MOVED' }
      await demandAll(fixture, READS, 'SHARD_MOVED', rule)
      await demandAll(fixture, WRITES, 'SHARD_MOVED', rule)
    },
  },
  {
    name: 'a moved slot is refused with SHARD_MOVED to reads and writes, at any epoch',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.fence('moved', [1], EPOCH + 1)
      for (const epoch of [EPOCH, EPOCH + 1, EPOCH + 2]) {
        await demandAll(fixture, READS, 'SHARD_MOVED', { epoch, rule: 'moved: no reads' })
        await demandAll(fixture, WRITES, 'SHARD_MOVED', { epoch, rule: 'moved: no writes' })
      }
      const read = () => fixture.read([1], READS[0]!)
      const { epoch } = await demandCode(read, 'SHARD_MOVED', 'moved: no reads')
      demandSame(epoch, EPOCH + 1, 'SHARD_MOVED tells the epoch of the fence')
      demandSame(await fixture.placed('person'), ['1:a'], 'a refused write changes nothing')
    },
  },
  {
    name: 'a fence later than the claim refuses reads and writes with STALE_EPOCH',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      for (const state of ['owned', 'frozen'] as const) {
        await fixture.fence(state, [1], EPOCH + 2)
        const epoch = EPOCH + 1
        await demandAll(fixture, READS, 'STALE_EPOCH', { epoch, rule: `${state}: stale reads` })
        await demandAll(fixture, WRITES, 'STALE_EPOCH', { epoch, rule: `${state}: stale writes` })
      }
      const read = () => fixture.read([1], READS[0]!)
      const { epoch } = await demandCode(read, 'STALE_EPOCH', 'stale reads')
      demandSame(epoch, EPOCH + 2, 'STALE_EPOCH tells the epoch of the fence')
      demandSame(await fixture.placed('person'), ['1:a'], 'a refused write changes nothing')
    },
  },
  {
    name: 'a frozen slot takes reads and refuses writes with SHARD_FROZEN',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.fence('frozen', [1])
      for (const epoch of [EPOCH, EPOCH + 1]) {
        await demandAll(fixture, READS, undefined, { epoch, rule: 'frozen: reads' })
        await demandAll(fixture, WRITES, 'SHARD_FROZEN', { epoch, rule: 'frozen: no writes' })
      }
      demandSame(await fixture.placed('person'), ['1:a'], 'a refused write changes nothing')
    },
  },
  {
    name: 'an arriving slot refuses reads and writes with SHARD_FROZEN, and is not owned',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.fence('arriving', [1])
      for (const epoch of [EPOCH, EPOCH + 1]) {
        await demandAll(fixture, READS, 'SHARD_FROZEN', { epoch, rule: 'arriving: no reads' })
        await demandAll(fixture, WRITES, 'SHARD_FROZEN', { epoch, rule: 'arriving: no writes' })
      }
      await fixture.fence('arriving', [1], EPOCH + 1)
      await demandAll(fixture, READS, 'STALE_EPOCH', { rule: 'arriving later: stale reads' })
      demandSame(await fixture.people(), [], 'a scan does not see its rows')
      const scan = await fixture.engine.scan(SHARD, { table: 'person' })
      await scan.close()
      demandSame(
        scan.owned.filter((slot) => slot >= 0),
        [2, 3, 4],
        'nor is it owned',
      )
      demandSame(await fixture.placed('person'), ['1:a'], 'they are there')
    },
  },
  {
    name: 'an owned slot takes reads and writes at the epoch of its fence and at later ones',
    async check(fixture) {
      for (const epoch of [EPOCH, EPOCH + 1, EPOCH + 1000]) {
        await demandAll(fixture, READS, undefined, { epoch, rule: 'owned: reads' })
        await demandAll(fixture, WRITES, undefined, { epoch, rule: 'owned: writes' })
      }
    },
  },
  {
    name: 'a refused claim leaves nothing of what was tried under it',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.fence('frozen', [1])
      const attempt = () =>
        fixture.transact([1], (tx) => {
          // Not awaited: they may all be under way before the claim is refused.
          const tries = [tx.put('person', person('b')), tx.delete('person', { id: 'a' })]
          return Promise.allSettled([...tries, tx.mark('done')])
        })
      await demandCode(attempt, 'SHARD_FROZEN', 'the commit of a refused claim is refused')
      await fixture.fence('owned', [1])
      demandSame(await fixture.placed('person'), ['1:a'], 'no row is written or deleted')
      const isNew = await fixture.transact([1], (tx) => tx.mark('done'))
      demand(isNew, 'no name is remembered by a refused transaction')
    },
  },
  {
    name: 'a transaction that does nothing is refused at its commit when its claim is',
    async check(fixture) {
      await fixture.fence('moved', [1])
      const nothing = () => fixture.transact([1], () => undefined)
      await demandCode(nothing, 'SHARD_MOVED', 'an empty transaction does not commit')
    },
  },
  {
    name: 'a claim of several slots is refused when one of them is',
    async check(fixture) {
      await fixture.fence('moved', [3], EPOCH)
      const write = () =>
        fixture.transact([1, 2, 3], (tx, transaction) => {
          return Promise.all([
            tx.put('person', person('a')),
            transaction.tx(2).put('person', person('b')),
          ])
        })
      const { slot } = await demandCode(write, 'SHARD_MOVED', 'one moved slot refuses all')
      demandSame(slot, 3, 'the refusal names the slot')
      demandSame(await fixture.placed('person'), [], 'nothing was written under the others')
      const read = () => fixture.read([1, 2, 3], READS[2]!)
      await demandCode(read, 'SHARD_MOVED', 'one moved slot refuses reads')
    },
  },
  {
    name: 'the reference slot is fenced like any other',
    async check(fixture) {
      const write = () => fixture.put(REFERENCE_SLOT, 'country', [{ code: 'fr', name: 'France' }])
      await fixture.fence('frozen', [REFERENCE_SLOT])
      await demandCode(write, 'SHARD_FROZEN', 'a frozen reference slot takes no writes')
      await fixture.fence('owned', [REFERENCE_SLOT])
      await write()
    },
  },
  {
    name: 'fences() lists every fence by slot, setFences replaces those it names',
    async check(fixture) {
      await fixture.engine.setFences(SHARD, [fence(900, 'moved', 7), fence(2, 'frozen', 9)])
      await fixture.engine.setFences(SHARD, [])
      const found = await fixture.engine.fences(SHARD)
      const expected = [
        fence(REFERENCE_SLOT, 'owned'),
        fence(1, 'owned'),
        fence(2, 'frozen', 9),
        fence(3, 'owned'),
        fence(4, 'owned'),
        fence(900, 'moved', 7),
      ]
      demandSame(found, expected, 'fences() lists slot, state and epoch of each')
    },
  },
  {
    name: 'setFences leaves out a fence of an earlier epoch than the one that stands',
    async check(fixture) {
      await fixture.engine.setFences(SHARD, [fence(900, 'moved', 7), fence(901, 'owned', 7)])
      await fixture.engine.setFences(SHARD, [fence(900, 'owned', 6), fence(901, 'frozen', 7)])
      const fences = await fixture.engine.fences(SHARD)
      demandSame(
        fences.filter(({ slot }) => slot >= 900),
        [fence(900, 'moved', 7), fence(901, 'frozen', 7)],
        'a late fence changes nothing, one of the same epoch does',
      )
    },
  },
  {
    name: 'setFences waits for the writers that hold a fence, and finds their rows there',
    async check(fixture) {
      const writer = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await writer.tx(1).put('person', person('a'))
      const flip = fixture.fence('moved', [1], EPOCH + 1)
      demand(await fixture.waits(flip), 'a fence does not change under a writer')
      await writer.commit()
      await flip
      demandSame(await fixture.placed('person'), ['1:a'], 'the writer before it committed')
      const late = () => fixture.put(1, 'person', [person('b')])
      await demandCode(late, 'SHARD_MOVED', 'the writer after it is refused')
    },
  },
  {
    name: 'setFences waits for a writer that has only read so far',
    async check(fixture) {
      const writer = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await writer.tx(1).get('person', { id: 'a' })
      const flip = fixture.fence('frozen', [1])
      demand(await fixture.waits(flip), 'a fence does not change under a writer')
      await writer.tx(1).put('person', person('a'))
      await writer.commit()
      await flip
      demandSame(await fixture.people(), ['a'], 'what it wrote after that is there')
    },
  },
  {
    name: 'setFences goes on after a writer that was rolled back',
    async check(fixture) {
      const writer = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await writer.tx(1).put('person', person('a'))
      const flip = fixture.fence('frozen', [1])
      await writer.rollback()
      await flip
      demandSame(await fixture.placed('person'), [], 'nothing of it remains')
    },
  },
  {
    name: 'a reader goes on seeing its slot, and its rows, when the fence changes after it began',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      const reader = await fixture.engine.open(
        SHARD,
        { slots: [1], epoch: EPOCH },
        { readOnly: true },
      )
      const before = await reader.tx(1).get('person', { id: 'a' })
      // Not awaited yet: an engine may let fences wait for readers as well.
      const flip = fixture.fence('moved', [1], EPOCH + 1)
      await fixture.waits(flip)
      const after = await reader.tx(1).get('person', { id: 'a' })
      demandSame(after, before, 'a reader sees one snapshot')
      await reader.commit()
      await flip
      await demandRefusal(() => fixture.read([1], READS[0]!), 'a later reader is refused')
    },
  },
  {
    name: 'a scan sees all fences of one setFences, or none of them',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      const [all, none] = ['1,2,3,4 a,b', ' ']
      const flip = async () => {
        for (let epoch = EPOCH; epoch < EPOCH + 20; epoch++) {
          const state = epoch % 2 === 0 ? 'owned' : 'moved'
          await fixture.fence(state, [1, 2, 3, 4], epoch + 1)
        }
      }
      const look = async () => {
        for (let i = 0; i < 20; i++) {
          const scan = await fixture.engine.scan(SHARD, { table: 'person' })
          const rows: unknown[] = []
          for await (const batch of scan.rows()) rows.push(...batch.map((row) => row.id))
          await scan.close()
          const seen = `${scan.owned.filter((slot) => slot >= 0)} ${rows.sort()}`
          demand(seen === all || seen === none, `fences change together; a scan saw ${seen}`)
        }
      }
      await Promise.all([flip(), look(), look()])
    },
  },
  {
    name: 'where writers race with fences, the acknowledged rows are there and no others',
    async check(fixture) {
      const acknowledged: string[] = []
      let epoch = EPOCH
      const write = async (writer: number) => {
        for (let i = 0; i < 10; i++) {
          const id = `${writer}-${i}`
          try {
            await fixture.put(1 + (i % 2), 'person', [person(id)], { epoch })
            acknowledged.push(id)
          } catch (error) {
            const { code } = error as { code?: unknown }
            demand(RACE_CODES.includes(code), `a writer is refused by a fence, not by ${error}`)
          }
        }
      }
      const flip = async () => {
        for (const state of ['frozen', 'owned', 'moved', 'owned', 'frozen', 'owned'] as const) {
          await fixture.fence(state, [1, 2], epoch + 1)
          epoch += 1
        }
      }
      await Promise.all([flip(), ...[0, 1, 2, 3].map(write)])
      demandSame(await fixture.people(), acknowledged.sort(), 'what was acknowledged remains')
    },
  },
]

const RACE_CODES: readonly unknown[] = ['SHARD_MOVED', 'STALE_EPOCH', 'SHARD_FROZEN']
