// Hit ratios: every policy replays every trace at every capacity of expected.json, beside the
// clairvoyant optimum. A policy that is random runs with five seeds, and its mean counts.

import type { Cache, CacheOptions } from '@ashlar/cache'
import { seeded } from './cache-keys.ts'
import { type ExpectedHits, expectedHits, readTrace } from './cache-traces.ts'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/cache'
const OPTIMUM = 'clairvoyant optimum'
const SEEDS = [1, 2, 3, 4, 5]

/** A policy in the table of hit ratios. */
export interface Contender {
  readonly name: string
  readonly make: <K>(options: CacheOptions<K, number>) => Cache<K, number>
  /** Whether its hits depend on chance. */
  readonly isRandom: boolean
  /** Its column in expected.json, and whether that is exact. */
  readonly column?: string
  readonly isExact?: boolean
  /** The part of the optimum that it is to reach on the mean of all rows. */
  readonly atLeast?: number
}

/** The table of hits, the means over it, and how they compare with what was expected. */
export function measureHits(bench: Bench, contenders: readonly Contender[]): HitTable {
  const table = new HitTable(contenders)
  for (const expected of expectedHits) {
    bench.count({
      id: `hits-${expected.trace}-${expected.capacity}`,
      title: `hits of ${expected.requests} requests of ${expected.trace} at ${expected.capacity}`,
      unit: '%',
      lowerIsBetter: false,
      // Read only if this row is wanted: a row takes seconds.
      get results() {
        return table.percentages(expected)
      },
    })
  }
  for (const contender of contenders) {
    bench.count({
      id: `optimum-${contender.name}`,
      title: `${contender.name}: mean part of the optimum's hits; ${table.scope}`,
      unit: 'part',
      lowerIsBetter: false,
      get results() {
        return { [OURS]: table.meanPart(contender), [OPTIMUM]: 1 }
      },
      ...(contender.atLeast === undefined
        ? {}
        : { goal: { against: OPTIMUM, atLeast: contender.atLeast } }),
    })
  }
  for (const contender of contenders) {
    if (contender.column === undefined) continue
    const { isExact = false } = contender
    bench.count({
      id: `expected-${contender.name}`,
      title: `${contender.name}: largest difference to the hits expected, in points`,
      unit: 'points',
      get results() {
        return { [OURS]: table.largestDifference(contender) }
      },
      goal: { atMost: isExact ? 0 : 0.3 },
    })
  }
  return table
}

/** Hits of every contender on every row whose trace is here, replayed when first asked for. */
export class HitTable {
  readonly contenders: readonly Contender[]
  readonly #hits = new Map<string, number>()
  readonly #traces = new Map<string, Int32Array | undefined>()
  readonly rows: readonly ExpectedHits[]

  constructor(contenders: readonly Contender[]) {
    this.contenders = contenders
    this.rows = expectedHits.filter((row) => this.#trace(row) !== undefined)
  }

  get scope(): string {
    const absent = expectedHits.length - this.rows.length
    const left = absent === 0 ? '' : `, ${absent} not run: no such trace here`
    return `${this.rows.length} rows${left}`
  }

  percentages(row: ExpectedHits): Record<string, number> {
    const optimum = { [OPTIMUM]: (100 * row.hits.MIN!) / row.requests }
    if (this.#trace(row) === undefined) return optimum
    const own = this.contenders.map((contender) => {
      return [contender.name, (100 * this.hitsOf(contender, row)) / row.requests] as const
    })
    return { ...Object.fromEntries(own), ...optimum }
  }

  meanPart(contender: Contender): number {
    const parts = this.rows.map((row) => this.hitsOf(contender, row) / row.hits.MIN!)
    return parts.reduce((sum, part) => sum + part, 0) / parts.length
  }

  largestDifference(contender: Contender): number {
    const points = this.rows.map((row) => {
      const difference = this.hitsOf(contender, row) - row.hits[contender.column!]!
      return (100 * Math.abs(difference)) / row.requests
    })
    return Math.max(...points)
  }

  hitsOf(contender: Contender, row: ExpectedHits): number {
    const id = `${contender.name} ${row.trace} ${row.capacity}`
    let hits = this.#hits.get(id)
    if (hits === undefined) {
      const seeds = contender.isRandom ? SEEDS : [1]
      const runs = seeds.map((seed) => {
        const cache = contender.make<number>({ max: row.capacity, random: seeded(seed) })
        return replay(cache, this.#trace(row)!)
      })
      hits = runs.reduce((sum, run) => sum + run, 0) / runs.length
      this.#hits.set(id, hits)
    }
    return hits
  }

  #trace(row: ExpectedHits): Int32Array | undefined {
    if (!this.#traces.has(row.trace)) this.#traces.set(row.trace, readTrace(row.trace))
    return this.#traces.get(row.trace)
  }
}

function replay(cache: Cache<number, number>, trace: Int32Array): number {
  let hits = 0
  for (const key of trace) {
    if (cache.get(key) !== undefined) hits++
    else cache.set(key, 1)
  }
  return hits
}
