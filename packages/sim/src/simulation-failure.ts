// What a run found: the code under test broke a promise. It carries everything that is needed to
// see it again, above all one line that replays it.

import type { Fault } from './fault.ts'
import { show } from './sim-error.ts'

/** How a run can fail. */
export type FailureCode =
  /** An invariant did not hold after an event. */
  | 'ERR_SIM_INVARIANT'
  /** A judge did not accept the history. */
  | 'ERR_SIM_JUDGE'
  /** A client threw or rejected. */
  | 'ERR_SIM_CLIENT'
  /** A node threw, or a promise that it returned rejected. */
  | 'ERR_SIM_NODE'
  /** A promise rejected and nobody was listening. */
  | 'ERR_SIM_REJECTION'
  /** An `afterHeal` did not hold within its bound. */
  | 'ERR_SIM_LIVENESS'
  /** A client or an `afterHeal` waits for a promise that never settles. */
  | 'ERR_SIM_HANGS'
  /** The run used up its events: something goes round and round. */
  | 'ERR_SIM_EVENTS'

/** What replays a run: everything else follows from it. */
export interface ReplayOptions {
  readonly seed: number
  readonly horizonMs: number
  readonly faults: readonly Fault[]
  /** Only if it was not the default. */
  readonly buggify?: number
}

/**
 * A run that failed, rejected by `simulate`.
 *
 * @example
 * try {
 *   await simulate({ seed: 10, horizonMs: 1000 }, world)
 * } catch (error) {
 *   if (error instanceof SimulationFailure) console.log(error.code, error.replay)
 * }
 */
export class SimulationFailure extends Error {
  override readonly name: string = 'SimulationFailure'
  /** Stable name of the way in which it failed. */
  readonly code: FailureCode
  /** The invariant, the client, the node or the `afterHeal` that failed. */
  readonly subject: string
  readonly seed: number
  readonly horizonMs: number
  /** The plan of the run. */
  readonly faults: readonly Fault[]
  /** When it failed, in milliseconds of virtual time. */
  readonly atMs: number
  /** The last steps before, oldest first. */
  readonly trace: readonly string[]
  /** The hash of all steps until then. */
  readonly hash: string
  /** The line that replays the run, where `world` is the scenario. */
  readonly replay: string

  constructor(found: Finding, run: ReplayOptions, atMs: number, record: Remains) {
    const replay = replayLine(run)
    super(describe(found, run, atMs, record.trace, replay), { cause: found.cause })
    this.code = found.code
    this.subject = found.subject
    this.seed = run.seed
    this.horizonMs = run.horizonMs
    this.faults = run.faults
    this.atMs = atMs
    this.trace = record.trace
    this.hash = record.hash
    this.replay = replay
  }

  /**
   * Whether another failure is of the same promise broken in the same way.
   *
   * @param other of another run
   */
  isLike(other: SimulationFailure): boolean {
    return this.code === other.code && this.subject === other.subject
  }
}

/** What went wrong, before it is put into words. */
export interface Finding {
  readonly code: FailureCode
  readonly subject: string
  readonly why: string
  readonly cause?: unknown
}

interface Remains {
  readonly trace: readonly string[]
  readonly hash: string
}

const SHOWN = 12

function describe(
  { why }: Finding,
  { seed, faults }: ReplayOptions,
  atMs: number,
  trace: readonly string[],
  replay: string,
): string {
  const count = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`
  const lines = trace.slice(-SHOWN).map((line) => `  ${line}`)
  return [`${why}\n  at ${atMs} ms, seed ${seed}, ${count}`, ...lines, `replay: ${replay}`].join(
    '\n',
  )
}

/** The line of code that runs the same again. */
export function replayLine({ seed, horizonMs, faults, buggify }: ReplayOptions): string {
  const extra = buggify === undefined ? '' : `, buggify: ${buggify}`
  const plan = faults.map((fault) => literal(fault)).join(', ')
  return `simulate({ seed: ${seed}, horizonMs: ${horizonMs}${extra}, faults: [${plan}] }, world)`
}

function literal(fault: Fault): string {
  const fields = Object.entries(fault).map(([key, value]) => {
    const text = Array.isArray(value) ? `[${value.map(show).join(', ')}]` : show(value)
    return `${key}: ${text.replaceAll('"', "'")}`
  })
  return `{ ${fields.join(', ')} }`
}
