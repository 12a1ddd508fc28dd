// The conformance kit of map stores: compare-and-set, watch, decisions, sagas and jobs, each seen
// from two handles on the same store, as two routers have, and after a crash.

import type { Decision, MapStore } from '../map-store.ts'
import { platformTimers, sleep, type Timers } from '../timers.ts'
import {
  type ConformanceCase,
  ConformanceFailure,
  demand,
  demandRefusal,
  demandSame,
  settlesWithin,
} from './conformance-case.ts'
import { JOB_RULES } from './job-rules.ts'
import { DAY_MS, mapAt, type StoreRule, until } from './map-store-fixture.ts'

/** A map store of its own, with nothing in it. */
export interface MapStoreUnderTest {
  readonly store: MapStore
  /** Another handle on the same store, as another process opens it. */
  connect(): Promise<MapStore>
  /** Closes every handle, and removes what was kept. */
  close(): Promise<void>
}

/** Options of {@link mapStoreConformance}. */
export interface MapStoreConformanceOptions {
  /** Opens an empty store. Called once a case. */
  open(): Promise<MapStoreUnderTest>
  /** Within what time a watch must have called. Default 5,000 ms. */
  readonly watchMs?: number | undefined
  /** A lease that is over soon; longer than two calls take. Default 100 ms. */
  readonly leaseMs?: number | undefined
  /** How long a case may take. Default 30,000 ms. */
  readonly limitMs?: number | undefined
  /** Timers by which the store's clock goes on too. Default: the platform's. */
  readonly timers?: Timers | undefined
}

const commit: Decision = {
  transaction: 't1',
  outcome: 'commit',
  shards: [{ shard: 's1', redo: Uint8Array.of(0, 1, 255) }, { shard: 's2' }],
}

const rollback: Decision = { transaction: 't1', outcome: 'rollback', shards: [{ shard: 's1' }] }

/**
 * The cases that a map store must pass, in a fixed order.
 *
 * @example
 * for (const { name, run } of mapStoreConformance({ open })) test(name, run)
 */
export function mapStoreConformance(
  options: MapStoreConformanceOptions,
): readonly ConformanceCase[] {
  const { timers = platformTimers, limitMs = 30_000, watchMs = 5_000, leaseMs = 100 } = options
  const run = async ({ name, check }: StoreRule) => {
    const under = await options.open()
    const fixture = {
      store: under.store,
      connect: () => under.connect(),
      sleep: (ms: number) => sleep(timers, ms),
      watchMs,
      leaseMs,
    }
    const checked = check(fixture)
    try {
      if (await settlesWithin(checked, timers, limitMs)) return await checked
    } finally {
      await under.close()
    }
    throw new ConformanceFailure(`broken: ${name}\n  it hangs: ${limitMs} ms went by`)
  }
  const rules = [...MAP_RULES, ...DECISION_RULES, ...SAGA_RULES, ...JOB_RULES, ...CLOSE_RULES]
  return rules.map((rule) => ({ name: rule.name, run: () => run(rule) }))
}

