// Who may work on a shard, and when its fences change: a worker whose lease another has taken over
// changes nothing any more; a freeze waits for writers, for a bounded time; what is captured
// changes together with the fences.

import { type Fence, REFERENCE_SLOT } from '../engine.ts'
import type { ChangeBatch, MoveLease } from '../slot-mover.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineRule, EPOCH } from './engine-fixture.ts'
import {
  FROM,
  fences,
  keyText,
  LEASE,
  LONG_MS,
  type MoverFixture,
  type MoverRule,
  moverRules,
  personKey,
  TO,
} from './mover-fixture.ts'
import { person, STANDARD_TABLES } from './standard-tables.ts'

const NEXT: MoveLease = { job: LEASE.job, token: 2 }

/** Every method that takes a lease, tried with one. */
function everyLeased({ mover, capture }: MoverFixture, lease: MoveLease, batch: ChangeBatch) {
  const { tables } = STANDARD_TABLES
  const unit = { slots: [1], position: 9 }
  const start = { capture, slots: [2], tables, maxBarrierMs: LONG_MS }
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    claim: () => mover.claim(TO, lease),
    startCapture: () => mover.startCapture(TO, lease, start),
    changes: () => mover.changes(TO, lease, 10),
    acknowledge: () => mover.acknowledge(TO, lease, batch),
    copy: () => mover.copy(FROM, TO, lease, unit),
    setPosition: () => mover.setPosition(FROM, TO, lease, 9),
    apply: () => mover.apply(FROM, TO, lease, [{ ...personKey('a'), slot: 1 }], [1]),
    freeze: () => mover.freeze(TO, lease, fences('frozen', [4]), { maxMs: LONG_MS }),
    setFences: () => mover.setFences(TO, lease, fences('owned', [1], EPOCH + 1), { begin: [1] }),
    copyReference: () => mover.copyReference(FROM, TO, lease),
    clean: () => mover.clean(TO, lease, [2], 10),
    release: () => mover.release(TO, lease),
  }
  return calls
}

/** All that can be seen of the second shard. */
async function everything(fixture: MoverFixture): Promise<unknown> {
  const { mover, at } = fixture
  return {
    rows: await fixture.rows(TO, [1, 2, 3, 4]),
    fences: await at.engine.fences(TO),
    countries: await at.scan({ table: 'country' }, { shard: TO }),
    position: await mover.position(FROM, TO, LEASE.job),
    traces: await mover.traces(TO),
  }
}

/** The state of a fence of the first shard. */
async function stateOf({ at }: MoverFixture, slot: number): Promise<string | undefined> {
  const found = (await at.engine.fences(FROM)).find((one: Fence) => one.slot === slot)
  return found === undefined ? undefined : `${found.state} at ${found.epoch}`
}

const LEASES: readonly MoverRule[] = [
  {
    name: 'after a claim with a higher token every method refuses the earlier with FENCED',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(REFERENCE_SLOT, 'country', [{ code: 'fr', name: 'France' }])
      await fixture.put(4, 'person', [person('d')], TO)
      await fixture.fence(TO, 'owned', [2])
      await fixture.put(2, 'person', [person('left')], TO)
      await fixture.fence(TO, 'moved', [2])
      await fixture.start([4], { shard: TO })
      await fixture.put(4, 'person', [person('e')], TO)
      const batch = await fixture.mover.changes(TO, LEASE, 10)
      await fixture.mover.claim(TO, NEXT)
      const before = await everything(fixture)
      for (const [name, call] of Object.entries(everyLeased(fixture, LEASE, batch))) {
        await demandCode(call, 'FENCED', `${name} with a lease that is out of date`)
      }
      demandSame(await everything(fixture), before, 'the earlier worker changes nothing')
      await fixture.at.reopen()
      for (const [name, call] of Object.entries(everyLeased(fixture, LEASE, batch))) {
        await demandCode(call, 'FENCED', `${name} after a crash`)
      }
      const { keys } = await fixture.mover.changes(TO, NEXT, 10)
      demandSame(keys.map(keyText), [keyText(personKey('e'))], 'the later one finds all as it was')
    },
  },
  {
    name: 'who has claimed may do everything, and claim again',
    async check(fixture) {
      await fixture.mover.claim(TO, NEXT)
      await fixture.mover.claim(TO, NEXT)
      await fixture.start([], { shard: TO, lease: NEXT })
      const batch = await fixture.mover.changes(TO, NEXT, 10)
      for (const call of Object.values(everyLeased(fixture, NEXT, batch))) await call()
    },
  },
  {
    name: 'tokens are of a job: those of another are nothing to it',
    async check(fixture) {
      await fixture.mover.claim(TO, { job: 'earlier', token: 900 })
      const copied = fixture.copy([1]).then(
        () => 'copied',
        (error: unknown) => String(error),
      )
      demandSame(await copied, 'copied', 'a job goes on whatever the tokens of another are')
      const early = () => fixture.mover.claim(TO, { job: 'earlier', token: 899 })
      await demandCode(early, 'FENCED', 'which keeps its own')
    },
  },
  ...(['freeze', 'setFences'] as const).map(
    (method): MoverRule => ({
      name: `${method} that waits while another worker claims the shard is refused with FENCED`,
      async check(fixture) {
        const { mover, capture } = fixture
        const { tables } = STANDARD_TABLES
        const calls = {
          freeze: () => fixture.freeze([1]),
          setFences: () => mover.setFences(FROM, LEASE, fences('moved', [1], EPOCH + 1)),
          startCapture: () =>
            mover.startCapture(FROM, LEASE, { capture, slots: [1], tables, maxBarrierMs: LONG_MS }),
        }
        const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
        const late = calls[method]().then(
          () => 'done',
          (error: { readonly code?: unknown }) => error.code,
        )
        const hasWaited = await fixture.at.waits(late)
        const claimed = mover.claim(FROM, NEXT)
        // Where one writer goes at a time it comes after the other.
        const isSerial = await fixture.at.waits(claimed)
        await writer.commit()
        await claimed
        const end = await late
        if (isSerial || !hasWaited) return
        demandSame(end, 'FENCED', 'it came after the claim')
        demandSame(await stateOf(fixture, 1), `owned at ${EPOCH}`, 'and changed nothing')
      },
    }),
  ),
]

