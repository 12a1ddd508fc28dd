// The end of a job: rows that were moved away are deleted where nobody owns them, and everything
// the job has put on a shard is taken away, so that nothing tells that there was one but a token.

import { demand, demandCode, demandSame } from './conformance-case.ts'
import { type EngineRule, EPOCH } from './engine-fixture.ts'
import {
  FROM,
  keyText,
  LEASE,
  type MoverFixture,
  type MoverRule,
  moverRules,
  personKey,
  TO,
} from './mover-fixture.ts'
import { person, purchase } from './standard-tables.ts'

/** What is left on both shards. */
async function traces({ mover }: MoverFixture): Promise<readonly string[]> {
  return [...(await mover.traces(FROM)), ...(await mover.traces(TO))]
}

const CLEANS: readonly MoverRule[] = [
  {
    name: 'clean deletes what lies under slots that are not owned, about so many at once',
    async check(fixture) {
      const { mover } = fixture
      await fixture.put(
        1,
        'person',
        Array.from({ length: 25 }, (_, at) => person(`p${at}`)),
      )
      await fixture.put(1, 'purchase', [purchase('p1', 1), purchase('p2', 1)])
      await fixture.mark(1, 'm')
      await fixture.put(2, 'person', [person('kept')])
      await fixture.mark(2, 'kept')
      await fixture.fence(FROM, 'moved', [1])
      const counts: number[] = []
      do counts.push(await mover.clean(FROM, LEASE, [1, 4], 10))
      while (counts.at(-1) !== 0)
      const sum = counts.reduce((total, count) => total + count, 0)
      demandSame(sum, 28, 'it tells how many it deleted, marks included')
      demand(Math.max(...counts) <= 20, 'not many more at once than were asked for')
      const left = { 'person 2': [person('kept')] }
      demandSame(await fixture.rows(FROM, [1, 2, 3]), left, 'rows of other slots stay')
      demandSame(await fixture.marks(FROM, ['m', 'kept'], 2), ['kept'], 'marks likewise')
      demandSame(await mover.clean(FROM, LEASE, [], 10), 0, 'of no slots, nothing')
    },
  },
  {
    name: 'clean refuses slots that the shard owns or has frozen, deleting nothing',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b')])
      await fixture.put(3, 'person', [person('c')])
      await fixture.fence(FROM, 'moved', [1])
      await fixture.fence(FROM, 'frozen', [3])
      const before = await fixture.rows(FROM, [1, 2, 3])
      for (const slot of [2, 3]) {
        const clean = () => fixture.mover.clean(FROM, LEASE, [1, slot], 10)
        await demandCode(clean, 'PLAN_CONFLICT', `slot ${slot} is the shard's`)
      }
      demandSame(await fixture.rows(FROM, [1, 2, 3]), before, 'nothing is deleted')
    },
  },
]

const RELEASES: readonly MoverRule[] = [
  {
    name: 'release leaves no traces, but rows, fences and the token',
    async check(fixture) {
      demandSame(await traces(fixture), [], 'no job was here')
      await fixture.put(1, 'person', [person('a')])
      await fixture.start([1])
      await fixture.start([], { shard: TO })
      await fixture.copy([1])
      await fixture.put(1, 'person', [person('b')])
      for (const shard of [FROM, TO]) {
        demand((await fixture.mover.traces(shard)).length > 0, `there are traces on ${shard}`)
      }
      const fencesBefore = await fixture.at.engine.fences(FROM)
      for (const shard of [FROM, TO, FROM]) await fixture.mover.release(shard, LEASE)
      demandSame(await traces(fixture), [], 'a job that was released leaves nothing')
      await fixture.at.reopen()
      demandSame(await traces(fixture), [], 'nor does a crash bring it back')
      demandSame(await fixture.at.engine.fences(FROM), fencesBefore, 'fences stay')
      demandSame(await fixture.rows(TO, [1]), { 'person 1': [person('a')] }, 'rows stay')
      demandSame(await fixture.mover.position(FROM, TO, LEASE.job), 0, 'no position is known')
      const early = { job: LEASE.job, token: LEASE.token - 1 }
      await demandCode(() => fixture.mover.claim(TO, early), 'FENCED', 'its token stays')
      await fixture.put(1, 'person', [person('c')])
      await fixture.remove(1, 'person', { id: 'a' })
    },
  },
  {
    name: 'after a release the job, or another, begins with nothing captured',
    async check(fixture) {
      await fixture.start([1])
      await fixture.put(1, 'person', [person('a')])
      await fixture.mover.release(FROM, LEASE)
      await fixture.put(1, 'person', [person('b')])
      await fixture.start([2])
      await fixture.put(1, 'person', [person('c')])
      await fixture.put(2, 'person', [person('d')])
      const known = fixture.capture === 'trigger' ? await fixture.changed() : []
      const expected = fixture.capture === 'trigger' ? [keyText(personKey('d'))] : []
      demandSame(known, expected, 'the same job')
      await fixture.mover.release(FROM, LEASE)
      const lease = { job: 'another', token: 1 }
      await fixture.mover.claim(FROM, lease)
      await fixture.start([1], { lease })
      await fixture.put(1, 'person', [person('e')])
      const { keys } = await fixture.mover.changes(FROM, lease, 10)
      demandSame(keys.map(keyText), [keyText(personKey('e'))], 'another job')
    },
  },
  {
    name: 'what was released of one shard stays on another',
    async check(fixture) {
      await fixture.start([1])
      await fixture.copy([1], 1)
      await fixture.mover.release(FROM, LEASE)
      demandSame(await fixture.mover.traces(FROM), [], 'one is released')
      demandSame(await fixture.mover.position(FROM, TO, LEASE.job), 1, 'the other is not')
    },
  },
  {
    name: 'arriving slots are shut, and their rows nobody counts',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.copy([1])
      await fixture.mover.setFences(TO, LEASE, [{ slot: 1, state: 'arriving', epoch: EPOCH }])
      const place = { shard: TO }
      const read = () => fixture.at.read([1], (tx) => tx.get('person', { id: 'a' }), place)
      await demandCode(read, 'SHARD_FROZEN', 'no reads')
      await demandCode(
        () => fixture.put(1, 'person', [person('b')], TO),
        'SHARD_FROZEN',
        'no writes',
      )
      demandSame(await fixture.at.people(place), [], 'scans do not count them')
    },
  },
]

export const MOVER_CLEAN_RULES: readonly EngineRule[] = moverRules([...CLEANS, ...RELEASES])