const MAP_RULES: readonly StoreRule[] = [
  {
    name: 'a store holds no map at first, then the one that was put in force',
    async check({ store, connect }) {
      demandSame(await store.load(), undefined, 'an empty store holds no map')
      demandSame(await store.epoch(), undefined, 'and no epoch')
      demand(await store.compareAndSet(undefined, mapAt(1)), 'the first map is put in force')
      demandSame(await store.load(), mapAt(1), 'load gives it whole')
      demandSame(await store.epoch(), 1, 'epoch gives its epoch')
      demandSame(await (await connect()).load(), mapAt(1), 'to other handles as well')
    },
  },
  {
    name: 'compareAndSet changes the map only from the epoch that is in force',
    async check({ store, connect }) {
      const other = await connect()
      demand(!(await store.compareAndSet(1, mapAt(2))), 'no map is not epoch 1')
      demandSame(await store.load(), undefined, 'a refused map is not kept')
      demand(await store.compareAndSet(undefined, mapAt(1)), 'from none')
      demand(!(await other.compareAndSet(undefined, mapAt(1))), 'a map is in force already')
      demand(await other.compareAndSet(1, mapAt(2)), 'from epoch 1')
      demand(!(await store.compareAndSet(1, mapAt(3))), 'epoch 1 is past')
      demand(!(await store.compareAndSet(3, mapAt(4))), 'epoch 3 is not there yet')
      demandSame(await store.load(), mapAt(2), 'only what was accepted is in force')
    },
  },
  {
    name: 'of several who set the map at once, one succeeds',
    async check({ store, connect }) {
      const handles = [store, await connect(), await connect()]
      for (let epoch = 0; epoch < 5; epoch++) {
        const from = epoch === 0 ? undefined : epoch
        const all = handles.map((handle) => handle.compareAndSet(from, mapAt(epoch + 1)))
        const won = (await Promise.all(all)).filter(Boolean).length
        demandSame(won, 1, 'exactly one compareAndSet succeeds')
      }
      demandSame((await store.load())?.epoch, 5, 'the epoch went up once each time')
    },
  },
  {
    name: 'a watch is told of the last epoch, also when another handle set it',
    async check(fixture) {
      const { store, connect } = fixture
      const other = await connect()
      await store.compareAndSet(undefined, mapAt(1))
      const seen: number[][] = [[], []]
      const stops = [store, other].map((handle, at) => handle.watch((n) => seen[at]!.push(n)))
      await store.compareAndSet(1, mapAt(2))
      await other.compareAndSet(2, mapAt(3))
      const isTold = () => seen.every((epochs) => epochs.at(-1) === 3)
      await until(fixture, isTold, 'watch is told of the last epoch')
      for (const epochs of seen) {
        demandSame(
          epochs,
          epochs.toSorted((a, b) => a - b),
          'epochs never go back',
        )
        demand(!epochs.includes(1), 'not of the map that was in force when it began')
      }
      for (const stop of stops) stop()
      await store.compareAndSet(3, mapAt(4))
      await fixture.sleep(fixture.leaseMs)
      demand(isTold(), 'a watch that was stopped is told no more')
    },
  },
  {
    name: 'a watch that begins before there is a map is told of the first',
    async check(fixture) {
      const seen: number[] = []
      const stop = fixture.store.watch((epoch) => seen.push(epoch))
      await (await fixture.connect()).compareAndSet(undefined, mapAt(1))
      await until(fixture, () => seen.at(-1) === 1, 'watch is told of the first map')
      stop()
      stop()
    },
  },
  {
    name: 'an aborted signal refuses load with its reason',
    async check({ store }) {
      const load = () => store.load({ signal: AbortSignal.abort('enough') })
      demandSame(await demandRefusal(load, 'load'), 'enough', 'load rejects with the reason')
    },
  },
]

const DECISION_RULES: readonly StoreRule[] = [
  {
    name: 'the first decision of a transaction stands, whoever decides again',
    async check({ store, connect }) {
      const { decisions } = await connect()
      demandSame(await store.decisions.find('t1'), undefined, 'nothing was decided yet')
      demandSame(await store.decisions.decide(commit), 'commit', 'the first decision')
      demandSame(await decisions.decide(rollback), 'commit', 'a second one changes nothing')
      demandSame(await decisions.decide(commit), 'commit', 'nor does the same again')
      demandSame(await decisions.find('t1'), commit, 'what stands is found, redo and all')
    },
  },
  {
    name: 'of several who decide at once, all are given the same outcome',
    async check({ store, connect }) {
      const other = await connect()
      for (let at = 0; at < 10; at++) {
        const transaction = `t${at}`
        const outcomes = await Promise.all([
          store.decisions.decide({ ...commit, transaction }),
          other.decisions.decide({ ...rollback, transaction }),
        ])
        demandSame(outcomes[0], outcomes[1], 'one outcome for all')
        const found = await store.decisions.find(transaction)
        demandSame(found?.outcome, outcomes[0], 'and it is what is found')
      }
    },
  },
  {
    name: 'decisions are unsettled, oldest first, until they are settled',
    async check({ store, connect }) {
      const { decisions } = store
      await decisions.decide({ ...commit, transaction: 'z' })
      await decisions.decide({ ...rollback, transaction: 'a' })
      await decisions.decide({ ...commit, transaction: 'm' })
      const open = async () => (await decisions.unsettled()).map((one) => one.transaction)
      demandSame(await open(), ['z', 'a', 'm'], 'in the order in which they were decided')
      const [first] = await (await connect()).decisions.unsettled()
      demandSame(first, { ...commit, transaction: 'z' }, 'with all that is needed')
      await decisions.settle('a')
      await decisions.settle('a')
      await decisions.settle('never')
      demandSame(await open(), ['z', 'm'], 'a settled one is not listed any more')
      const late = await decisions.decide({ ...commit, transaction: 'a' })
      demandSame(late, 'rollback', 'but its outcome still stands')
    },
  },
  {
    name: 'a settled decision is kept for keepMs, and unsettled ones for ever',
    async check({ store, sleep, leaseMs }) {
      const { decisions } = store
      for (const transaction of ['kept', 'brief', 'open']) {
        await decisions.decide({ ...commit, transaction })
      }
      await decisions.settle('kept', DAY_MS)
      await decisions.settle('brief', 1)
      await sleep(leaseMs)
      await decisions.unsettled()
      demandSame((await decisions.find('kept'))?.outcome, 'commit', 'kept for keepMs')
      demandSame((await decisions.find('open'))?.outcome, 'commit', 'not settled: kept')
    },
  },
]

