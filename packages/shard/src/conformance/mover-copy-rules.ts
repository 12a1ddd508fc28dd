// Copies and applied changes: what lies under the slots at the target is then what lies there at
// the source, nothing else of the target is touched, and what it owns is never written over.

import { REFERENCE_SLOT, type Row } from '../engine.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import type { EngineRule } from './engine-fixture.ts'
import {
  FROM,
  LEASE,
  LONG_MS,
  type MoverFixture,
  type MoverRule,
  markKey,
  moverRules,
  NASTY,
  personKey,
  TO,
} from './mover-fixture.ts'
import { person, purchase } from './standard-tables.ts'

/** Puts rows on the second shard under a slot it does not own, as an earlier job leaves them. */
async function leave(fixture: MoverFixture, slot: number, rows: readonly Row[]): Promise<void> {
  await fixture.fence(TO, 'owned', [slot])
  await fixture.put(slot, 'person', rows, TO)
  await fixture.mark(slot, `left ${slot}`, TO)
  await fixture.fence(TO, 'moved', [slot])
}

const COPIES: readonly MoverRule[] = [
  {
    name: 'copy takes the rows of its slots, and their marks, as they are, and no others',
    async check(fixture) {
      await fixture.put(1, 'person', NASTY)
      await fixture.put(1, 'purchase', [purchase('', 1, { item: '' }), purchase('\\N', -1)])
      await fixture.put(2, 'person', [person('b')])
      await fixture.put(3, 'person', [person('c')])
      await fixture.put(4, 'person', [person('d')], TO)
      const before = await fixture.rows(FROM, [1, 2, 3])
      const size = await fixture.copy([1, 2])
      demandSame(size.rows, NASTY.length + 3, 'it tells how many rows it copied')
      demand(size.bytes > 0, 'and about how many bytes')
      const { 'person 3': _, ...expected } = before
      const there = { ...expected, 'person 4': [person('d')] }
      demandSame(await fixture.rows(TO, [1, 2, 3, 4]), there, 'every value is the same')
      demandSame(await fixture.rows(FROM, [1, 2, 3]), before, 'the source is as it was')
    },
  },
  {
    name: 'copy takes marks with their slots',
    async check(fixture) {
      await fixture.mark(1, "m\t'é")
      await fixture.mark(2, 'n')
      await fixture.mark(3, 'other')
      await fixture.copy([1, 2])
      const known = await fixture.marks(TO, ["m\t'é", 'n', 'other'], 1)
      demandSame(known, ["m\t'é", 'n'], 'names are remembered where their slot has come')
      await fixture.fence(TO, 'owned', [1])
      const again = () => fixture.at.transact([1], (tx) => tx.unmark("m\t'é"), { shard: TO })
      demandSame([await again(), await again()], [true, false], 'and can be forgotten there')
    },
  },
  {
    name: 'copy puts rows in place of what an earlier job has left under its slots',
    async check(fixture) {
      await leave(fixture, 1, [person('a', { age: 1 }), person('old')])
      await leave(fixture, 2, [person('b', { age: 1 })])
      await fixture.put(1, 'person', [person('a', { age: 2 }), person('new')])
      await fixture.copy([1])
      const expected = {
        'person 1': [person('a', { age: 2 }), person('new')],
        'person 2': [person('b', { age: 1 })],
      }
      demandSame(await fixture.rows(TO, [1, 2]), expected, 'those of its slots, and no others')
      const marks = await fixture.marks(TO, ['left 1', 'left 2'], 2)
      demandSame(marks, ['left 2'], 'and marks likewise')
      await fixture.copy([1])
      demandSame(await fixture.rows(TO, [1, 2]), expected, 'again gives the same')
    },
  },
  {
    name: 'copy removes leftovers of other slots that the target does not own from its way',
    async check(fixture) {
      await leave(fixture, 3, [person('a', { age: 1 }), person('b')])
      await fixture.put(1, 'person', [person('a', { age: 2 })])
      await fixture.mark(1, 'left 3')
      await fixture.copy([1])
      const expected = { 'person 1': [person('a', { age: 2 })], 'person 3': [person('b')] }
      demandSame(await fixture.rows(TO, [1, 3]), expected, 'a row has its primary key to itself')
      await fixture.demandEqual([1], 'the mark too')
    },
  },
  {
    name: 'copy refuses a primary key that a row of the target has, changing nothing',
    async check(fixture) {
      await fixture.put(4, 'person', [person('a', { age: 4 })], TO)
      await leave(fixture, 1, [person('left')])
      await fixture.put(1, 'person', [person('a', { age: 1 }), person('b')])
      const before = await fixture.rows(TO, [1, 2, 3, 4])
      for (const state of ['owned', 'frozen', 'arriving'] as const) {
        await fixture.fence(TO, state, [4])
        const rule = `a primary key taken at the target, ${state}`
        await demandCode(() => fixture.copy([1]), 'PLAN_CONFLICT', rule)
        demandSame(await fixture.rows(TO, [1, 2, 3, 4]), before, `${rule}: nothing is changed`)
        demandSame(await fixture.mover.position(FROM, TO, LEASE.job), 0, 'nor the position')
      }
    },
  },
  {
    name: 'copy sees one moment of all tables',
    async check(fixture) {
      const write = async () => {
        for (let age = 0; age < 25; age++) {
          await fixture.at.transact([1, 2], async (tx, open) => {
            await tx.put('person', person('a', { age }))
            await open.tx(2).put('person', person('b', { age }))
            await tx.put('purchase', purchase('a', 1, { amount: age }))
          })
        }
      }
      const copy = async () => {
        for (let i = 0; i < 8; i++) {
          await fixture.copy([1, 2])
          const found = await fixture.rows(TO, [1, 2])
          const [a, b] = [found['person 1']?.[0]?.age, found['person 2']?.[0]?.age]
          const amount = found['purchase 1']?.[0]?.amount
          const isWhole = a === b && String(a) === String(amount)
          demand(isWhole, `a copy has whole transactions; it had ${a}, ${b}, ${amount}`)
        }
      }
      await Promise.all([write(), copy()])
    },
  },
  {
    name: 'copy does not see what has not committed, nor wait for it',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      const open = await fixture.writer([1], (tx) => tx.put('person', person('a', { age: 2 })))
      await fixture.copy([1])
      const expected = { 'person 1': [person('a', { age: 1 })] }
      demandSame(await fixture.rows(TO, [1]), expected, 'what was there before')
      await open.commit()
    },
  },
  {
    name: 'copy takes any number of rows, none at all, and slots that hold none',
    async check(fixture) {
      const rows = Array.from({ length: 2_500 }, (_, at) => person(`p${at}`, { age: at }))
      await fixture.put(1, 'person', rows)
      demandSame((await fixture.copy([2, 3], 2)).rows, 0, 'no rows')
      demandSame((await fixture.copy([], 2)).rows, 0, 'no slots')
      demandSame((await fixture.copy([1], 3)).rows, 2_500, 'many rows')
      await fixture.demandEqual([1, 2, 3], 'they are there')
    },
  },
  {
    name: 'an aborted signal refuses copy with its reason, changing nothing',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const signal = AbortSignal.abort('enough')
      const unit = { slots: [1], position: 1 }
      const copy = () => fixture.mover.copy(FROM, TO, LEASE, unit, { signal })
      demandSame(await demandRefusal(copy, 'an aborted copy'), 'enough', 'with the reason')
      demandSame(await fixture.rows(TO, [1]), {}, 'nothing was copied')
      demandSame(await fixture.mover.position(FROM, TO, LEASE.job), 0, 'nor noted')
    },
  },
  {
    name: 'the position is noted with the copy, for each pair and job, and survives a crash',
    async check(fixture) {
      const { mover } = fixture
      const positions = () =>
        Promise.all([
          fixture.mover.position(FROM, TO, LEASE.job),
          fixture.mover.position(TO, FROM, LEASE.job),
          fixture.mover.position(FROM, TO, 'another'),
        ])
      demandSame(await positions(), [0, 0, 0], 'no copy has begun')
      await fixture.copy([1], 1)
      await fixture.copy([2, 3], 3)
      await mover.setPosition(TO, FROM, LEASE, 7)
      demandSame(await positions(), [3, 7, 0], 'the last one is noted')
      await fixture.at.reopen()
      demandSame(await positions(), [3, 7, 0], 'and kept')
      await fixture.mover.setPosition(FROM, TO, LEASE, 0)
      demandSame(await positions(), [0, 7, 0], 'and can be set back')
    },
  },
]

