// Processes begin and end: a start gives a new incarnation a new env; a crash or a kill ends it.
// Its timers, messages and disk operations leave the heap, its `life` is dead, so that whatever
// of its code still runs can do nothing. A machine keeps its disk and its wall clock.

import type { Actor } from './actor.ts'
import { type Env, makeEnv } from './env.ts'
import type { World } from './world.ts'

/** What a node does when it starts, also after each restart. */
export type NodeProgram = (env: Env) => unknown

/** The machines on which nodes run. */
export class Machines {
  readonly #world: World
  readonly #programs = new Map<Actor, NodeProgram>()

  constructor(world: World) {
    this.#world = world
  }

  add(actor: Actor, program: NodeProgram): void {
    this.#programs.set(actor, program)
    this.#world.task(actor, 0, 'starts', () => this.start(actor))
  }

  get nodes(): Iterable<Actor> {
    return this.#programs.keys()
  }

  /** Starts a process, unless one runs already. */
  start(actor: Actor): unknown {
    if (actor.life.isAlive) return
    actor.life = { isAlive: true, incarnation: actor.life.incarnation + 1 }
    actor.clock.startProcess(this.#world.nowUs)
    return this.#programs.get(actor)!(makeEnv(this.#world, actor))
  }

  /** Ends a process; false if none was running. */
  stop(actor: Actor): boolean {
    if (!actor.life.isAlive) return false
    actor.life.isAlive = false
    actor.handlers = []
    actor.backlog = []
    actor.holdUntil = 0
    this.#world.heap.removeAllOf(actor)
    this.#world.network.forget(actor)
    return true
  }
}
