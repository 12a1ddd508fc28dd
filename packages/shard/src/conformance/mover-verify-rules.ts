// What a mover says of a shard: checksums that are equal if and only if the rows are, digests that
// tell where they are not, sizes, health, and what stands against a move.

import { REFERENCE_SLOT, type Row } from '../engine.ts'
import type { ChangeBatch } from '../slot-mover.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineRule, EPOCH } from './engine-fixture.ts'
import {
  FROM,
  fences,
  LEASE,
  LONG_MS,
  MANY_SLOTS,
  type MoverFixture,
  type MoverRule,
  moverRules,
  personKey,
  TO,
} from './mover-fixture.ts'
import { person, purchase, STANDARD_TABLES } from './standard-tables.ts'

async function checksum({ mover }: MoverFixture, shard: string, slot: number): Promise<string> {
  const found = (await mover.checksums(shard, [slot])).get(slot)
  demand(found !== undefined, 'every slot that was asked for has a checksum')
  return `${found.rows} ${found.hash}`
}

/** Pairs of rows that differ, in as little as rows can. */
const DIFFERENT: readonly (readonly [Row, Row])[] = [
  [person('a', { name: '' }), person('a')],
  [person('a', { age: 0 }), person('a')],
  [person('a', { age: 0 }), person('a', { balance: 0 })],
  [person('a', { name: '0' }), person('a', { age: 0 })],
  [person('a', { name: 'x' }), person('a', { name: 'X' })],
  [person('a', { name: 'x' }), person('a', { name: 'x ' })],
  [person('a', { name: 'é' }), person('a', { name: 'e\u0301' })],
  [person('a', { age: 1, balance: 2 }), person('a', { age: 2, balance: 1 })],
  [person('a', { balance: 2n ** 53n }), person('a', { balance: 2n ** 53n + 1n })],
  [person('a', { balance: 2n ** 62n }), person('a', { balance: -(2n ** 62n) })],
  [person('a', { score: 0.1 }), person('a', { score: 0.1 + 2 ** -56 })],
  [person('a', { score: 5e-324 }), person('a', { score: 0 })],
  [person('a'), person('A')],
  [person('1'), person('01')],
]

