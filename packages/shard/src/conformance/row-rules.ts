// Rows in a transaction: what get, put, delete, select and mark do, to whom it shows, and what
// remains of it.

import { REFERENCE_SLOT } from '../engine.ts'
import { demand, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineRule, EPOCH, SHARD } from './engine-fixture.ts'
import { person, purchase } from './standard-tables.ts'

const BIG = 2n ** 53n + 1n

export const ROW_RULES: readonly EngineRule[] = [
  {
    name: 'a row comes back as it was put, whatever its columns hold',
    async check(fixture) {
      const rows = [
        person('full', { name: 'Zoë 🗿 O\'Hara; "x"', age: -7, balance: BIG, score: 0.1 }),
        person('nothing'),
        person('', { name: '', age: 0, balance: 0, score: 0 }),
        person('big', { age: 2 ** 31 - 1, balance: 2n ** 63n - 1n, score: 1e300 }),
        person('small', { age: -(2 ** 31), balance: -(2n ** 63n), score: -5e-324 }),
        person('__proto__', { name: 'constructor', balance: Number.MAX_SAFE_INTEGER }),
      ]
      await fixture.put(1, 'person', rows)
      for (const row of rows) {
        const found = await fixture.read([1], (tx) => tx.get('person', { id: row.id }))
        demandSame(found, row, 'get gives the row that was put, without its slot')
      }
    },
  },
  {
    name: 'get of no row gives undefined',
    async check(fixture) {
      const found = await fixture.read([1], (tx) => tx.get('person', { id: 'nobody' }))
      demandSame(found, undefined, 'there is no such row')
    },
  },
  {
    name: 'put replaces the row of its primary key, every column of it',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { name: 'old', age: 1 }), person('b')])
      await fixture.put(1, 'person', [person('a', { score: 2.5 })])
      const found = await fixture.read([1], (tx) => tx.get('person', { id: 'a' }))
      demandSame(found, person('a', { score: 2.5 }), 'the later row stands')
      demandSame(await fixture.people(), ['a', 'b'], 'and there is one of it')
    },
  },
  {
    name: 'a composite primary key tells rows apart by all its columns',
    async check(fixture) {
      const rows = [purchase('a', 1, { amount: 1 }), purchase('a', 2), purchase('b', 1)]
      await fixture.put(1, 'purchase', rows)
      await fixture.put(1, 'purchase', [purchase('a', 2, { item: 'pen' })])
      const isGone = await fixture.transact([1], (tx) =>
        tx.delete('purchase', { no: 1, person_id: 'b' }),
      )
      demand(isGone, 'delete finds a row by both columns')
      const found = await fixture.scan({ table: 'purchase', orderBy: [{ column: 'no' }] })
      const expected = [rows[0], purchase('a', 2, { item: 'pen' })]
      demandSame(found, expected, 'put and delete meet exactly one row')
    },
  },
  {
    name: 'delete gives true where there was a row, and false after that',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const given = await fixture.transact([1], async (tx) => [
        await tx.delete('person', { id: 'a' }),
        await tx.delete('person', { id: 'a' }),
        await tx.get('person', { id: 'a' }),
      ])
      demandSame(given, [true, false, undefined], 'delete tells whether there was a row')
      demandSame(await fixture.placed('person'), [], 'the row is gone')
    },
  },
  {
    name: 'a transaction sees what it wrote, others not before it commits',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b', { age: 1 })])
      const writer = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      const tx = writer.tx(1)
      await tx.put('person', person('c', { age: 3 }))
      await tx.put('person', person('b', { age: 2 }))
      await tx.delete('person', { id: 'a' })
      const own = await tx.select({ table: 'person', orderBy: [{ column: 'id' }] })
      const expected = [person('b', { age: 2 }), person('c', { age: 3 })]
      demandSame(own, expected, 'select shows what was written in the same transaction')
      demandSame(await tx.get('person', { id: 'a' }), undefined, 'get shows it as well')
      demandSame(await fixture.people(), ['a', 'b'], 'a scan does not show it')
      const others = await fixture.read([1], (reader) => reader.get('person', { id: 'b' }))
      demandSame(others, person('b', { age: 1 }), 'a reader is not shown it')
      await writer.commit()
      demandSame(await fixture.people(), ['b', 'c'], 'after the commit all see it')
    },
  },
  {
    name: 'a rollback leaves nothing, and is safe twice and after a commit',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const undone = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await undone.tx(1).put('person', person('b'))
      await undone.tx(1).delete('person', { id: 'a' })
      await undone.rollback()
      await undone.rollback()
      await demandRefusal(() => undone.commit(), 'what was rolled back cannot commit')
      demandSame(await fixture.placed('person'), ['1:a'], 'a rollback undoes everything')
      const done = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await done.tx(1).put('person', person('c'))
      await done.commit()
      await done.rollback()
      demandSame(await fixture.people(), ['a', 'c'], 'a rollback after the commit does nothing')
    },
  },
  {
    name: 'statements that are not awaited run in order, and the commit waits for them',
    async check(fixture) {
      await fixture.transact([1], (tx) => {
        tx.put('person', person('a', { age: 1 }))
        tx.put('person', person('b'))
        tx.put('person', person('a', { age: 2 }))
        tx.delete('person', { id: 'b' })
      })
      const found = await fixture.scan({ table: 'person' })
      demandSame(found, [person('a', { age: 2 })], 'each took effect after the one before')
    },
  },
  {
    name: 'a statement that is refused undoes the transaction, awaited or not',
    async check(fixture) {
      const unawaited = () =>
        fixture.transact([1], (tx) => {
          tx.put('person', person('a'))
          tx.put('person', { ...person('b'), id: null })
          tx.put('person', person('c'))
        })
      await demandRefusal(unawaited, 'the commit is refused with a statement that was not awaited')
      demandSame(await fixture.placed('person'), [], 'nothing of it remains')
      const caught = () =>
        fixture.transact([1], async (tx) => {
          await tx.put('person', person('a'))
          const bad = () => tx.put('person', { ...person('b'), id: null })
          await demandRefusal(bad, 'a row without its primary key is refused')
        })
      await demandRefusal(caught, 'the commit is refused though the refusal was caught')
      demandSame(await fixture.placed('person'), [], 'nothing of it remains')
    },
  },
  {
    name: 'rows of slots that were not claimed are not reached',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      const given = await fixture.transact([1], async (tx) => [
        await tx.get('person', { id: 'b' }),
        await tx.delete('person', { id: 'b' }),
        (await tx.select({ table: 'person' })).map((row) => row.id),
        (await tx.select({ table: 'person', slots: [1, 2] })).map((row) => row.id),
      ])
      demandSame(given, [undefined, false, ['a'], ['a']], 'a claim reaches its own slots alone')
      demandSame(await fixture.people(), ['a', 'b'], 'and changes nothing else')
    },
  },
  {
    name: 'rows keep the slots they were written under, also several in one transaction',
    async check(fixture) {
      await fixture.transact([1, 2, 4], (tx, transaction) =>
        Promise.all([
          tx.put('person', person('a')),
          transaction.tx(4).put('person', person('d')),
          transaction.tx(2).put('purchase', purchase('b', 1)),
          tx.put('purchase', purchase('a', 1)),
          transaction.tx(2).put('person', person('b')),
        ]),
      )
      demandSame(await fixture.placed('person'), ['1:a', '2:b', '4:d'], 'person by slot')
      demandSame(await fixture.placed('purchase'), ['1:a/1', '2:b/1'], 'purchase by slot')
      const both = await fixture.read([2, 4], (tx) => tx.select({ table: 'person' }))
      demandSame(both.map((row) => row.id).sort(), ['b', 'd'], 'a claim reads all its slots')
      const some = await fixture.read([1, 2, 4], (tx) => tx.select({ table: 'person', slots: [2] }))
      demandSame(
        some.map((row) => row.id),
        ['b'],
        'slots narrows it down',
      )
    },
  },
  {
    name: 'a write under a slot that was not claimed is refused',
    async check(fixture) {
      const write = () =>
        fixture.transact([1], (_tx, transaction) => transaction.tx(2).put('person', person('a')))
      await demandRefusal(write, 'slot 2 was not claimed')
      demandSame(await fixture.placed('person'), [], 'nothing was written')
    },
  },
  {
    name: 'a row of a sharded table is refused under the reference slot',
    async check(fixture) {
      const write = () => fixture.put(REFERENCE_SLOT, 'person', [person('a')])
      await demandRefusal(write, 'a sharded row needs a slot of its own')
      demandSame(await fixture.placed('person'), [], 'nothing was written')
    },
  },
  {
    name: 'a reference table is written under the reference slot and read under any',
    async check(fixture) {
      const rows = [
        { code: 'fr', name: 'France' },
        { code: 'nl', name: null },
      ]
      await fixture.put(REFERENCE_SLOT, 'country', rows)
      const given = await fixture.read([2], async (tx) => [
        await tx.get('country', { code: 'fr' }),
        await tx.select({ table: 'country', orderBy: [{ column: 'code' }] }),
      ])
      demandSame(given, [rows[0], rows], 'every claim reads reference tables')
      const scanned = await fixture.scan({ table: 'country', orderBy: [{ column: 'code' }] })
      demandSame(scanned, rows, 'a scan gives all rows of a reference table')
    },
  },
  {
    name: 'a read-only transaction cannot write',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const rule = 'a read-only transaction refuses it'
      await demandRefusal(() => fixture.read([1], (tx) => tx.put('person', person('b'))), rule)
      await demandRefusal(() => fixture.read([1], (tx) => tx.delete('person', { id: 'a' })), rule)
      await demandRefusal(() => fixture.read([1], (tx) => tx.mark('done')), rule)
      demandSame(await fixture.placed('person'), ['1:a'], 'nothing was changed')
      demand(await fixture.transact([1], (tx) => tx.mark('done')), 'nothing was remembered')
    },
  },
  {
    name: 'a read-only transaction sees one snapshot',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      const claim = { slots: [1], epoch: EPOCH }
      const reader = await fixture.engine.open(SHARD, claim, { readOnly: true })
      await reader.tx(1).get('person', { id: 'a' })
      await fixture.put(1, 'person', [person('a', { age: 2 }), person('b')])
      const seen = await reader.tx(1).select({ table: 'person' })
      demandSame(seen, [person('a', { age: 1 })], 'what is committed later does not show')
      await reader.commit()
    },
  },
  {
    name: 'two writers of one row end as one of them did, never as a mixture',
    async check(fixture) {
      const write = (age: number) =>
        fixture.transact([1], async (tx) => {
          await tx.put('person', person('a', { age }))
          await tx.put('person', person('b', { age }))
          return age
        })
      const ended = await Promise.allSettled([write(1), write(2), write(3)])
      const committed = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const rows = await fixture.scan({ table: 'person' })
      demand(committed.length > 0, 'one of several writers commits')
      demand(rows.length === 2, 'both rows of it are there')
      demand(rows[0]!.age === rows[1]!.age, 'both rows are of one writer')
      demand(committed.includes(Number(rows[0]!.age)), 'and that writer committed')
    },
  },
  {
    name: 'a name is marked once, until it is unmarked',
    async check(fixture) {
      const given = await fixture.transact([1], async (tx) => [
        await tx.mark('a'),
        await tx.mark('a'),
        await tx.mark('b'),
        await tx.unmark('b'),
        await tx.unmark('b'),
      ])
      demandSame(given, [true, false, true, true, false], 'mark and unmark tell what was there')
      const later = await fixture.transact([2], async (tx) => [
        await tx.mark('a'),
        await tx.mark('b'),
      ])
      demandSame(later, [false, true], 'names are of the shard, not of the slot')
    },
  },
  {
    name: 'a mark is part of its transaction, and of its shard',
    shards: ['s1', 's2'],
    async check(fixture) {
      const undone = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await undone.tx(1).mark('a')
      await undone.rollback()
      demand(await fixture.transact([1], (tx) => tx.mark('a')), 'a rollback forgets a mark')
      const other = await fixture.transact([1], (tx) => tx.mark('a'), { shard: 's2' })
      demand(other, 'the other shard knows nothing of it')
      await fixture.reopen()
      demand(!(await fixture.transact([1], (tx) => tx.mark('a'))), 'a mark survives a crash')
    },
  },
]
