// How a capture begins: what was written before it is there to be copied, what is written after it
// is noted, and no writer falls between the two.

import { demand, demandSame } from './conformance-case.ts'
import type { EngineRule } from './engine-fixture.ts'
import {
  captureRules,
  demandChanged,
  FROM,
  keysOf,
  keyText,
  LEASE,
  MANY_SLOTS,
} from './mover-fixture.ts'
import { person } from './standard-tables.ts'

export const MOVER_START_RULES: readonly EngineRule[] = captureRules([
  {
    name: 'to start waits for writers that might be missed, or sees what they do',
    async check(fixture) {
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const started = fixture.start([1])
      const hasWaited = await fixture.at.waits(started)
      await writer.tx(1).put('person', person('b'))
      await writer.commit()
      await started
      const found = await fixture.changed()
      const isSeen = keysOf('a', 'b').every((text) => found.includes(text))
      demand(hasWaited || isSeen, 'capture began with a writer at work, and missed what it did')
      await fixture.put(1, 'person', [person('c')])
      demand((await fixture.changed()).includes(keysOf('c')[0]!), 'later writers are seen')
    },
  },
  {
    name: 'to start waits for a prepared transaction, or sees what it did',
    async check(fixture) {
      const open = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const redo = await open.prepare('t1')
      const started = fixture.start([1])
      const hasWaited = await fixture.at.waits(started)
      await fixture.at.engine.resolve(FROM, 't1', 'commit', redo)
      await started
      const isSeen = (await fixture.changed()).includes(keysOf('a')[0]!)
      demand(hasWaited || isSeen, 'capture began before it was resolved, and missed it')
    },
  },
  {
    name: 'BARRIER_TIMEOUT tells which writers did not end in time',
    async check(fixture) {
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const failed = await fixture.start([1], { maxMs: 150 }).then(
        () => undefined,
        (error: { readonly code?: unknown; readonly blockers?: unknown }) => error,
      )
      await writer.commit()
      if (failed === undefined) {
        demandSame(await fixture.changed(), keysOf('a'), 'whom it did not wait for, it has seen')
        return
      }
      demandSame(failed.code, 'BARRIER_TIMEOUT', 'the code of a barrier that took too long')
      const { blockers } = failed
      demand(Array.isArray(blockers) && blockers.length > 0, 'blockers names who still writes')
      demand(
        blockers.every((one) => typeof one === 'string' && one !== ''),
        'a blocker is a text',
      )
      await fixture.put(1, 'person', [person('b')])
      demandSame(await fixture.changed(), [], 'nothing is captured after it failed')
      await fixture.start([1])
      await fixture.put(1, 'person', [person('c')])
      demandSame(await fixture.changed(), keysOf('c'), 'it can be tried again')
    },
  },
  {
    name: 'a barrier that fails takes nothing away from a worker who has taken over',
    async check(fixture) {
      const next = { job: LEASE.job, token: LEASE.token + 1 }
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const early = fixture.start([1], { maxMs: 300 }).catch(() => undefined)
      await fixture.at.waits(early)
      const taken = fixture.mover.claim(FROM, next)
      await fixture.at.waits(taken)
      const started = taken.then(() => fixture.start([1], { lease: next }))
      await early
      await writer.commit()
      await started
      await fixture.put(1, 'person', [person('b')])
      const { keys } = await fixture.mover.changes(FROM, next, 10)
      const found = keys.map(keyText)
      demand(found.includes(keysOf('b')[0]!), 'the later worker captures')
    },
  },
  {
    name: 'slots come to those that are captured already; none is fine',
    async check(fixture) {
      await fixture.start([])
      await fixture.put(1, 'person', [person('a')])
      await demandChanged(fixture, [], 'no slot is captured yet')
      await fixture.start([1])
      await fixture.put(1, 'person', [person('b')])
      await fixture.start([2])
      await fixture.start([2])
      await fixture.start([])
      await fixture.put(1, 'person', [person('c')])
      await fixture.put(2, 'person', [person('d')])
      await demandChanged(fixture, ['b', 'c', 'd'], 'slots stay captured, changes stay noted')
    },
  },
  {
    name: 'any number of slots can be captured at once',
    async check(fixture) {
      await fixture.start(MANY_SLOTS)
      await fixture.put(3, 'person', [person('a')])
      await demandChanged(fixture, ['a'], 'all of them are')
      await fixture.mover.setFences(FROM, LEASE, [], { end: MANY_SLOTS })
      await fixture.forget()
      await fixture.put(3, 'person', [person('b')])
      await demandChanged(fixture, [], 'none of them is')
    },
  },
])
