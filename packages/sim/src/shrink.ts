// Makes a failing plan small: what is left is what the failure needs. Delta debugging (Zeller and
// Hildebrandt, TSE 2002) over the faults, then a shorter horizon, then shorter and milder faults.
// The seed stays: since every node, link and disk draws from a stream of its own, a fault that is
// taken out changes nothing but its effects.

import type { Fault } from './fault.ts'
import type { WorldSetup } from './scenario.ts'
import { type SimulateOptions, simulate } from './simulate.ts'
import { SimulationFailure } from './simulation-failure.ts'

/** How much work shrinking may be. */
export interface ShrinkOptions extends Omit<SimulateOptions, 'seed' | 'faults' | 'horizonMs'> {
  /** At most so many runs. Default 500. */
  readonly maxRuns?: number | undefined
}

/** The smallest failure that was found. */
export interface Shrunk {
  readonly failure: SimulationFailure
  /** How many runs that took. */
  readonly runs: number
}

/**
 * The smallest plan with which a world still fails in the same way (same code, same subject).
 *
 * @param found a failure of this world
 * @example
 * const { failure } = await shrink(found, world)
 * console.log(failure.replay)
 */
export async function shrink(
  found: SimulationFailure,
  world: WorldSetup,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const search = new Search(found, world, options)
  await search.dropFaults()
  await search.shortenHorizon()
  await search.dropFaults()
  await search.soften()
  return { failure: search.best, runs: search.runs }
}

class Search {
  best: SimulationFailure
  runs = 0
  readonly #world: WorldSetup
  readonly #options: ShrinkOptions
  readonly #maxRuns: number

  constructor(found: SimulationFailure, world: WorldSetup, options: ShrinkOptions) {
    this.best = found
    this.#world = world
    this.#options = options
    this.#maxRuns = options.maxRuns ?? 500
  }

  /** Takes out faults, half of them at a time, then a quarter, down to one by one. */
  async dropFaults(): Promise<void> {
    let size = this.best.faults.length
    while (size >= 1) {
      let dropped = false
      for (let at = 0; at < this.best.faults.length; ) {
        const rest = this.best.faults.toSpliced(at, size)
        if (await this.#stillFails(rest, this.best.horizonMs)) dropped = true
        else at += size
      }
      if (!dropped || size > this.best.faults.length) size = Math.floor(size / 2)
    }
  }

  /** The run need not last longer than until the failure. */
  async shortenHorizon(): Promise<void> {
    const { atMs, horizonMs, faults } = this.best
    const enough = Math.ceil(atMs) + 1
    if (enough < horizonMs && (await this.#stillFails(faults, enough))) return
    for (let shorter = horizonMs / 2; shorter >= 1; shorter /= 2) {
      if (!(await this.#stillFails(this.best.faults, Math.floor(shorter)))) return
    }
  }

  /** Halves durations, jumps and drifts while that makes no difference. */
  async soften(): Promise<void> {
    for (let i = 0; i < this.best.faults.length; i++) {
      for (const field of ['forMs', 'downMs', 'byMs', 'ppm'] as const) {
        while (await this.#stillFails(withHalf(this.best.faults, i, field), this.best.horizonMs));
      }
    }
  }

  async #stillFails(faults: readonly Fault[] | undefined, horizonMs: number): Promise<boolean> {
    if (faults === undefined || this.runs >= this.#maxRuns) return false
    this.runs++
    const { seed } = this.best
    try {
      await simulate({ ...this.#options, seed, faults, horizonMs }, this.#world)
      return false
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error
      if (!error.isLike(this.best)) return false
      this.best = error
      return true
    }
  }
}

/** The plan with one number halved, or undefined where there is nothing to halve. */
function withHalf(
  plan: readonly Fault[],
  at: number,
  field: 'forMs' | 'downMs' | 'byMs' | 'ppm',
): readonly Fault[] | undefined {
  const fault = plan[at]!
  const value = Object.entries(fault).find(([key]) => key === field)?.[1]
  if (typeof value !== 'number' || Math.abs(value) < 2) return undefined
  return plan.with(at, { ...fault, [field]: Math.trunc(value / 2) })
}
