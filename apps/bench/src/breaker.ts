// Breakers beside cockatiel and opossum, each set up once, in its fastest way that does the same:
// opossum keeps no percentiles and no snapshots unless the row says so, since ours has none.
//
// Rows of overhead take off what a bare `await` of the same function costs in the same round; the
// others are totals. What peers cannot do (tryAcquire, runSync, keys) stands beside the nearest
// thing that they can.

import { CircuitBreaker, consecutive, countWindow, failureRate, timeWindow } from '@ashlar/breaker'
import * as cockatiel from 'cockatiel'
import Opossum from 'opossum'
import { memoryRows } from './breaker-memory.ts'
import { type Lane, overheads, totals } from './breaker-rounds.ts'
import type { Bench, Clock } from './harness.ts'

const OURS = '@ashlar/breaker'
const SAMPLING = 'cockatiel SamplingBreaker'
const CONSECUTIVE = 'cockatiel ConsecutiveBreaker'
const COUNT = 'cockatiel CountBreaker'
const OPOSSUM = 'opossum'
const OPOSSUM_DEFAULT = 'opossum, default'

export const peers = ['cockatiel', 'opossum']

const TIMEOUT_MS = 10_000
const LEAN = { timeout: false, rollingPercentilesEnabled: false, enableSnapshots: false } as const

const work = (): Promise<number> => Promise.resolve(1)
const down = new Error('down')
const failing = (): Promise<number> => Promise.reject(down)
const bare: Lane = { call: work }

const sampling = () => new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 })
const around = (breaker: cockatiel.IBreaker) =>
  cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: 1e9, breaker })

export async function measure(bench: Bench): Promise<void> {
  await successRows(bench)
  await timeoutRows(bench)
  await refusalRows(bench)
  await failureRows(bench)
  await syncRow(bench)
  await memoryRows(bench, {
    cockatiel: () => around(sampling()),
    opossum: () => new Opossum(work, LEAN),
    [OPOSSUM_DEFAULT]: () => new Opossum(work),
  })
  timerRow(bench)
}

async function successRows(bench: Bench): Promise<void> {
  const time = new CircuitBreaker({ trip: failureRate({ window: timeWindow({ ms: 10_000 }) }) })
  const sample = around(sampling())
  const lean = new Opossum(work, LEAN)
  const usual = new Opossum(work, { timeout: false })
  const results = await overheads(bench.clock, bare, {
    [OURS]: { call: () => time.run(work) },
    [SAMPLING]: { call: () => sample.execute(work) },
    [OPOSSUM]: { call: () => lean.fire() },
    'opossum with percentiles': { call: () => usual.fire() },
  })
  lean.shutdown()
  usual.shutdown()
  const title = 'a call that goes well, time window: overhead over a bare await'
  for (const [id, against, atLeast] of [
    ['success-time-cockatiel', SAMPLING, 2],
    ['success-time-opossum', OPOSSUM, 5],
  ] as const) {
    bench.count({ id, title, unit: 'ns/op', results, goal: { against, atLeast } })
  }

  const row = new CircuitBreaker({ trip: consecutive(5) })
  const peerRow = around(new cockatiel.ConsecutiveBreaker(5))
  bench.count({
    id: 'success-consecutive',
    title: 'the same, consecutive failures',
    unit: 'ns/op',
    results: await overheads(bench.clock, bare, {
      [OURS]: { call: () => row.run(work) },
      [CONSECUTIVE]: { call: () => peerRow.execute(work) },
    }),
    goal: { against: CONSECUTIVE, atLeast: 2 },
  })

  const last = new CircuitBreaker({ trip: failureRate({ window: countWindow(100) }) })
  const peerLast = around(new cockatiel.CountBreaker({ threshold: 0.5, size: 100 }))
  bench.count({
    id: 'success-count',
    title: 'the same, the last 100 calls',
    unit: 'ns/op',
    results: await overheads(bench.clock, bare, {
      [OURS]: { call: () => last.run(work) },
      [COUNT]: { call: () => peerLast.execute(work) },
    }),
    goal: { against: COUNT, atLeast: 2 },
  })

  const slow = new CircuitBreaker({ trip: failureRate({ slow: { ms: 1_000, rate: 0.5 } }) })
  bench.count({
    id: 'success-slow-rate',
    title: 'the same, time window, watching slow calls too (no peer does)',
    unit: 'ns/op',
    results: await overheads(bench.clock, bare, {
      [OURS]: { call: () => slow.run(work) },
      [SAMPLING]: { call: () => sample.execute(work) },
    }),
  })
}

