// Change capture: every committed change of a captured slot is noted until it is acknowledged, by
// whichever way it committed and in whichever order. That a change is noted which did not happen
// is allowed to a log that cannot tell; a trigger can.

import { REFERENCE_SLOT } from '../engine.ts'
import { demand, demandSame } from './conformance-case.ts'
import { type EngineRule, EPOCH, sqlTx } from './engine-fixture.ts'
import {
  captureRules,
  demandChanged,
  FROM,
  keysOf,
  keyText,
  LEASE,
  markKey,
  NASTY,
  personKey,
  TO,
} from './mover-fixture.ts'
import { person, purchase } from './standard-tables.ts'

export const MOVER_CAPTURE_RULES: readonly EngineRule[] = captureRules([
  {
    name: 'rows put, replaced and deleted are noted, in every table, and marks',
    async check(fixture) {
      await fixture.put(1, 'person', [person('gone'), person('changed')])
      await fixture.put(1, 'purchase', [purchase('changed', 1)])
      await fixture.mark(1, 'old')
      await fixture.start([1])
      demandSame(await fixture.changed(), [], 'nothing has changed since')
      await fixture.put(1, 'person', [person('changed', { age: 1 }), person("new'\\é🗿")])
      await fixture.remove(1, 'person', { id: 'gone' })
      await fixture.remove(1, 'purchase', { person_id: 'changed', no: 1 })
      await fixture.at.transact([1], async (tx) => {
        await tx.mark('new')
        await tx.unmark('old')
      })
      const expected = [
        ...["new'\\é🗿", 'changed', 'gone'].map(personKey),
        { table: 'purchase', primaryKey: { person_id: 'changed', no: 1 } },
        ...['new', 'old'].map(markKey),
      ]
      const found = await fixture.changed()
      demandSame(found, expected.map(keyText).sort(), 'every key that changed, as its table has it')
      demandSame(await fixture.changed(), found, 'until it is acknowledged')
    },
  },
  {
    name: 'keys and rows of all kinds arrive',
    async check(fixture) {
      await fixture.put(1, 'person', [person('it\'s "gone", {\\}')])
      await fixture.copy([1])
      await fixture.start([1])
      await fixture.remove(1, 'person', { id: 'it\'s "gone", {\\}' })
      await fixture.put(1, 'person', NASTY)
      const orders = NASTY.map(({ id }, at) =>
        purchase(String(id), at - 3, { amount: -(2n ** 62n) }),
      )
      await fixture.put(1, 'purchase', orders)
      for (const { id } of NASTY) await fixture.mark(1, `mark ${id}`)
      demandSame((await fixture.changed()).length, 3 * NASTY.length + 1, 'each key by itself')
      await fixture.drain([1], 5)
      await fixture.demandEqual([1], 'they are what they were')
      demandSame(await fixture.changed(), [], 'and acknowledged')
    },
  },
  {
    name: 'a name that is forgotten under another slot is noted under its own',
    async check(fixture) {
      await fixture.mark(1, 'm')
      await fixture.copy([1])
      await fixture.start([1])
      await fixture.at.transact([2], (tx) => tx.unmark('m'))
      demandSame(await fixture.changed(), [keyText(markKey('m'))], 'names are of the whole shard')
      await fixture.drain([1])
      demandSame(await fixture.marks(TO, ['m'], 1), [], 'it is forgotten at the target as well')
    },
  },
  {
    name: 'a key tells the slot that it changed under, or none',
    async check(fixture) {
      await fixture.start([1, 2])
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      await fixture.mark(2, 'm')
      await fixture.remove(2, 'person', { id: 'b' })
      for (const key of await fixture.changes()) {
        const slot = keyText(key) === keyText(personKey('a')) ? 1 : 2
        demand(key.slot === undefined || key.slot === slot, `${keyText(key)} is of slot ${slot}`)
      }
    },
  },
  {
    name: 'other slots and reference tables are not noted, nor what was undone',
    async check(fixture) {
      await fixture.start([1])
      await fixture.put(2, 'person', [person('other')])
      await fixture.put(REFERENCE_SLOT, 'country', [{ code: 'fr', name: 'France' }])
      const undone = await fixture.writer([1], (tx) => tx.put('person', person('undone')))
      await undone.rollback()
      const open = await fixture.at.engine.open(FROM, { slots: [1], epoch: EPOCH })
      await open.tx(1).put('person', person('undone'))
      await open.prepare('t1')
      await fixture.at.engine.resolve(FROM, 't1', 'rollback')
      await fixture.put(1, 'person', [person('a')])
      await demandChanged(fixture, ['a'], 'only what changed')
    },
  },
  {
    name: 'a key that changed often is given once',
    async check(fixture) {
      await fixture.start([1])
      for (let age = 0; age < 5; age++) await fixture.put(1, 'person', [person('a', { age })])
      await fixture.remove(1, 'person', { id: 'a' })
      await fixture.at.transact([1], async (tx) => {
        await tx.put('person', person('a'))
        await tx.delete('person', { id: 'a' })
        await tx.put('person', person('a', { age: 7 }))
      })
      const texts = (await fixture.changes()).map(keyText)
      demandSame(texts, keysOf('a'), 'each key once')
    },
  },
  {
    name: 'acknowledge forgets exactly what it was given, none that came since',
    async check(fixture) {
      const { mover } = fixture
      await fixture.start([1])
      await fixture.put(1, 'person', [person('a'), person('b')])
      const batch = await mover.changes(FROM, LEASE, 100)
      await fixture.put(1, 'person', [person('b', { age: 1 }), person('c')])
      await mover.acknowledge(FROM, LEASE, batch)
      demandSame(await fixture.changed(), keysOf('b', 'c'), 'b changed again, c came since')
      await mover.acknowledge(FROM, LEASE, batch)
      demandSame(await fixture.changed(), keysOf('b', 'c'), 'also when it is said twice')
      await fixture.forget()
      demandSame(await fixture.changed(), [], 'and nothing is left that was acknowledged')
    },
  },
  {
    name: 'a change that began before others and committed after them is not lost',
    async check(fixture) {
      await fixture.start([1, 2])
      const slow = await fixture.writer([1], (tx) => tx.put('person', person('slow')))
      const fast = fixture.put(2, 'person', [person('fast')])
      // Where one writer goes at a time it comes after the slow one.
      const isSerial = await fixture.at.waits(fast)
      if (isSerial) await slow.commit()
      await fast
      const batch = await fixture.mover.changes(FROM, LEASE, 100)
      demand(batch.isAll, 'all that had committed')
      await fixture.mover.acknowledge(FROM, LEASE, batch)
      if (isSerial) return
      await slow.commit()
      demandSame(await fixture.changed(), keysOf('slow'), 'it is given once it has committed')
    },
  },
  {
    name: 'a key that is being written while it is acknowledged is given again',
    async check(fixture) {
      await fixture.start([1])
      await fixture.put(1, 'person', [person('a')])
      const batch = await fixture.mover.changes(FROM, LEASE, 100)
      const open = await fixture.writer([1], (tx) => tx.put('person', person('a', { age: 1 })))
      const acknowledged = fixture.mover.acknowledge(FROM, LEASE, batch)
      await fixture.at.waits(acknowledged)
      await open.commit()
      await acknowledged
      demandSame(await fixture.changed(), keysOf('a'), 'the later change is not forgotten')
    },
  },
  {
    name: 'a batch has about as many keys as were asked for, and says whether there are more',
    async check(fixture) {
      await fixture.start([1])
      const ids = Array.from({ length: 45 }, (_, at) => `p${at}`)
      for (let at = 0; at < 45; at += 3) {
        const rows = ids.slice(at, at + 3).map((id) => person(id))
        await fixture.put(1, 'person', rows)
      }
      const seen: string[] = []
      for (let isAll = false; !isAll; ) {
        const batch = await fixture.mover.changes(FROM, LEASE, 10)
        demand(batch.keys.length > 0 || batch.isAll, 'a batch that is not all has keys')
        demand(batch.keys.length <= 20, 'not many more than were asked for')
        demand(seen.length + batch.keys.length >= 45 || !batch.isAll, 'isAll when it is all')
        seen.push(...batch.keys.map(keyText))
        await fixture.mover.acknowledge(FROM, LEASE, batch)
        isAll = batch.isAll
      }
      demandSame(seen.sort(), keysOf(...ids), 'all of them, one after another')
    },
  },
  {
    name: 'what was prepared is noted when it is resolved, after a crash too',
    async check(fixture) {
      await fixture.start([1])
      for (const name of ['t1', 't2']) {
        const open = await fixture.at.engine.open(FROM, { slots: [1], epoch: EPOCH })
        await open.tx(1).put('person', person(name))
        await open.tx(1).mark(name)
        const redo = await open.prepare(name)
        await fixture.forget()
        if (name === 't2') await fixture.at.reopen()
        await fixture.at.engine.resolve(FROM, name, 'commit', redo)
        const expected = [...keysOf(name), keyText(markKey(name))].sort()
        const found = await fixture.changed()
        const missing = expected.filter((text) => !found.includes(text))
        demandSame(missing, [], 'what was prepared is noted by its commit')
      }
    },
  },
  {
    name: 'a row that goes from one slot to another is noted for both',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.start([1, 2])
      await fixture.at.transact([1, 2], (_, open) => open.tx(2).put('person', person('a')))
      const keys = (await fixture.changes()).filter(({ table }) => table === 'person')
      const slots = keys.map(({ slot }) => slot).sort()
      const isBoth = slots.includes(undefined) || (slots.includes(1) && slots.includes(2))
      demand(isBoth, 'the key is given for both slots, or for no certain one')
    },
  },
  {
    name: 'what was captured, and that it is, survives a crash',
    async check(fixture) {
      await fixture.start([1])
      await fixture.put(1, 'person', [person('a')])
      await fixture.at.reopen()
      await fixture.put(1, 'person', [person('b')])
      demandSame(await fixture.changed(), keysOf('a', 'b'), 'changes before and after it')
      await fixture.forget()
      await fixture.at.reopen()
      demandSame(await fixture.changed(), [], 'what was acknowledged stays forgotten')
    },
  },
  {
    name: 'what moves rows is not noted',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      await fixture.mark(1, 'm')
      await fixture.start([1, 2], { shard: TO })
      await fixture.copy([1])
      await fixture.remove(1, 'person', { id: 'a' })
      await fixture.apply([personKey('a'), personKey('b'), markKey('m')], [1])
      await fixture.mover.copyReference(FROM, TO, LEASE)
      await fixture.mover.clean(TO, LEASE, [1], 100)
      demandSame(await fixture.changed(TO), [], 'copies, applied changes and cleaning are no news')
    },
  },
])

