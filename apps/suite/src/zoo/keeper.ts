// Runs a variant of the zoo: a right one through many seeds, a broken twin until it has been
// caught a few times, each failure shrunk. What it saw becomes a row of the zoo's table, which
// `npm test` prints (the file named by ZOO_TABLE gets it as a JSON line).

import { appendFileSync } from 'node:fs'
import { explore, type SimulationFailure } from '@ashlar/sim'
import type { Variant } from './zoo.ts'

/** What the table says of one variant. */
export interface ZooRow {
  readonly system: string
  /** Undefined for the right one. */
  readonly bug: string | undefined
  readonly runs: number
  readonly failing: number
  readonly firstSeed: number | undefined
  /** How many faults each failure was shrunk to. */
  readonly faultsLeft: readonly number[]
  /** The smallest plan found, in words. */
  readonly plan: string
}

/** A twin that is not caught by so many seeds counts as missed. */
export const SEEDS = 2000
const FAILURES = 4
export const HORIZON_MS = 1000

/** Tries seeds until a broken twin has failed a few times; shrinks every failure. */
export async function catchTwin({ system, bug, world }: Variant): Promise<ZooRow> {
  const { runs, failures } = await explore(
    { runs: SEEDS, horizonMs: HORIZON_MS, maxFailures: FAILURES, maxShrinkRuns: 500 },
    world,
  )
  const shrunk = failures.map((found) => found.shrunk)
  const smallest = shrunk.toSorted((a, b) => a.faults.length - b.faults.length)[0]
  const row: ZooRow = {
    system,
    bug,
    runs,
    failing: failures.length,
    firstSeed: failures[0]?.failure.seed,
    faultsLeft: shrunk.map(({ faults }) => faults.length),
    plan: smallest === undefined ? '' : planInWords(smallest),
  }
  enterRow(row)
  return row
}

/** Adds a row to the table of `npm test`. */
export function enterRow(row: ZooRow): void {
  if (process.env.ZOO_TABLE) appendFileSync(process.env.ZOO_TABLE, `${JSON.stringify(row)}\n`)
}

function planInWords({ faults, seed }: SimulationFailure): string {
  const words = faults.map((fault) =>
    'node' in fault ? `${fault.kind} ${fault.node}` : fault.kind,
  )
  return `seed ${seed}: ${words.join(', ') || 'no fault at all'}`
}