const FREEZES: readonly MoverRule[] = [
  {
    name: 'freeze waits for writers, who commit; later ones are refused with SHARD_FROZEN',
    async check(fixture) {
      await fixture.start([1])
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const frozen = fixture.freeze([1, 2])
      demand(await fixture.at.waits(frozen), 'a writer holds its slot')
      await writer.tx(1).put('person', person('b'))
      await writer.commit()
      await frozen
      const write = (slot: number) => () => fixture.put(slot, 'person', [person('late')])
      for (const slot of [1, 2]) await demandCode(write(slot), 'SHARD_FROZEN', 'no later writer')
      await fixture.put(3, 'person', [person('c')])
      const read = await fixture.at.read([1], (tx) => tx.get('person', { id: 'b' }))
      demandSame(read, person('b'), 'readers go on')
      const expected = [personKey('a'), personKey('b')].map(keyText)
      demandSame(await fixture.changed(), expected, 'all that was written is there to be applied')
      await fixture.freeze([1, 2])
    },
  },
  {
    name: 'freeze waits for a prepared transaction until it is resolved',
    async check(fixture) {
      await fixture.start([1])
      const open = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const redo = await open.prepare('t1')
      const frozen = fixture.freeze([1])
      demand(await fixture.at.waits(frozen), 'a prepared transaction holds its slot')
      await fixture.at.engine.resolve(FROM, 't1', 'commit', redo)
      await frozen
      demandSame(await fixture.changed(), [keyText(personKey('a'))], 'what it wrote is noted')
    },
  },
  {
    name: 'freeze comes through however many writers there are, and loses nothing of theirs',
    async check(fixture) {
      await fixture.start([1])
      const written = new Set<string>()
      const write = async (writer: number) => {
        for (let i = 0; ; i++) {
          const id = `${writer}-${i % 5}`
          const end = await fixture.put(1, 'person', [person(id, { age: i })]).then(
            () => 'written',
            (error: { readonly code?: unknown }) => error.code,
          )
          if (end !== 'written') return end
          written.add(id)
        }
      }
      const writers = [0, 1, 2, 3].map(write)
      await fixture.freeze([1])
      const ends = await Promise.all(writers)
      demandSame([...new Set(ends)], ['SHARD_FROZEN'], 'writers are refused in the end')
      const expected = [...written].map((id) => keyText(personKey(id))).sort()
      const found = await fixture.changed()
      const missing = expected.filter((text) => !found.includes(text))
      demandSame(missing, [], 'what was acknowledged is noted')
      await fixture.copy([1])
      await fixture.demandEqual([1], 'and is there')
    },
  },
  {
    name: 'freeze gives up with FREEZE_TIMEOUT, and nothing was changed',
    async check(fixture) {
      const writer = await fixture.writer([2], (tx) => tx.put('person', person('a')))
      await demandCode(() => fixture.freeze([1, 2], 60), 'FREEZE_TIMEOUT', 'maxMs went by')
      const states = [await stateOf(fixture, 1), await stateOf(fixture, 2)]
      demandSame(states, [`owned at ${EPOCH}`, `owned at ${EPOCH}`], 'no slot is frozen')
      await writer.tx(2).put('person', person('b'))
      await writer.commit()
      await fixture.put(1, 'person', [person('c')])
      await fixture.put(2, 'person', [person('d')])
      demandSame((await fixture.at.people()).length, 4, 'writers went on')
      await fixture.freeze([1, 2], LONG_MS)
      demandSame(await stateOf(fixture, 2), `frozen at ${EPOCH}`, 'it can be tried again')
    },
  },
  {
    name: 'freeze gives up for a prepared transaction too',
    async check(fixture) {
      const open = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const redo = await open.prepare('t1')
      await demandCode(() => fixture.freeze([1], 60), 'FREEZE_TIMEOUT', 'maxMs went by')
      await fixture.at.engine.resolve(FROM, 't1', 'commit', redo)
      await fixture.freeze([1])
    },
  },
  {
    name: 'an aborted signal ends a freeze that waits, changing nothing',
    async check(fixture) {
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const control = new AbortController()
      const options = { maxMs: LONG_MS, signal: control.signal }
      const frozen = fixture.mover.freeze(FROM, LEASE, fences('frozen', [1]), options)
      const refused = demandRefusal(() => frozen, 'an aborted freeze')
      await fixture.at.waits(frozen)
      control.abort('enough')
      demandSame(await refused, 'enough', 'with the reason')
      await writer.commit()
      demandSame(await stateOf(fixture, 1), `owned at ${EPOCH}`, 'nothing was frozen')
      await fixture.put(1, 'person', [person('b')])
    },
  },
  {
    name: 'freeze refuses what it would leave unfrozen: slots of others, and later fences',
    async check(fixture) {
      await demandRefusal(() => fixture.freeze([1, 4]), 'the shard does not own slot 4')
      await demandRefusal(() => fixture.freeze([1, 77]), 'the shard has no slot 77')
      await fixture.fence(FROM, 'owned', [2], EPOCH + 1)
      await demandRefusal(() => fixture.freeze([1, 2]), 'the fence of slot 2 is of a later epoch')
      demandSame(await stateOf(fixture, 1), `owned at ${EPOCH}`, 'nothing was frozen')
    },
  },
  {
    name: 'a frozen slot thaws at the same epoch, and its writers go on',
    async check(fixture) {
      await fixture.start([1])
      await fixture.freeze([1])
      await fixture.mover.setFences(FROM, LEASE, fences('owned', [1]))
      await fixture.put(1, 'person', [person('a')])
      demandSame(await fixture.changed(), [keyText(personKey('a'))], 'still captured')
    },
  },
]