async function timeoutRows(bench: Bench): Promise<void> {
  const ours = new CircuitBreaker()
  const limit = { timeoutMs: TIMEOUT_MS }
  const timed = (strategy: cockatiel.TimeoutStrategy) =>
    cockatiel.wrap(cockatiel.timeout(TIMEOUT_MS, strategy), around(sampling()))
  const aggressive = timed(cockatiel.TimeoutStrategy.Aggressive)
  const cooperative = timed(cockatiel.TimeoutStrategy.Cooperative)
  const usual = new Opossum(work, { timeout: TIMEOUT_MS })
  const results = await totals(bench.clock, {
    [OURS]: { call: () => ours.run(work, limit) },
    'cockatiel, timeout': { call: () => aggressive.execute(work) },
    'cockatiel, cooperative': { call: () => cooperative.execute(work) },
    [OPOSSUM_DEFAULT]: { call: () => usual.fire() },
  })
  const title = 'a call that goes well, 10 s timeout, time window: total'
  for (const [id, against, atLeast] of [
    ['timeout-cockatiel', 'cockatiel, timeout', 10],
    ['timeout-opossum', OPOSSUM_DEFAULT, 2],
  ] as const) {
    bench.count({ id, title, unit: 'ns/op', results, goal: { against, atLeast } })
  }
  const read = (signal: AbortSignal) => Promise.resolve(signal.aborted ? 0 : 1)
  const controlled = new Opossum(work, {
    timeout: TIMEOUT_MS,
    abortController: new AbortController(),
  })
  bench.count({
    id: 'timeout-signal',
    title: 'the same, each call reads its signal (of opossum all calls have one)',
    unit: 'ns/op',
    results: await totals(bench.clock, {
      [OURS]: { call: () => ours.run(({ signal }) => read(signal), limit) },
      'cockatiel, timeout': { call: () => aggressive.execute(({ signal }) => read(signal)) },
      'opossum with a controller': { call: () => controlled.fire() },
    }),
  })
  usual.shutdown()
  controlled.shutdown()
}

/** Breakers that are open for good. */
async function openPeers(): Promise<{
  cockatiel: cockatiel.CircuitBreakerPolicy
  opossum: Opossum<[], number>
}> {
  const peer = around(new cockatiel.ConsecutiveBreaker(1))
  await peer.execute(failing).catch(() => {})
  const opossum = new Opossum(work, { ...LEAN, resetTimeout: 1e9 })
  opossum.open()
  return { cockatiel: peer, opossum }
}

async function refusalRows(bench: Bench): Promise<void> {
  const breaker = new CircuitBreaker({ open: { initialMs: 1e9, maxMs: 1e9 } })
  breaker.openFor(1e9)
  const peer = await openPeers()
  const refused = (call: () => Promise<number>): Lane => ({
    call: async () => {
      try {
        return await call()
      } catch {
        return 2
      }
    },
  })
  const theirs = {
    cockatiel: refused(() => peer.cockatiel.execute(work)),
    opossum: refused(() => peer.opossum.fire()),
  }
  bench.count({
    id: 'refused-run',
    title: 'a call refused while open, awaited in try and catch: total',
    unit: 'ns/op',
    results: await totals(bench.clock, { [OURS]: refused(() => breaker.run(work)), ...theirs }),
    goal: { against: 'best peer', atLeast: 2.5 },
  })
  const acquire = (): number => {
    let refusals = 0
    for (let i = 0; i < 100; i++) if (breaker.tryAcquire() === null) refusals++
    return refusals
  }
  bench.count({
    id: 'refused-try-acquire',
    title: 'the same through tryAcquire, which peers do not have',
    unit: 'ns/op',
    results: await totals(bench.clock, { [OURS]: { call: acquire, ops: 100 }, ...theirs }),
    goal: { against: 'best peer', atLeast: 20 },
  })
  peer.opossum.shutdown()
}

