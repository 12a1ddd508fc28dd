// Messages between actors. A link is one direction between two actors and keeps its order, as a
// connection does, unless a reordering or duplication fault acts on it. The n-th message of a
// link gets the n-th number of the link's salts, whatever happens elsewhere.
//
// Loss and partitions are silent: a sender is never told. What is under way to a node that
// crashes dies with it; what is sent to a node that is down is lost.

import type { Actor } from './actor.ts'
import { MESSAGE, SimEvent } from './event-heap.ts'
import type { Fault } from './fault.ts'
import { isolate } from './isolate.ts'
import { draw, hits, mix, saltOf, scale } from './prng.ts'
import type { World } from './world.ts'

const MIN_LATENCY_US = 200
const LOOPBACK_US = 10

/** One direction between two actors. */
class Link {
  readonly from: Actor
  readonly to: Actor
  readonly salt: number
  readonly baseUs: number
  readonly jitterUs: number
  sent = 0
  /** When the last message in order arrives. */
  lastUs = 0
  /** What a clog holds. */
  held: SimEvent[] = []

  constructor(seed: number, from: Actor, to: Actor) {
    this.from = from
    this.to = to
    this.salt = saltOf(seed, `link/${JSON.stringify([from.id, to.id])}`)
    const isLoopback = from === to
    this.baseUs = isLoopback ? LOOPBACK_US : MIN_LATENCY_US + scale(draw(this.salt, -1), 1000)
    this.jitterUs = isLoopback ? 1 : 1 + (this.baseUs >> 1)
  }

  /** A random number for the message number `n`, another one for each purpose. */
  random(purpose: number, n: number): number {
    return draw(this.salt + purpose, n)
  }
}

const LATENCY = 0
const LOSS = 0x1000193
const DUPLICATION = 0x2000193
const REORDERING = 0x3000193
const STALL = 0x4000193
const AMOUNT = 0x10000

/** A fault that acts on the links that `touches` names. */
export interface LinkFault {
  readonly fault: Fault
  readonly touches: (from: string, to: string) => boolean
}

/** All links of a world, and the faults that act on them now. */
export class Network {
  readonly #world: World
  readonly #links: (Link | undefined)[][] = []
  readonly #active: LinkFault[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** Puts a copy of `message` on its way. */
  send(from: Actor, to: Actor, message: unknown): void {
    const link = this.#link(from, to)
    const n = link.sent++
    const copy = isolate(message, this.#world.trace.hash)
    if (!to.life.isAlive) return
    const latencyUs = link.baseUs + scale(link.random(LATENCY, n), link.jitterUs)
    if (this.#active.length > 0 && from !== to) this.#sendUnderFaults(link, copy, n, latencyUs)
    else this.#deliverInOrder(link, copy, latencyUs)
  }

  /** Hands a message that has arrived over, unless the link is cut or clogged by now. */
  arrive(event: SimEvent): void {
    const { actor: to, from } = event
    if (this.#active.length > 0 && from !== to && this.#isStopped(event)) return
    for (let i = 0; i < to.handlers.length; i++) {
      this.#world.watch(to, to.handlers[i]!(event.detail, from!.id))
    }
  }

  start(fault: LinkFault): void {
    this.#active.push(fault)
  }

  stop(fault: LinkFault): void {
    const at = this.#active.indexOf(fault)
    if (at >= 0) this.#active.splice(at, 1)
    if (fault.fault.kind === 'clog' || fault.fault.kind === 'swizzle') this.#release()
  }

  /** What is held for a crashed process is lost with its connections. */
  forget(actor: Actor): void {
    for (const row of this.#links) {
      const link = row?.[actor.index]
      if (link !== undefined) link.held = []
    }
  }

  /** Whether a message is lost at a cut or held at a clog. */
  #isStopped(event: SimEvent): boolean {
    const link = this.#link(event.from!, event.actor)
    for (const { fault, touches } of this.#active) {
      const isClog = fault.kind === 'clog' || fault.kind === 'swizzle'
      if ((!isClog && !isCut(fault)) || !touches(link.from.id, link.to.id)) continue
      this.#world.hit(fault.kind)
      if (isClog) link.held.push(event)
      return true
    }
    return false
  }

  #sendUnderFaults(link: Link, message: unknown, n: number, latencyUs: number): void {
    const world = this.#world
    let stallUs = 0
    let overtakenUs = 0
    let isDoubled = false
    for (const { fault, touches } of this.#active) {
      if (!touches(link.from.id, link.to.id)) continue
      if (isCut(fault) || (fault.kind === 'loss' && hits(link.random(LOSS, n), fault.rate))) {
        world.hit(fault.kind)
        return
      }
      if (fault.kind === 'duplication' && hits(link.random(DUPLICATION, n), fault.rate)) {
        isDoubled = true
      }
      if (fault.kind === 'reordering' && hits(link.random(REORDERING, n), fault.rate)) {
        overtakenUs = 1 + scale(link.random(REORDERING + AMOUNT, n), fault.byMs * 1000)
      }
      if (fault.kind === 'latency' && hits(link.random(STALL, n), fault.rate)) {
        stallUs = Math.max(stallUs, tail(link.random(STALL + AMOUNT, n), fault.byMs * 1000))
      }
    }
    const delayUs = latencyUs + stallUs
    if (stallUs > 0) world.hit('latency')
    if (overtakenUs > 0) {
      world.hit('reordering')
      this.#deliver(link, message, world.nowUs + delayUs + overtakenUs)
    } else this.#deliverInOrder(link, message, delayUs)
    if (!isDoubled) return
    world.hit('duplication')
    const laterUs = delayUs + scale(link.random(DUPLICATION + AMOUNT, n), 20 * latencyUs)
    this.#deliver(link, isolate(message, world.trace.hash), world.nowUs + laterUs)
  }

  #deliverInOrder(link: Link, message: unknown, delayUs: number): void {
    const arrival = this.#world.nowUs + delayUs
    if (arrival > link.lastUs) link.lastUs = arrival
    this.#deliver(link, message, link.lastUs)
  }

  #deliver({ salt, from, to }: Link, message: unknown, atUs: number): void {
    const tie = mix(salt ^ atUs)
    this.#world.heap.push(new SimEvent(atUs, tie, MESSAGE, to, undefined, message, from))
  }

  /** A clog has ended: what it held goes on in order; a clog that remains will hold it again. */
  #release(): void {
    for (const row of this.#links) {
      for (const link of row ?? []) {
        const held = link?.held ?? []
        if (held.length === 0) continue
        link!.held = []
        for (const event of held) {
          this.#deliver(link!, event.detail, this.#world.nowUs)
        }
      }
    }
  }

  #link(from: Actor, to: Actor): Link {
    const known = this.#links[from.index]?.[to.index]
    if (known !== undefined) return known
    const link = new Link(this.#world.options.seed, from, to)
    this.#links[from.index] ??= []
    this.#links[from.index]![to.index] = link
    return link
  }
}

function isCut(fault: Fault): boolean {
  return fault.kind === 'partition' || fault.kind === 'oneWayPartition'
}

/** Up to `max`, each halving as likely as the one before: a tail without a logarithm. */
function tail(bits: number, max: number): number {
  const halvings = Math.min(Math.clz32(bits), 6)
  return Math.max(1, Math.floor(max / 2 ** halvings))
}