const CHECKSUMS: readonly MoverRule[] = [
  {
    name: 'checksums are equal for equal rows, in whichever order and way they came',
    async check(fixture) {
      await fixture.fence(TO, 'owned', [1])
      const rows = [
        person('a', { name: '', age: 1, balance: 2n ** 60n, score: 0.1 }),
        person('b', { balance: 7 }),
        person('é🗿', { name: 'x' }),
      ]
      await fixture.put(1, 'person', rows)
      await fixture.put(1, 'purchase', [purchase('a', 1), purchase('a', 2, { amount: 3 })])
      await fixture.mark(1, 'm')
      await fixture.mark(1, 'n')
      await fixture.mark(1, 'n', TO)
      await fixture.mark(1, 'm', TO)
      await fixture.put(1, 'purchase', [purchase('a', 2, { amount: 3n }), purchase('a', 1)], TO)
      await fixture.put(1, 'person', [person('b', { age: 3 }), person('gone')], TO)
      await fixture.put(1, 'person', [{ id: 'b', balance: 7n }, ...rows.toReversed()], TO)
      await fixture.remove(1, 'person', { id: 'gone' }, TO)
      const sums = [await checksum(fixture, FROM, 1), await checksum(fixture, TO, 1)]
      demandSame(sums[1], sums[0], 'equal rows, equal checksums')
      demand(sums[0]!.startsWith('7 '), 'rows of all sharded tables are counted, and marks')
      await fixture.fence(TO, 'moved', [1], EPOCH + 1)
      demandSame(await checksum(fixture, TO, 1), sums[0], 'whoever owns the slot')
    },
  },
  {
    name: 'checksums differ where rows differ, however little',
    async check(fixture) {
      await fixture.fence(TO, 'owned', [1])
      for (const [a, b] of DIFFERENT) {
        await fixture.put(1, 'person', [a])
        await fixture.put(1, 'person', [b], TO)
        const sums = [await checksum(fixture, FROM, 1), await checksum(fixture, TO, 1)]
        demand(sums[0] !== sums[1], `the checksum tells ${showPair(a, b)} apart`)
        await fixture.remove(1, 'person', { id: a.id })
        await fixture.remove(1, 'person', { id: b.id }, TO)
      }
    },
  },
  {
    name: 'checksums differ where values have changed places between rows, tables or marks',
    async check(fixture) {
      await fixture.fence(TO, 'owned', [1])
      await fixture.put(1, 'person', [person('a', { age: 1 }), person('b', { age: 2 })])
      const sums = [await checksum(fixture, FROM, 1)]
      await fixture.put(1, 'person', [person('a', { age: 2 }), person('b', { age: 1 })])
      sums.push(await checksum(fixture, FROM, 1))
      await fixture.remove(1, 'person', { id: 'b' })
      sums.push(await checksum(fixture, FROM, 1))
      await fixture.put(1, 'purchase', [purchase('b', 1)])
      sums.push(await checksum(fixture, FROM, 1))
      await fixture.remove(1, 'purchase', { person_id: 'b', no: 1 })
      await fixture.mark(1, 'b')
      sums.push(await checksum(fixture, FROM, 1))
      demandSame(new Set(sums).size, sums.length, 'each of them is another')
    },
  },
  {
    name: 'checksums are of each slot alone, and of slots without rows as well',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      await fixture.put(2, 'person', [person('b'), person('c')])
      const one = await checksum(fixture, FROM, 1)
      const all = await fixture.mover.checksums(FROM, [1, 2, 3, 9])
      demandSame([...all.keys()].sort(), [1, 2, 3, 9], 'every slot that was asked for')
      demandSame(`${all.get(1)!.rows} ${all.get(1)!.hash}`, one, 'the same as alone')
      demandSame(
        [2, 3, 9].map((slot) => all.get(slot)!.rows),
        [2, 0, 0],
        'rows of each',
      )
      demandSame(all.get(3), all.get(9), 'no rows, the same checksum')
      demandSame(await checksum(fixture, TO, 3), await checksum(fixture, FROM, 3), 'everywhere')
      demandSame([...(await fixture.mover.checksums(FROM, []))], [], 'of no slots, none')
    },
  },
  {
    name: 'checksums and counts of any number of slots are given at once',
    async check(fixture) {
      await fixture.put(3, 'person', [person('a')])
      const sums = await fixture.mover.checksums(FROM, MANY_SLOTS)
      demandSame([sums.size, sums.get(3)?.rows], [MANY_SLOTS.length, 1], 'checksums')
      const sizes = await fixture.mover.count(FROM, MANY_SLOTS)
      demandSame([sizes.size, sizes.get(3)?.rows], [1, 1], 'counts')
    },
  },
  {
    name: 'checksums of several slots are of one moment',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const walk = (slot: number) =>
        fixture.at.transact([1, 2], (_, open) => open.tx(slot).put('person', person('a')))
      for (let i = 0; i < 30; i++) {
        const [sums] = await Promise.all([fixture.mover.checksums(FROM, [1, 2]), walk(2 - (i % 2))])
        const rows = sums.get(1)!.rows + sums.get(2)!.rows
        demandSame(rows, 1, 'a row that goes from one slot to another is in one of them')
      }
    },
  },
  {
    name: 'an aborted signal refuses checksums with its reason',
    async check({ mover }) {
      const signal = AbortSignal.abort('enough')
      const sum = () => mover.checksums(FROM, [1], { signal })
      demandSame(await demandRefusal(sum, 'aborted checksums'), 'enough', 'with the reason')
    },
  },
  {
    name: 'digests name every row of a slot, the same on every shard, and tell which differ',
    async check(fixture) {
      await fixture.fence(TO, 'owned', [1])
      for (const shard of [FROM, TO]) {
        await fixture.put(1, 'person', [person('a', { age: 1 }), person('b'), person('c')], shard)
        await fixture.put(1, 'purchase', [purchase('a', 1), purchase('b', 1)], shard)
        await fixture.mark(1, 'm', shard)
      }
      await fixture.put(2, 'person', [person('elsewhere')])
      const digests = async () => [
        await fixture.mover.digests(FROM, 1),
        await fixture.mover.digests(TO, 1),
      ]
      const entries = (digest: ReadonlyMap<string, string>) => [...digest].sort()
      const [from, to] = await digests()
      demandSame(entries(to!), entries(from!), 'equal rows, equal digests')
      demandSame(from!.size, 6, 'every row of the slot, marks included')
      await fixture.put(1, 'person', [person('a', { age: 2 })], TO)
      await fixture.remove(1, 'purchase', { person_id: 'b', no: 1 }, TO)
      const [before, after] = await digests()
      const differing = [...before!].filter(([text, digest]) => after!.get(text) !== digest)
      demandSame(differing.length, 2, 'one row was changed, one is gone')
      demandSame([...after!.keys()].filter((text) => !before!.has(text)).length, 0, 'none came')
      demandSame([...(await fixture.mover.digests(FROM, 9))], [], 'of no rows, none')
    },
  },
]