async function failureRows(bench: Bench): Promise<void> {
  const ours = async (calls: number) => {
    const window = timeWindow({ ms: 1e9 })
    const breaker = new CircuitBreaker({ trip: failureRate({ window, minCalls: 1e9 }) })
    for (let i = 0; i < calls; i++) await breaker.run(work)
    return failureNs(bench.clock, () => breaker.run(failing))
  }
  const theirs = async (calls: number) => {
    const options = { timeout: false, volumeThreshold: 1e9, rollingCountTimeout: 1e8 } as const
    let isWell = true
    const breaker = new Opossum(() => (isWell ? work() : failing()), options)
    for (let i = 0; i < calls; i++) await breaker.fire()
    isWell = false
    const ns = await failureNs(bench.clock, () => breaker.fire())
    breaker.shutdown()
    return ns
  }
  const times = { [OURS]: await growth(ours), [OPOSSUM_DEFAULT]: await growth(theirs) }
  const of = (pick: (growth: Growth) => number) =>
    Object.fromEntries(Object.entries(times).map(([name, one]) => [name, pick(one)]))
  bench.count({
    id: 'failed-100',
    title: 'a call that fails, 100 calls in the window: total',
    unit: 'ns/op',
    results: of(({ few }) => few),
  })
  bench.count({
    id: 'failed-50000',
    title: 'the same, 50,000 calls in the window',
    unit: 'ns/op',
    results: of(({ many }) => many),
  })
  bench.count({
    id: 'failed-growth',
    title: 'how many times longer at 50,000 than at 100',
    unit: 'times',
    results: of(({ few, many }) => many / few),
    goal: { atMost: 1.5 },
  })
}

interface Growth {
  readonly few: number
  readonly many: number
}

/** Both sizes in turn, so that what the machine does falls on both. */
async function growth(measured: (calls: number) => Promise<number>): Promise<Growth> {
  const few: number[] = []
  const many: number[] = []
  for (let round = 0; round < 5; round++) {
    few.push(await measured(100))
    many.push(await measured(50_000))
  }
  const middle = (values: number[]) => values.toSorted((a, b) => a - b)[2]!
  return { few: middle(few), many: middle(many) }
}

/** The time of one failing call, of as many as take 100 ms: few, where one takes milliseconds. */
async function failureNs(clock: Clock, call: () => Promise<unknown>): Promise<number> {
  let calls = 0
  const start = clock()
  let spent = 0
  while (spent < 100) {
    for (let i = 0; i < 10; i++) await call().catch(() => {})
    calls += 10
    spent = clock() - start
  }
  return (spent * 1e6) / calls
}

async function syncRow(bench: Bench): Promise<void> {
  const time = new CircuitBreaker()
  const row = new CircuitBreaker({ trip: consecutive(5) })
  const one = () => 1
  const loop = (call: () => number) => (): number => {
    let sum = 0
    for (let i = 0; i < 100; i++) sum += call()
    return sum
  }
  bench.count({
    id: 'sync',
    title: 'a function without promises through runSync, which peers do not have',
    unit: 'ns/op',
    results: await totals(bench.clock, {
      [OURS]: { call: loop(() => time.runSync(one)), ops: 100 },
      [`${OURS}, consecutive`]: { call: loop(() => row.runSync(one)), ops: 100 },
      'bare call': { call: loop(one), ops: 100 },
    }),
  })
}

/** Timers that 100 idle breakers keep. */
function timerRow(bench: Bench): void {
  const count = (make: () => { shutdown?: () => void }): number => {
    const { setTimeout: timeout, setInterval: interval } = globalThis
    let timers = 0
    const counting = (set: typeof timeout) =>
      Object.assign((...given: Parameters<typeof timeout>) => {
        timers++
        return set(...given)
      }, set)
    globalThis.setTimeout = counting(timeout)
    globalThis.setInterval = counting(interval as typeof timeout) as typeof interval
    const made = Array.from({ length: 100 }, make)
    globalThis.setTimeout = timeout
    globalThis.setInterval = interval
    for (const breaker of made) breaker.shutdown?.()
    return timers / 100
  }
  bench.count({
    id: 'timers',
    title: 'timers that a breaker without calls keeps',
    results: {
      [OURS]: count(() => {
        new CircuitBreaker()
        return {}
      }),
      cockatiel: count(() => {
        around(sampling())
        return {}
      }),
      [OPOSSUM_DEFAULT]: count(() => new Opossum(work)),
    },
    goal: { atMost: 0 },
  })
}