const APPLIES: readonly MoverRule[] = [
  {
    name: 'apply makes rows what they are at the source now, however often',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b'), ...NASTY])
      await fixture.put(1, 'purchase', [purchase('a', 1), purchase('a', 2)])
      await fixture.mark(1, 'old')
      await fixture.copy([1])
      await fixture.put(1, 'person', [person('a', { name: '\\N\t', age: 1 }), person('c')])
      await fixture.remove(1, 'person', { id: 'b' })
      await fixture.remove(1, 'purchase', { person_id: 'a', no: 2 })
      await fixture.at.transact([1], async (tx) => {
        await tx.unmark('old')
        await tx.mark('new')
      })
      const keys = [
        ...['a', 'b', 'c', 'never', ''].map(personKey),
        ...[1, 2, 3].map((no) => ({ table: 'purchase', primaryKey: { person_id: 'a', no } })),
        ...['old', 'new', 'never'].map(markKey),
      ]
      for (let i = 0; i < 3; i++) {
        await fixture.apply(keys, [1])
        await fixture.demandEqual([1], 'put, replaced and deleted')
      }
      demandSame(await fixture.marks(TO, ['old', 'new', 'never'], 1), ['new'], 'marks as well')
      await fixture.apply([], [1])
      await fixture.demandEqual([1], 'no keys, no change')
    },
  },
  {
    name: 'apply takes any number of keys',
    async check(fixture) {
      const ids = Array.from({ length: 2_500 }, (_, at) => `p${at}`)
      await fixture.put(
        1,
        'person',
        ids.map((id, at) => person(id, { age: at })),
      )
      await fixture.apply([...ids, 'never'].map(personKey), [1])
      await fixture.demandEqual([1], 'all of them')
    },
  },
  {
    name: 'apply lets rows of other slots be, at both ends',
    async check(fixture) {
      await leave(fixture, 2, [person('kept')])
      await fixture.put(2, 'person', [person('elsewhere')])
      await fixture.put(4, 'person', [person('d')], TO)
      await fixture.put(1, 'person', [person('a')])
      const keys = ['kept', 'elsewhere', 'd', 'a'].map(personKey)
      await fixture.apply([...keys, markKey('left 2')], [1])
      const expected = {
        'person 1': [person('a')],
        'person 2': [person('kept')],
        'person 4': [person('d')],
      }
      demandSame(await fixture.rows(TO, [1, 2, 3, 4]), expected, 'only rows of the slots given')
      demandSame(await fixture.marks(TO, ['left 2'], 2), ['left 2'], 'marks likewise')
      await fixture.apply([personKey('a')], [])
      demandSame(await fixture.rows(TO, [1, 2, 3, 4]), expected, 'of no slot, none')
    },
  },
  {
    name: 'apply follows a row from one slot to another',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      await fixture.copy([1, 2])
      await fixture.at.transact([1, 2, 3], async (_, open) => {
        await open.tx(2).put('person', person('a', { age: 2 }))
        await open.tx(3).put('person', person('b', { age: 3 }))
      })
      await fixture.apply(['a', 'b'].map(personKey), [1, 2])
      const expected = { 'person 2': [person('a', { age: 2 })] }
      demandSame(await fixture.rows(TO, [1, 2, 3]), expected, 'and deletes it where it has left')
    },
  },
  {
    name: 'apply refuses a primary key that a row of the target has, changing nothing',
    async check(fixture) {
      await fixture.put(4, 'person', [person('b', { age: 4 })], TO)
      await fixture.put(1, 'person', [person('a'), person('b', { age: 1 })])
      const before = await fixture.rows(TO, [1, 2, 3, 4])
      const apply = () => fixture.apply(['a', 'b'].map(personKey), [1])
      await demandCode(apply, 'PLAN_CONFLICT', 'a primary key taken at the target')
      demandSame(await fixture.rows(TO, [1, 2, 3, 4]), before, 'none of them is applied')
    },
  },
  {
    name: 'apply puts rows in place of leftovers of other slots',
    async check(fixture) {
      await leave(fixture, 3, [person('a', { age: 3 })])
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      await fixture.apply([personKey('a')], [1])
      const expected = { 'person 1': [person('a', { age: 1 })] }
      demandSame(await fixture.rows(TO, [1, 3]), expected, 'a row has its primary key to itself')
    },
  },
  {
    name: 'apply works while the source is frozen and the slots arrive',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.copy([1])
      await fixture.start([1])
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      await fixture.fence(TO, 'arriving', [1])
      await fixture.freeze([1], LONG_MS)
      await fixture.drain([1])
      await fixture.demandEqual([1], 'the last changes')
    },
  },
  {
    name: 'copyReference makes the reference tables what they are elsewhere, and nothing else',
    async check(fixture) {
      const countries = async (shard: string) =>
        fixture.at.scan({ table: 'country', orderBy: [{ column: 'code' }] }, { shard })
      await fixture.put(REFERENCE_SLOT, 'country', [
        { code: 'fr', name: 'France' },
        { code: '\\N', name: null },
      ])
      const stale = ['fr', 'xx'].map((code) => ({ code, name: 'stale' }))
      await fixture.put(REFERENCE_SLOT, 'country', stale, TO)
      await fixture.put(4, 'person', [person('d')], TO)
      await fixture.freeze([REFERENCE_SLOT])
      await fixture.fence(TO, 'moved', [REFERENCE_SLOT])
      for (let i = 0; i < 2; i++) await fixture.mover.copyReference(FROM, TO, LEASE)
      await fixture.fence(TO, 'owned', [REFERENCE_SLOT])
      demandSame(await countries(TO), await countries(FROM), 'the rows of the source')
      demandSame((await countries(FROM)).length, 2, 'which is as it was')
      demandSame(await fixture.rows(TO, [4]), { 'person 4': [person('d')] }, 'sharded rows stay')
    },
  },
]

export const MOVER_COPY_RULES: readonly EngineRule[] = moverRules([...COPIES, ...APPLIES])
