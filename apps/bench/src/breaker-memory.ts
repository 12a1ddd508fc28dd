// What a breaker keeps in memory: just made, and after calls. Of keyed ones the keys themselves are
// not counted, since whoever has upstreams has their names.

import { CircuitBreaker, failureRate, KeyedBreakers } from '@ashlar/breaker'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/breaker'

const work = (): Promise<number> => Promise.resolve(1)

/** Adds the rows; `theirs` makes one breaker of each peer. */
export async function memoryRows(
  bench: Bench,
  theirs: Readonly<Record<string, () => unknown>>,
): Promise<void> {
  bench.count({
    id: 'memory',
    title: 'a breaker just made, time window',
    unit: 'bytes',
    results: await bytesEach({ [OURS]: () => new CircuitBreaker(), ...theirs }, 4_000),
    goal: { atMost: 1_024 },
  })
  const used = () => {
    const breaker = new CircuitBreaker()
    void breaker.run(work)
    breaker.tryAcquire()?.ok()
    return breaker
  }
  bench.count({
    id: 'memory-used',
    title: 'the same after a call and a permit',
    unit: 'bytes',
    results: await bytesEach({ [OURS]: used }, 4_000),
    goal: { atMost: 1_024 },
  })
  const names = Array.from({ length: 100_000 }, (_, i) => `upstream-${i}`)
  const keyed = (use: (breaker: CircuitBreaker) => void) => () => {
    const breakers = new KeyedBreakers(() => ({ trip: failureRate() }), { max: names.length })
    for (const name of names) use(breakers.get(name))
    return breakers
  }
  const each = async (make: () => unknown) => (await retainedBytes(make)) / names.length
  bench.count({
    id: 'memory-keyed',
    title: 'a breaker of 100,000 keyed ones just made (keys not counted)',
    unit: 'bytes',
    results: { [OURS]: await each(keyed(() => {})) },
    goal: { atMost: 300 },
  })
  bench.count({
    id: 'memory-keyed-used',
    title: 'the same after a permit each, which makes their windows',
    unit: 'bytes',
    results: { [OURS]: await each(keyed((breaker) => breaker.tryAcquire()?.ok())) },
  })
}

async function bytesEach(
  makers: Readonly<Record<string, () => unknown>>,
  count: number,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const [name, make] of Object.entries(makers)) {
    make() // what a first one compiles and caches is not its own
    found[name] = (await retainedBytes(() => Array.from({ length: count }, make))) / count
  }
  return found
}

/** What is kept once all calls have settled. */
async function retainedBytes(make: () => unknown): Promise<number> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('memory rows need node --expose-gc')
  const settle = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = await settle()
  const kept = [make()]
  const after = await settle()
  return kept.length === 1 ? after - before : 0
}
