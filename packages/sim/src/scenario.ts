// What a test says about a world: who is in it and what must hold. A scenario is a function that
// is called anew for every run, so that all state of the code under test lives inside of it.

import { Actor } from './actor.ts'
import { AfterHeal, type AfterHealCheck, type AfterHealOptions } from './after-heal.ts'
import { type Env, makeEnv } from './env.ts'
import type { HistoryEvent } from './history.ts'
import type { Machines, NodeProgram } from './machines.ts'
import { SimError, show } from './sim-error.ts'
import type { World } from './world.ts'

/** What a client does; the run waits until what it returns has settled. */
export type ClientProgram = (env: Env) => unknown

/** Describes a world; called anew for every run. */
export type WorldSetup = (s: Scenario) => void

/** Says who is in a world and what must hold there. */
export class Scenario {
  readonly seed: number
  readonly horizonMs: number
  readonly #world: World
  readonly #machines: Machines
  readonly #nodes = new Set<string>()
  readonly #clients = new Set<string>()
  readonly #checks: AfterHeal[] = []
  #isClosed = false

  /** Made by `simulate`. */
  constructor(world: World, machines: Machines, horizonMs: number) {
    this.seed = world.options.seed
    this.horizonMs = horizonMs
    this.#world = world
    this.#machines = machines
  }

  /**
   * A node: `program` runs at 0 and again, with a new env, after every restart. What the node
   * keeps in variables inside of `program` is lost in a crash; what is outside survives by magic.
   *
   * @throws {SimError} `ERR_SIM_ID` for an id that is taken or no string.
   */
  node(id: string, program: NodeProgram): void {
    const actor = this.#enter(id, 'node', program)
    this.#nodes.add(id)
    this.#machines.add(actor, program)
  }

  /**
   * A client: faults of the network strike it, but it never crashes. The run waits for it.
   *
   * @throws {SimError} `ERR_SIM_ID` for an id that is taken or no string.
   */
  client(id: string, program: ClientProgram): void {
    const actor = this.#enter(id, 'client', program)
    this.#clients.add(id)
    this.#world.open.add(id)
    // After the nodes, so that none misses a first message for not having been there yet.
    this.#world.task(actor, 1, 'starts', () => {
      actor.life = { isAlive: true, incarnation: 1 }
      actor.clock.startProcess(this.#world.nowUs)
      const end = () => this.#world.open.delete(id)
      const result = program(makeEnv(this.#world, actor))
      return result instanceof Promise ? result.then(end) : end()
    })
  }

  /** What must hold after every event: true, or else false or a text that explains. */
  invariant(name: string, holds: () => boolean | string): void {
    this.#refuseLate('invariant')
    this.#world.invariants.push({ name, holds })
  }

  /**
   * What must be true of the whole history, asked once at the end of a run that did not fail:
   * true, or else false or a text that explains. The place for a checker of @ashlar/history.
   */
  judge(name: string, accepts: (history: readonly HistoryEvent[]) => boolean | string): void {
    this.#refuseLate('judge')
    this.#world.judges.push({ name, accepts })
  }

  /** What should come true in some runs: counted in the report's coverage. */
  sometimes(name: string, holds: () => boolean): void {
    this.#refuseLate('sometimes')
    this.#world.awaited.push({ name, holds })
  }

  /** What must come true within a bound once all faults have stopped. */
  afterHeal(check: AfterHealCheck, options: AfterHealOptions): void {
    this.#refuseLate('afterHeal')
    this.#checks.push(new AfterHeal(this.#world, this.#checks.length, check, options))
  }

  /** Milliseconds of virtual time since the run began: the truth, which no node knows. */
  elapsedMs(): number {
    return this.#world.nowUs / 1000
  }

  /** Whether a process of this node or client runs now. */
  isUp(id: string): boolean {
    return this.#world.actorOf(id).life.isAlive
  }

  /** No more entries; says who is in the world. */
  close(): { nodes: Set<string>; clients: Set<string>; checks: readonly AfterHeal[] } {
    this.#isClosed = true
    return { nodes: this.#nodes, clients: this.#clients, checks: this.#checks }
  }

  #enter(id: string, role: 'node' | 'client', program: unknown): Actor {
    this.#refuseLate(role)
    if (typeof id !== 'string') {
      throw new SimError('ERR_SIM_ID', `a ${role}'s id must be a string, got ${show(id)}`)
    }
    if (this.#world.actors.has(id)) {
      throw new SimError('ERR_SIM_ID', `the id ${show(id)} is taken; give each its own`)
    }
    if (typeof program !== 'function') {
      const rule = `what ${role} ${show(id)} does must be a function`
      throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(program)}`)
    }
    const actor = new Actor(this.#world, id, this.#world.actors.size + 1, role)
    this.#world.actors.set(id, actor)
    return actor
  }

  #refuseLate(method: string): void {
    if (!this.#isClosed) return
    throw new SimError(
      'ERR_SIM_SCENARIO',
      `${method} must be called while the world is set up, not while it runs`,
    )
  }
}