const SAGA_RULES: readonly StoreRule[] = [
  {
    name: 'a saga is abandoned once its lease is over, and not before',
    async check({ store, connect, sleep, leaseMs }) {
      const { sagas } = store
      const input = '{"é":[1,"🗿"]}'
      await sagas.begin({ id: 'long', name: 'move', input, leaseMs: DAY_MS })
      await sagas.begin({ id: 'short', name: 'move', input, leaseMs })
      demandSame(await sagas.abandoned(), [], 'leases run')
      await sleep(leaseMs * 2)
      const found = await (await connect()).sagas.abandoned()
      const { leaseUntil, ...record } = found[0]!
      const expected = { id: 'short', name: 'move', input, state: 'running' }
      demandSame([found.length, record], [1, expected], 'one lease is over')
      demand(Number.isFinite(leaseUntil), 'leaseUntil is a time')
    },
  },
  {
    name: 'a lease is renewed while the saga is in that state',
    async check({ store, sleep, leaseMs }) {
      const { sagas } = store
      await sagas.begin({ id: 'a', name: 'move', input: '1', leaseMs })
      demand(await sagas.renew('a', 'running', DAY_MS), 'its runner renews')
      demand(!(await sagas.renew('a', 'undoing', 1)), 'it is not being undone')
      demand(!(await sagas.renew('b', 'running', 1)), 'there is no such saga')
      await sleep(leaseMs * 2)
      demandSame(await sagas.abandoned(), [], 'the renewed lease runs')
    },
  },
  {
    name: 'one caller takes a saga to undo it while the lease runs, and its runner finds out',
    async check({ store, connect, sleep, leaseMs }) {
      const handles = [store, await connect(), await connect()]
      await store.sagas.begin({ id: 'a', name: 'move', input: '1', leaseMs })
      await sleep(leaseMs * 2)
      const take = (ms: number) =>
        Promise.all(handles.map((handle) => handle.sagas.takeToUndo('a', ms)))
      const taken = await take(DAY_MS)
      demandSame(taken.filter(Boolean).length, 1, 'exactly one takes it')
      demand(!(await store.sagas.renew('a', 'running', DAY_MS)), 'its runner cannot renew')
      demand(await store.sagas.renew('a', 'undoing', leaseMs), 'who undoes it can')
      await sleep(leaseMs * 2)
      const [record] = await store.sagas.abandoned()
      demandSame(record?.state, 'undoing', 'it is abandoned again once that lease is over')
      demandSame((await take(DAY_MS)).filter(Boolean).length, 1, 'and one takes it over')
      demand(!(await store.sagas.takeToUndo('b', 1)), 'there is no such saga')
    },
  },
  {
    name: 'a runner may take its own saga to undo it, and a saga that ended is gone',
    async check({ store, sleep, leaseMs }) {
      const { sagas } = store
      await sagas.begin({ id: 'a', name: 'move', input: '1', leaseMs: DAY_MS })
      demand(await sagas.takeToUndo('a', leaseMs), 'a running saga can be taken')
      await sagas.end('a')
      await sagas.end('a')
      await sleep(leaseMs * 2)
      demandSame(await sagas.abandoned(), [], 'what ended is not abandoned')
      demand(!(await sagas.renew('a', 'undoing', 1)), 'nor renewed')
      demand(!(await sagas.takeToUndo('a', 1)), 'nor taken')
    },
  },
]

const CLOSE_RULES: readonly StoreRule[] = [
  {
    name: 'a closed handle refuses everything; others, and later ones, go on',
    async check({ store, connect, sleep, leaseMs }) {
      const other = await connect()
      await store.compareAndSet(undefined, mapAt(1))
      await store.decisions.decide(commit)
      const seen: number[] = []
      store.watch((epoch) => seen.push(epoch))
      await store.close()
      await store.close()
      await demandRefusal(() => store.load(), 'load after close')
      await demandRefusal(() => store.compareAndSet(1, mapAt(2)), 'compareAndSet after close')
      await demandRefusal(() => store.decisions.find('t1'), 'decisions after close')
      await demandRefusal(() => store.sagas.abandoned(), 'sagas after close')
      await demandRefusal(() => store.jobs.current(), 'jobs after close')
      demand(await other.compareAndSet(1, mapAt(2)), 'another handle goes on')
      const later = await connect()
      demandSame((await later.load())?.epoch, 2, 'a later handle finds the map')
      demandSame(await later.decisions.find('t1'), commit, 'and the decisions')
      await sleep(leaseMs)
      demandSame(seen, [], 'a watch of a closed handle is told nothing')
    },
  },
]
