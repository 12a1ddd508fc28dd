// Laws as vitest tests: many seeds a test, each failure shrunk, shown with the line that replays
// it, and kept in a corpus that is replayed first from then on.
//
//   SIM_RUNS    runs of every law: 5000, or a multiple of its own number: 10x
//   SIM_SEED    the first seed, instead of 0
//   SIM_TOTALS  a file that gets a JSON line of counts for every law
//   CI=true     the corpus is read but not written

import { expect, test as vitestTest } from 'vitest'
import { addToCorpus, appendLine, readCorpus } from './corpus.ts'
import { type Exploration, type ExploreOptions, explore } from './explore.ts'
import { hostProcess } from './host.ts'
import type { WorldSetup } from './scenario.ts'
import { SimError, show } from './sim-error.ts'
import { simulate } from './simulate.ts'
import { SimulationFailure } from './simulation-failure.ts'

/** How a law is tested. */
export interface LawOptions extends Omit<ExploreOptions, 'maxFailures' | 'shrink'> {
  /**
   * The file of failures found before. Default `seeds/<test file>.json` next to the test file;
   * false for none.
   */
  readonly corpus?: string | false
  /** Whether each `sometimes` must come true in at least one run. Default true. */
  readonly mustReach?: boolean
  /** Milliseconds of real time that the test may take. Default: vitest's. */
  readonly timeoutMs?: number
}

/**
 * Runs a law: the corpus first, then as many seeds as it says.
 *
 * @throws {SimulationFailure} (rejects) with the smallest plan that breaks the law.
 * @example
 * const { runs } = await checkLaw('an echo comes back', { runs: 20, corpus: false }, world)
 */
export async function checkLaw(
  law: string,
  options: LawOptions,
  world: WorldSetup,
): Promise<Exploration> {
  const { corpus = defaultCorpus(), mustReach = true, timeoutMs: _, ...rest } = options
  if (corpus !== false) await replayCorpus(corpus, law, options, world)
  const runs = scaledRuns(options.runs)
  const seed = environmentNumber('SIM_SEED') ?? options.seed ?? 0
  const found = await explore({ ...rest, runs, seed, maxFailures: 1 }, world)
  const { env } = hostProcess ?? {}
  if (env?.SIM_TOTALS) appendLine(env.SIM_TOTALS, totals(law, found))
  const failure = found.failures[0]
  if (failure !== undefined) {
    if (corpus !== false && env?.CI !== 'true') addToCorpus(corpus, law, failure.shrunk)
    const at = `run ${found.runs} of ${runs}, shrunk in ${failure.shrinkRuns} more`
    failure.shrunk.message = `${law} (${at}): ${failure.shrunk.message}`
    throw failure.shrunk
  }
  const missed = [...found.coverage.sometimes].filter(([, times]) => times === 0)
  if (mustReach && missed.length > 0) {
    const names = missed.map(([name]) => show(name)).join(', ')
    throw new Error(`${law}: in ${found.runs} runs it never came to ${names}`)
  }
  return found
}

/** Laws as tests. */
export const sim: {
  /**
   * A vitest test that runs `world` with many seeds.
   *
   * @example
   * sim.test('no ticket twice', { runs: 200, horizonMs: 2000 }, (s) => {
   *   s.node('a', ticketServer)
   *   s.client('c', buyer)
   *   s.invariant('no ticket twice', () => new Set(sold).size === sold.length)
   * })
   */
  test: (law: string, options: LawOptions, world: WorldSetup) => void
} = {
  test: (law, options, world) => {
    const check = async () => {
      await checkLaw(law, options, world)
    }
    if (options.timeoutMs === undefined) vitestTest(law, check)
    else vitestTest(law, check, options.timeoutMs)
  },
}

async function replayCorpus(
  corpus: string,
  law: string,
  options: LawOptions,
  world: WorldSetup,
): Promise<void> {
  const { runs: _, seed: __, ...rest } = options
  for (const entry of readCorpus(corpus)) {
    if (entry.law !== law) continue
    const { seed, faults, horizonMs } = entry
    try {
      await simulate({ ...rest, seed, faults, horizonMs }, world)
    } catch (failure) {
      if (failure instanceof SimulationFailure) {
        failure.message = `${law} (known failure of ${corpus}): ${failure.message}`
      }
      throw failure
    }
  }
}

function totals(law: string, { runs, events, simulatedMs, injected, failures }: Exploration) {
  const faults = Object.values(injected).reduce((sum, count) => sum + count, 0)
  return { law, runs, events, simulatedMs, faults, failures: failures.length }
}

/** `<folder of the test file>/seeds/<name of the test file>.json`. */
function defaultCorpus(): string | false {
  const { testPath } = expect.getState()
  return testPath?.replace(/([^/\\]*?)(?:\.test)?\.[cm]?[jt]sx?$/u, 'seeds/$1.json') ?? false
}

function scaledRuns(runs: number): number {
  const wish = hostProcess?.env?.SIM_RUNS
  if (!wish?.endsWith('x')) return environmentNumber('SIM_RUNS') ?? runs
  return Math.max(1, Math.round(runs * numberOf('SIM_RUNS', wish.slice(0, -1))))
}

function environmentNumber(name: 'SIM_RUNS' | 'SIM_SEED'): number | undefined {
  const text = hostProcess?.env?.[name]
  return text ? numberOf(name, text) : undefined
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (value >= 0 && text.trim() !== '') return value
  throw new SimError('ERR_SIM_OPTION', `${name} must be a number or, for runs, 10x; got ${text}`)
}
