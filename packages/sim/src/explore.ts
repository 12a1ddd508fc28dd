// Many seeds, one after another: what a test, a soak and a table of failing variants have in
// common. Counts what was done, so that a run that says "no failure" also says of how much.

import { addCoverage, type BuggifyCount, type Coverage } from './coverage.ts'
import { FAULT_KINDS, type FaultKind } from './fault.ts'
import type { WorldSetup } from './scenario.ts'
import { shrink } from './shrink.ts'
import { SimError, show } from './sim-error.ts'
import { type SimulateOptions, simulate } from './simulate.ts'
import { SimulationFailure } from './simulation-failure.ts'

/** How many runs, and of what. */
export interface ExploreOptions extends Omit<SimulateOptions, 'seed' | 'faults'> {
  /** How many seeds to run. */
  readonly runs: number
  /** The first seed; the others follow it. Default 0. */
  readonly seed?: number | undefined
  /** Stop after so many failures. Default 1. */
  readonly maxFailures?: number | undefined
  /** Whether failing plans are shrunk. Default true. */
  readonly shrink?: boolean | undefined
  /** At most so many runs to shrink one failure. Default 500. */
  readonly maxShrinkRuns?: number | undefined
}

/** A failing seed. */
export interface Found {
  /** As it was found. */
  readonly failure: SimulationFailure
  /** With the smallest plan that still fails in the same way. */
  readonly shrunk: SimulationFailure
  /** How many runs shrinking took. */
  readonly shrinkRuns: number
}

/** What many runs did and found. */
export interface Exploration {
  readonly runs: number
  /** The next four are of the runs that did not fail. */
  readonly events: number
  readonly simulatedMs: number
  readonly injected: Readonly<Record<FaultKind, number>>
  readonly coverage: Coverage
  readonly failures: readonly Found[]
}

/**
 * Runs a world with many seeds and shrinks what fails.
 *
 * @throws {SimError} (rejects) as {@link simulate} does.
 * @example
 * const { failures } = await explore({ runs: 1000, horizonMs: 2000 }, world)
 * for (const { shrunk } of failures) console.log(shrunk.replay)
 */
export async function explore(options: ExploreOptions, world: WorldSetup): Promise<Exploration> {
  const { runs, seed = 0, maxFailures = 1, shrink: wantsShrunk = true, ...each } = options
  if (!Number.isSafeInteger(runs) || runs < 0) {
    throw new SimError('ERR_SIM_OPTION', `runs must be an integer of at least 0, got ${show(runs)}`)
  }
  const sometimes = new Map<string, number>()
  const buggify = new Map<string, BuggifyCount>()
  const injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >
  const failures: Found[] = []
  const total = { runs: 0, events: 0, simulatedMs: 0 }
  while (total.runs < runs && failures.length < maxFailures) {
    try {
      const report = await simulate({ ...each, seed: seed + total.runs++ }, world)
      total.events += report.events
      total.simulatedMs += report.simulatedMs
      addCoverage({ sometimes, buggify }, report.coverage)
      for (const kind of FAULT_KINDS) injected[kind] += report.injected[kind]
    } catch (failure) {
      if (!(failure instanceof SimulationFailure)) throw failure
      const small = wantsShrunk
        ? await shrink(failure, world, { ...each, maxRuns: options.maxShrinkRuns })
        : { failure, runs: 0 }
      failures.push({ failure, shrunk: small.failure, shrinkRuns: small.runs })
    }
  }
  return { ...total, injected, coverage: { sometimes, buggify }, failures }
}