const REPORTS: readonly MoverRule[] = [
  {
    name: 'count tells exactly how many rows lie under each slot that has some, owned or not',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a'), person('b')])
      await fixture.put(1, 'purchase', [purchase('a', 1)])
      await fixture.put(2, 'person', [person('c', { name: 'x'.repeat(10_000) })])
      await fixture.put(REFERENCE_SLOT, 'country', [{ code: 'fr', name: 'France' }])
      await fixture.fence(FROM, 'moved', [2])
      const rowsOf = async (slots?: readonly number[]) =>
        [...(await fixture.mover.count(FROM, slots))].map(([slot, { rows }]) => [slot, rows]).sort()
      demandSame(
        await rowsOf(),
        [
          [1, 3],
          [2, 1],
        ],
        'of all sharded tables, slot by slot',
      )
      demandSame(await rowsOf([2, 3]), [[2, 1]], 'of the slots asked for')
      demandSame(await rowsOf([]), [], 'of none')
      const sizes = await fixture.mover.count(FROM)
      demand(sizes.get(2)!.bytes > sizes.get(1)!.bytes, 'and about how many bytes')
      demandSame([...(await fixture.mover.count(TO))], [], 'an empty shard')
    },
  },
  {
    name: 'health tells how long a shard takes to answer',
    async check({ mover }) {
      const { latencyMs, replicaLagMs } = await mover.health(FROM)
      demand(Number.isFinite(latencyMs) && latencyMs >= 0, 'latencyMs is a time')
      demand(replicaLagMs === undefined || replicaLagMs >= 0, 'replicaLagMs is one, or not known')
    },
  },
  {
    name: 'it names its captures, and for one of them nothing stands against a move',
    async check({ mover }) {
      demand(mover.captures.length > 0, 'there is a way to capture')
      demand(mover.unitRows >= 1, 'unitRows is a number of rows')
      const before = await mover.traces(FROM)
      const found: (readonly string[])[] = []
      for (const capture of mover.captures) {
        const { tables } = STANDARD_TABLES
        const source = await mover.inspect(FROM, tables, { role: 'source', capture })
        found.push([...source, ...(await mover.inspect(TO, tables, { role: 'target', capture }))])
      }
      demand(
        found.some((against) => against.length === 0),
        `nothing stands against it: ${found}`,
      )
      const texts = found.flat()
      demand(
        texts.every((text) => text.length > 10),
        'a reason is a sentence',
      )
      demandSame(await mover.traces(FROM), before, 'to inspect changes nothing')
    },
  },
]

/** Every method, tried on a shard. */
function everyCall({ mover, capture }: MoverFixture, shard: string, batch: ChangeBatch) {
  const { tables } = STANDARD_TABLES
  const unit = { slots: [1], position: 1 }
  const keys = [{ ...personKey('a'), slot: 1 }]
  const start = { capture, slots: [1], tables, maxBarrierMs: LONG_MS }
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    inspect: () => mover.inspect(shard, tables, { role: 'source', capture }),
    count: () => mover.count(shard),
    health: () => mover.health(shard),
    claim: () => mover.claim(shard, LEASE),
    startCapture: () => mover.startCapture(shard, LEASE, start),
    changes: () => mover.changes(shard, LEASE, 1),
    acknowledge: () => mover.acknowledge(shard, LEASE, batch),
    'copy from': () => mover.copy(shard, TO, LEASE, unit),
    'copy to': () => mover.copy(FROM, shard, LEASE, unit),
    position: () => mover.position(FROM, shard, LEASE.job),
    setPosition: () => mover.setPosition(FROM, shard, LEASE, 1),
    'apply from': () => mover.apply(shard, TO, LEASE, keys, [1]),
    'apply to': () => mover.apply(FROM, shard, LEASE, keys, [1]),
    freeze: () => mover.freeze(shard, LEASE, fences('frozen', [1]), { maxMs: LONG_MS }),
    setFences: () => mover.setFences(shard, LEASE, fences('owned', [1])),
    checksums: () => mover.checksums(shard, [1]),
    digests: () => mover.digests(shard, 1),
    'copyReference from': () => mover.copyReference(shard, TO, LEASE),
    'copyReference to': () => mover.copyReference(FROM, shard, LEASE),
    clean: () => mover.clean(shard, LEASE, [1], 1),
    release: () => mover.release(shard, LEASE),
    traces: () => mover.traces(shard),
  }
  return Object.entries(calls)
}

const REFUSALS: readonly MoverRule[] = [
  {
    name: 'a shard that it has no address for is refused with UNKNOWN_SHARD by every method',
    async check(fixture) {
      await fixture.start([])
      const batch = await fixture.mover.changes(FROM, LEASE, 1)
      for (const [name, call] of everyCall(fixture, 'elsewhere', batch)) {
        const { shard } = await demandCode(call, 'UNKNOWN_SHARD', `UNKNOWN_SHARD by ${name}`)
        demandSame(shard, 'elsewhere', 'the error names the shard')
      }
    },
  },
  {
    name: 'after close every method is refused with CLOSED',
    async check(fixture) {
      const { mover } = fixture
      await fixture.start([])
      const batch = await mover.changes(FROM, LEASE, 1)
      await fixture.at.engine.close()
      demand(fixture.at.engine.mover === mover, 'it is there after close, too')
      for (const [name, call] of everyCall(fixture, FROM, batch)) {
        await demandCode(call, 'CLOSED', `CLOSED by ${name}`)
      }
    },
  },
]

export const MOVER_VERIFY_RULES: readonly EngineRule[] = moverRules([
  ...CHECKSUMS,
  ...REPORTS,
  ...REFUSALS,
])

function showPair(a: Row, b: Row): string {
  return `${Object.values(a).join()} and ${Object.values(b).join()}`
}
