// Processes that are struck at numbered steps: every wait of the engine and of the store, before
// and after its effect, by whichever process is at work, is a step.

import { ShardError } from '../src/shard-error.ts'
import { type Fleet, ImpatientTimers, type Process, type Twin } from './transaction-fleet.ts'

/** What happens at a step. */
export type Act =
  /** The process at work dies. */
  | 'die'
  /** The step fails: the request is lost, or after its effect the answer. */
  | 'fail'
  /** Another process recovers, all of it, while this one waits. */
  | 'sweep'
  /** A shard restarts: what was open on it is gone. */
  | `bounce ${string}`
  /** A shard goes down and comes up at the end. */
  | `down ${string}`

export interface Strike {
  readonly step: number
  readonly act: Act
}

/** What every restart does. */
export type Settle = (process: Process) => Promise<unknown>

/** What strikes, and what is broken. */
export interface Staging {
  readonly strikes: readonly Strike[]
  readonly twin?: Twin | undefined
  /** Which waits count as steps; default all. */
  readonly isStep?: ((label: string) => boolean) | undefined
}

/** What became of a piece of work, as its process tells. */
export type Said = 'committed' | 'failed' | 'in doubt' | 'nothing'

/** Processes of a fleet, struck at numbered steps. */
export class Stage {
  steps = 0
  isOver = false
  readonly #fleet: Fleet
  readonly #strikes: ReadonlyMap<number, Act>
  readonly #settle: Settle
  readonly #twin: Twin | undefined
  readonly #isStep: (label: string) => boolean
  readonly #timers = new ImpatientTimers()
  readonly #processes: Process[] = []
  #down: string | undefined
  #isSwept = false

  constructor(fleet: Fleet, settle: Settle, { strikes, twin, isStep = () => true }: Staging) {
    this.#isStep = isStep
    this.#fleet = fleet
    this.#settle = settle
    this.#strikes = new Map(strikes.map(({ step, act }) => [step, act]))
    this.#twin = twin
  }

  async process(): Promise<Process> {
    let isDead = false
    const die = () => {
      isDead = true
      process.engine.crash()
    }
    const hook = async (label: string): Promise<void> => {
      if (isDead) await forever()
      if (this.isOver || this.#isSwept || !this.#isStep(label)) return
      await this.#strike(this.steps++, label, die)
      if (isDead) await forever()
    }
    const process = await this.#fleet.process({ hook, timers: this.#timers, twin: this.#twin })
    this.#processes.push(process)
    if (this.#down !== undefined) process.engine.down(this.#down)
    return process
  }

  async recover(): Promise<void> {
    const process = await this.process()
    if (this.isOver && this.#down !== undefined) process.engine.up(this.#down)
    await this.outcomeOf(this.#settle(process))
  }

  /** What a promise came to; the nothing of a dead process as well. */
  async outcomeOf(promise: Promise<unknown>): Promise<Said> {
    let said: Said = 'nothing'
    promise.then(
      () => {
        said = 'committed'
      },
      (error: unknown) => {
        said = isInDoubt(error) ? 'in doubt' : 'failed'
      },
    )
    await this.#timers.quiet()
    return said
  }

  async #strike(step: number, label: string, die: () => void): Promise<void> {
    const act = this.#strikes.get(step)
    if (act === undefined) return
    if (act === 'die') die()
    else if (act === 'fail') lose(label)
    else if (act === 'sweep') await this.#sweep()
    else {
      const [how, shard] = act.split(' ') as ['bounce' | 'down', string]
      if (how === 'down') this.#down = shard
      for (const { engine } of this.#processes) engine[how === 'down' ? 'down' : 'crash'](shard)
    }
  }

  /** The restart: it may be struck as well, then once more by nobody. */
  async restart(process: Process): Promise<void> {
    await this.recover()
    this.isOver = true
    process.engine.crash()
    await this.recover()
  }

  async #sweep(): Promise<void> {
    const sweeper = await this.process()
    this.#isSwept = true
    await this.#settle(sweeper).catch(() => {})
    this.#isSwept = false
  }
}

/** A rollback is not lost: the shard undoes what the session has left open. */
function lose(label: string): void {
  if (label !== 'rollback:before') throw new Error(`lost: ${label}`)
}

function isInDoubt(error: unknown): boolean {
  return error instanceof ShardError && error.code === 'IN_DOUBT'
}

function forever(): Promise<never> {
  return new Promise(() => {})
}

/** Crashes of the process at work, and of each of the shards. */
export function crashesOf(shards: readonly string[]): Act[] {
  return ['die', ...shards.map((id): Act => `bounce ${id}`)]
}

/** All that can strike. */
export function actsOf(shards: readonly string[]): Act[] {
  return [...crashesOf(shards), ...shards.map((id): Act => `down ${id}`), 'fail', 'sweep']
}

/** What came of one play. */
export interface Play {
  /** How many steps were taken. */
  readonly steps: number
  /** What is wrong, nothing if all is well. */
  readonly verdict: string | undefined
}

/** Plays to be played under every series of strikes. */
export interface Campaign {
  readonly play: (strikes: readonly Strike[]) => Promise<Play>
  readonly acts: readonly Act[]
  /** How many strikes. */
  readonly depth: number
}

/**
 * Plays under every series of so many strikes, or until one breaks a promise.
 *
 * @returns What broke it, and how many plays there were.
 */
export async function strikeEverywhere(
  { play, acts, depth }: Campaign,
  before: readonly Strike[] = [],
): Promise<{ broken: string | undefined; plays: number }> {
  const { steps, verdict } = await play(before)
  if (verdict !== undefined) return { broken: `${JSON.stringify(before)}: ${verdict}`, plays: 1 }
  let plays = 1
  // A later strike at a step of its own: the steps are those that the earlier ones leave.
  for (let step = (before.at(-1)?.step ?? -1) + 1; depth > 0 && step < steps; step++) {
    for (const act of acts) {
      const strikes = [...before, { step, act }]
      const found = await strikeEverywhere({ play, acts, depth: depth - 1 }, strikes)
      plays += found.plays
      if (found.broken !== undefined) return { broken: found.broken, plays }
    }
  }
  return { broken: undefined, plays }
}
