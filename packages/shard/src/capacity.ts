// How full the shards are, how fast they fill, and how long that will go on: measured when asked,
// remembered with the time, growth by the least-squares line through what was measured.

import type { Engine, TableSize } from './engine.ts'
import type { ShardLimits } from './router-options.ts'
import { isSilence } from './router-silence.ts'
import type { ShardMap } from './shard-map.ts'

const DAY_MS = 86_400_000

/** More are thinned out, every other one, so that the line still spans all the time. */
const MOST_SAMPLES = 1_000

/** One shard's part of a {@link CapacityReport}. */
export interface ShardCapacity {
  readonly shard: string
  readonly rows: number
  readonly bytes: number
  readonly tables: readonly TableSize[]
  /** Growth a day; undefined until it was measured at two times. */
  readonly rowsPerDay: number | undefined
  readonly bytesPerDay: number | undefined
  /**
   * Days until a limit is reached: 0 if it is, Infinity if it does not grow, undefined without
   * limits or while growth is unknown.
   */
  readonly daysLeft: number | undefined
}

/** What {@link ShardRouter.capacity} tells. */
export interface CapacityReport {
  readonly shards: readonly ShardCapacity[]
  /** Shards that did not answer. */
  readonly missing: readonly string[]
  /**
   * The fullest shard against the mean, each for its weight: 1 is even, 2 twice as full as it
   * should be. Over the shards that answered and have a weight above 0.
   */
  readonly imbalance: { readonly rows: number; readonly bytes: number }
}

interface Sample {
  readonly atMs: number
  readonly rows: number
  readonly bytes: number
}

/** Measures shards and remembers. */
export class Capacity {
  readonly #limits: ShardLimits
  readonly #now: () => number
  readonly #samples = new Map<string, Sample[]>()

  constructor(limits: ShardLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Measures every shard of the map now. */
  async measure(engine: Pick<Engine, 'measure'>, map: ShardMap): Promise<CapacityReport> {
    const ids = map.shards.map(({ id }) => id)
    const outcomes = await Promise.allSettled(ids.map((shard) => engine.measure(shard)))
    const missing: string[] = []
    const shards: ShardCapacity[] = []
    outcomes.forEach((outcome, i) => {
      const shard = ids[i]!
      if (outcome.status === 'fulfilled') shards.push(this.#add(shard, outcome.value))
      else if (isSilence(outcome.reason)) missing.push(shard)
      else throw outcome.reason
    })
    const weights = new Map(map.shards.map(({ id, weight = 1 }) => [id, weight]))
    const imbalance = (of: (shard: ShardCapacity) => number) =>
      imbalanceOf(shards.map((shard) => [of(shard), weights.get(shard.shard)!] as const))
    return {
      shards,
      missing,
      imbalance: { rows: imbalance(({ rows }) => rows), bytes: imbalance(({ bytes }) => bytes) },
    }
  }

  #add(shard: string, tables: readonly TableSize[]): ShardCapacity {
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    const bytes = tables.reduce((sum, table) => sum + table.bytes, 0)
    let samples = this.#samples.get(shard) ?? []
    samples.push({ atMs: this.#now(), rows, bytes })
    if (samples.length > MOST_SAMPLES) samples = samples.filter((_, i) => i % 2 === 0)
    this.#samples.set(shard, samples)
    const rowsPerDay = growth(samples, (sample) => sample.rows)
    const bytesPerDay = growth(samples, (sample) => sample.bytes)
    const daysLeft = least(
      daysTo(this.#limits.maxRows, rows, rowsPerDay),
      daysTo(this.#limits.maxBytes, bytes, bytesPerDay),
    )
    return { shard, rows, bytes, tables, rowsPerDay, bytesPerDay, daysLeft }
  }
}

/** The slope of the least-squares line, a day. Times from the mean, so that no digits are lost. */
function growth(samples: readonly Sample[], of: (sample: Sample) => number): number | undefined {
  const count = samples.length
  const meanMs = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count
  const mean = samples.reduce((sum, sample) => sum + of(sample), 0) / count
  let covariance = 0
  let variance = 0
  for (const sample of samples) {
    covariance += (sample.atMs - meanMs) * (of(sample) - mean)
    variance += (sample.atMs - meanMs) ** 2
  }
  return variance === 0 ? undefined : (covariance / variance) * DAY_MS
}

function daysTo(
  limit: number | undefined,
  value: number,
  perDay: number | undefined,
): number | undefined {
  if (limit === undefined) return undefined
  if (value >= limit) return 0
  if (perDay === undefined) return undefined
  return perDay > 0 ? (limit - value) / perDay : Number.POSITIVE_INFINITY
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}

function imbalanceOf(loads: readonly (readonly [load: number, weight: number])[]): number {
  const placed = loads.filter(([, weight]) => weight > 0)
  const load = placed.reduce((sum, [one]) => sum + one, 0)
  const weight = placed.reduce((sum, [, one]) => sum + one, 0)
  if (load === 0) return 1
  return Math.max(...placed.map(([one, share]) => one / share)) / (load / weight)
}
