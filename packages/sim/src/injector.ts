// Makes a plan happen: each fault begins at its time, and ends after its duration or when the
// world heals. Nothing here draws from a stream, so a fault that is taken out of a plan changes
// nothing but its own effects.

import type { Actor } from './actor.ts'
import {
  type CrashFault,
  durationMs,
  type Fault,
  type RestartFault,
  type SwizzleFault,
} from './fault.ts'
import type { Machines } from './machines.ts'
import type { LinkFault } from './network.ts'
import { draw, saltOf, scale } from './prng.ts'
import type { World } from './world.ts'

/** Begins and ends the faults of a plan. */
export class Injector {
  readonly #world: World
  readonly #machines: Machines
  readonly #acting = new Set<LinkFault>()

  constructor(world: World, machines: Machines) {
    this.#world = world
    this.#machines = machines
  }

  /** Enters a plan; what would begin at or after the horizon never does. */
  enter(plan: readonly Fault[], horizonMs: number): void {
    for (const fault of plan) {
      if (fault.atMs >= horizonMs) continue
      const fromUs = Math.round(fault.atMs * 1000)
      const toUs = Math.round((fault.atMs + durationMs(fault)) * 1000)
      if (fault.kind === 'swizzle') this.#enterSwizzle(fault, fromUs, toUs)
      else this.#enterOne(fault, fromUs, toUs)
    }
  }

  /** All faults end: links carry, processes run, disks and oscillators work. */
  heal(): void {
    const { actors, nowUs, trace, system } = this.#world
    this.#world.isHealed = true
    trace.note(system, 'heals', nowUs)
    for (const acting of this.#acting) this.#world.network.stop(acting)
    for (const actor of actors.values()) {
      actor.faults.clear()
      this.#refresh(actor)
      this.#world.resume(actor)
    }
    for (const actor of this.#machines.nodes) {
      if (!actor.life.isAlive) this.#startNow(actor)
    }
  }

  /** The links of each node stop in the first half and start in the second, in random order. */
  #enterSwizzle(fault: SwizzleFault, fromUs: number, toUs: number): void {
    const halfUs = (toUs - fromUs) >> 1
    for (const id of new Set(fault.nodes)) {
      const salt = saltOf(this.#world.options.seed, `swizzle/${fault.atMs}/${id}`)
      const stopUs = fromUs + scale(draw(salt, 0), halfUs)
      const startUs = toUs - scale(draw(salt, 1), halfUs)
      const touches = (from: string, to: string) => from === id || to === id
      this.#last({ fault, touches }, stopUs, startUs, `swizzle ${id}`)
    }
  }

  #enterOne(fault: Fault, fromUs: number, toUs: number): void {
    const { system } = this.#world
    if (!('node' in fault)) {
      this.#last({ fault, touches: touching(fault) }, fromUs, toUs, fault.kind)
      return
    }
    const actor = this.#world.actorOf(fault.node)
    const at = (us: number, text: string, action: () => void) => {
      this.#world.task(system, us, `${text} ${fault.kind} ${fault.node}`, () => {
        if (!this.#world.isHealed) action()
      })
    }
    switch (fault.kind) {
      case 'crash':
      case 'restart':
        at(fromUs, 'begins', () => this.#down(actor, fault, toUs))
        break
      case 'pause':
        at(fromUs, 'begins', () => {
          if (!actor.life.isAlive) return
          this.#world.hit('pause')
          actor.holdUntil = Math.max(actor.holdUntil, toUs)
        })
        break
      case 'clockJump':
      case 'stepBack':
        at(fromUs, 'makes', () => {
          this.#world.hit(fault.kind)
          actor.clock.jump(Math.round(fault.byMs * 1000) * (fault.kind === 'stepBack' ? -1 : 1))
        })
        break
      default:
        at(fromUs, 'begins', () => {
          if (fault.kind === 'drift' || fault.kind === 'slow') this.#world.hit(fault.kind)
          actor.faults.add(fault)
          this.#refresh(actor)
        })
        at(toUs, 'ends', () => {
          actor.faults.delete(fault)
          this.#refresh(actor)
        })
    }
  }

  /** A fault of links begins and ends. */
  #last(acting: LinkFault, fromUs: number, toUs: number, text: string): void {
    const { system, network } = this.#world
    this.#world.task(system, fromUs, `begins ${text}`, () => {
      if (this.#world.isHealed) return
      this.#acting.add(acting)
      network.start(acting)
    })
    this.#world.task(system, toUs, `ends ${text}`, () => {
      this.#acting.delete(acting)
      network.stop(acting)
    })
  }

  #down(actor: Actor, fault: CrashFault | RestartFault, upUs: number): void {
    if (!this.#machines.stop(actor)) return
    this.#world.hit(fault.kind)
    if (fault.kind === 'crash') actor.disk.losePower(fault.unsyncedLoss)
    else actor.disk.loseProcess()
    this.#world.task(this.#world.system, upUs, `restarts ${actor.id}`, () => this.#startNow(actor))
  }

  /** The start is an event of the node, so that what it throws is the node's. */
  #startNow(actor: Actor): void {
    if (actor.life.isAlive) return
    this.#world.task(actor, this.#world.nowUs, 'starts', () => this.#machines.start(actor))
  }

  /** What the faults that act on a node now amount to. */
  #refresh(actor: Actor): void {
    let slowMs = 0
    let ppm = 0
    for (const fault of actor.faults) {
      if (fault.kind === 'slow') slowMs = Math.max(slowMs, fault.byMs)
      if (fault.kind === 'drift') ppm = fault.ppm
    }
    actor.slowUs = Math.round(slowMs * 1000)
    if (ppm !== 0 || !actor.clock.isSteady) actor.clock.drift(this.#world.nowUs, ppm)
  }
}

/** Which links a fault is about. */
function touching(fault: Exclude<Fault, { readonly node: string }>): LinkFault['touches'] {
  if (fault.kind === 'partition' || fault.kind === 'oneWayPartition' || fault.kind === 'swizzle') {
    const group = new Set(fault.nodes)
    return fault.kind === 'oneWayPartition'
      ? (from, to) => group.has(from) && !group.has(to)
      : (from, to) => group.has(from) !== group.has(to)
  }
  const { from, to } = fault
  return (sender, receiver) =>
    (from === undefined || from === sender) && (to === undefined || to === receiver)
}