const FLIPS: readonly MoverRule[] = [
  {
    name: 'setFences waits for writers, and leaves out fences of earlier epochs',
    async check(fixture) {
      const writer = await fixture.writer([1], (tx) => tx.put('person', person('a')))
      const moved = fixture.mover.setFences(FROM, LEASE, fences('moved', [1], EPOCH + 2))
      demand(await fixture.at.waits(moved), 'a fence does not change under a writer')
      await writer.commit()
      await moved
      await fixture.mover.setFences(FROM, LEASE, fences('owned', [1, 2], EPOCH + 1))
      const states = [await stateOf(fixture, 1), await stateOf(fixture, 2)]
      const expected = [`moved at ${EPOCH + 2}`, `owned at ${EPOCH + 1}`]
      demandSame(states, expected, 'who comes late changes nothing')
    },
  },
  {
    name: 'setFences begins and ends capture with the fences',
    async check(fixture) {
      await fixture.start([1, 2])
      await fixture.start([], { shard: TO })
      const { mover } = fixture
      await mover.setFences(FROM, LEASE, fences('moved', [1], EPOCH + 1), { end: [1] })
      await mover.setFences(TO, LEASE, fences('owned', [1], EPOCH + 1), { begin: [1] })
      await fixture.at.put(1, 'person', [person('a')], { shard: TO, epoch: EPOCH + 1 })
      await fixture.put(2, 'person', [person('b')])
      demandSame(await fixture.changed(TO), [keyText(personKey('a'))], 'the new owner captures')
      demandSame(await fixture.changed(), [keyText(personKey('b'))], 'other slots as before')
      await mover.setFences(TO, LEASE, fences('moved', [1], EPOCH + 2), { end: [1] })
      await mover.setFences(FROM, LEASE, fences('owned', [1], EPOCH + 2))
      await fixture.at.put(1, 'person', [person('c')], { epoch: EPOCH + 2 })
      demandSame(await fixture.changed(), [keyText(personKey('b'))], 'the old one no more')
    },
  },
  {
    name: 'no write after the fence goes uncaptured',
    async check(fixture) {
      await fixture.start([], { shard: TO })
      const write = async (id: string) => {
        for (;;) {
          const place = { shard: TO, epoch: EPOCH + 1 }
          const isDone = await fixture.at.put(1, 'person', [person(id)], place).then(
            () => true,
            (error: { readonly code?: unknown }) => {
              demandSame(error.code, 'SHARD_MOVED', 'not owned yet')
              return false
            },
          )
          if (isDone) return
        }
      }
      const ids = ['a', 'b', 'c', 'd']
      const writers = ids.map(write)
      const owned = fences('owned', [1], EPOCH + 1)
      await fixture.mover.setFences(TO, LEASE, owned, { begin: [1] })
      await Promise.all(writers)
      const expected = ids.map((id) => keyText(personKey(id)))
      demandSame(await fixture.changed(TO), expected, 'every one of them')
    },
  },
]

export const MOVER_FENCE_RULES: readonly EngineRule[] = moverRules([
  ...LEASES,
  ...FREEZES,
  ...FLIPS,
])
