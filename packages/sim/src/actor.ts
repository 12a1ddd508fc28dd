// Who acts in a world: a node, a client, or the world itself. What lasts (clocks, disk, salts)
// belongs to the machine; what dies with a process hangs on its `life`, which every function of
// an env looks at first, so that code of a crashed incarnation can do nothing any more.

import { MachineClock } from './clock.ts'
import { Disk } from './disk.ts'
import type { MessageHandler } from './env.ts'
import type { SimEvent } from './event-heap.ts'
import type { Fault } from './fault.ts'
import { draw, saltOf, scale } from './prng.ts'
import type { World } from './world.ts'

/** One process: an incarnation of its actor. */
export interface Life {
  isAlive: boolean
  readonly incarnation: number
}

/** A node, a client or the world itself. */
export class Actor {
  readonly id: string
  readonly index: number
  readonly role: 'node' | 'client' | 'world'
  /** Orders this actor's events among simultaneous ones. */
  readonly salt: number
  readonly clock: MachineClock
  readonly disk: Disk
  life: Life = { isAlive: false, incarnation: 0 }
  handlers: MessageHandler[] = []
  /** The process stands still until this virtual time, in microseconds. */
  holdUntil = 0
  /** How long a step of a slowed node takes at most, in microseconds. */
  slowUs = 0
  /** What came in while the process stood still, in order. */
  backlog: SimEvent[] = []
  isWakeSet = false
  /** The faults that last and act on this node now. */
  readonly faults: Set<Fault> = new Set()
  readonly #slowSalt: number
  #steps = 0

  constructor(world: World, id: string, index: number, role: Actor['role']) {
    const { seed, epochMs } = world.options
    this.id = id
    this.index = index
    this.role = role
    this.salt = saltOf(seed, `${role}/${id}`)
    this.#slowSalt = saltOf(seed, `slow/${id}`)
    this.clock = new MachineClock(epochMs)
    this.disk = new Disk(world, this)
  }

  /** Whether what happens now has to wait, because the process stands still or is behind. */
  get isHeld(): boolean {
    return this.backlog.length > 0
  }

  /** A step that keeps a slowed node busy, from now on. */
  beBusy(nowUs: number): void {
    const busyUs = scale(draw(this.#slowSalt, this.#steps++), this.slowUs)
    this.holdUntil = Math.max(this.holdUntil, nowUs + busyUs)
  }

  /** The strongest of the faults of this kind that act now: 0 if there is none. */
  worst(kind: 'diskWrite' | 'diskRead' | 'bitFlip'): number {
    let rate = 0
    for (const fault of this.faults) {
      if (fault.kind === kind && fault.rate > rate) rate = fault.rate
    }
    return rate
  }
}