/** Rules about statements; they are left out where `query` is not there. */
export const MOVER_SQL_RULES: readonly EngineRule[] = captureRules([
  {
    name: 'a changed primary key is noted as the old one and the new',
    async check(fixture) {
      await fixture.put(1, 'purchase', [purchase('a', 1), purchase('a', 2)])
      await fixture.start([1])
      await fixture.copy([1])
      const update = 'UPDATE purchase SET no = no + 10 WHERE no = $1'
      await fixture.at.transact([1], (tx) => sqlTx(tx).query(update, [1]), { shard: FROM })
      const found = await fixture.changed()
      const keys = [1, 11].map((no) => ({ table: 'purchase', primaryKey: { person_id: 'a', no } }))
      demandSame(found, keys.map(keyText).sort(), 'both keys, and no other row')
      await fixture.drain([1])
      await fixture.demandEqual([1], 'the target has it under its new key alone')
    },
  },
  {
    name: 'statements on many rows are noted row by row',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b'), person('c')])
      await fixture.put(2, 'person', [person('d')])
      await fixture.start([1])
      await fixture.at.transact([1], async (tx) => {
        await sqlTx(tx).query("UPDATE person SET age = 1 WHERE id <> 'd'")
        await sqlTx(tx).query('DELETE FROM person WHERE id = $1', ['b'])
      })
      await demandChanged(fixture, ['a', 'b', 'c'], 'each row of the slot')
    },
  },
])
