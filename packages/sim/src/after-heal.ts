// Liveness: once the faults have stopped, what a scenario names must come true within its bound.
// A check is asked again and again, so it may say "not yet"; it has an env of its own, with which
// it can ask the nodes, and which like a client's is never crashed.

import { Actor } from './actor.ts'
import { type Env, makeEnv } from './env.ts'
import { SimError, show, toMicros } from './sim-error.ts'
import type { World } from './world.ts'

/** How long a check may take to come true. */
export interface AfterHealOptions {
  /** Milliseconds of virtual time from the heal. */
  readonly withinMs: number
  /** What a failure calls it. Default `afterHeal 1`, `afterHeal 2`, … */
  readonly name?: string
}

/**
 * Something that must come true after the heal. It returns, or resolves to, true or nothing if it
 * holds, and false or a text that says why if it does not yet.
 */
export type AfterHealCheck = (env: Env) => unknown

const ATTEMPTS = 100

/** One check, from the heal to its verdict. */
export class AfterHeal {
  readonly name: string
  readonly #world: World
  readonly #check: AfterHealCheck
  readonly #withinUs: number
  readonly #actor: Actor
  #reason = ''

  constructor(world: World, index: number, check: AfterHealCheck, options: AfterHealOptions) {
    const micros = toMicros(options?.withinMs, 'withinMs')
    this.name = options.name ?? `afterHeal ${index + 1}`
    if (world.actors.has(this.name)) {
      throw new SimError('ERR_SIM_ID', `the name ${show(this.name)} is taken; give another`)
    }
    this.#world = world
    this.#check = check
    this.#withinUs = micros
    this.#actor = new Actor(world, this.name, world.actors.size + 1, 'client')
    world.actors.set(this.name, this.#actor)
    world.open.add(this.name)
  }

  /** The world has healed: the bound begins to run. */
  begin(): void {
    const { system, nowUs } = this.#world
    this.#actor.life = { isAlive: true, incarnation: 1 }
    const env = makeEnv(this.#world, this.#actor)
    this.#attempt(env)
    this.#world.task(system, nowUs + this.#withinUs, `bound of ${this.name}`, () => this.#miss())
  }

  #attempt(env: Env): void {
    this.#world.task(this.#actor, this.#world.nowUs, 'is asked', () => {
      const verdict = this.#check(env)
      if (!(verdict instanceof Promise)) return this.#hear(env, verdict)
      return verdict.then((value) => this.#hear(env, value))
    })
  }

  #hear(env: Env, verdict: unknown): void {
    if (verdict === true || verdict === undefined) {
      this.#world.open.delete(this.name)
      return
    }
    const isVerdict = verdict === false || typeof verdict === 'string'
    if (!isVerdict) this.#reason = `it must say true, false or why not, got ${show(verdict)}`
    else this.#reason = verdict === false ? '' : verdict
    const pauseUs = Math.max(1000, Math.floor(this.#withinUs / ATTEMPTS))
    this.#world.timer(this.#actor, this.#actor.life, pauseUs, () => this.#attempt(env))
  }

  #miss(): void {
    if (!this.#world.open.has(this.name)) return
    const bound = `within ${this.#withinUs / 1000} ms of the heal`
    // One that said "not yet" has a timer to be asked again.
    const isStuck = !this.#world.heap.some((actor) => actor.role !== 'world')
    const because = this.#reason === '' ? '' : `: ${this.#reason}`
    this.#world.fail({
      code: isStuck ? 'ERR_SIM_HANGS' : 'ERR_SIM_LIVENESS',
      subject: this.name,
      why: isStuck
        ? `${show(this.name)} waits for a promise that never settles`
        : `${show(this.name)} did not come true ${bound}${because}`,
    })
  }
}
