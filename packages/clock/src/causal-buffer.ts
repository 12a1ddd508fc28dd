// Delivers broadcast messages in causal order. (Birman, Schiper, Stephenson, "Lightweight causal
// and atomic group multicast", 1991: CBCAST.)
//
// A stamp counts messages, not events: the stamp of the k-th message of `from` has `from: k`, and
// for every other member how many of its messages the sender had delivered. A message may be
// delivered when it is the next of its sender and all those have been delivered here.
//
// A message that must wait is filed under the first dot that it lacks, and looked at again when
// that dot is delivered, from where it stopped: n steps a message in all. A rescan of all that
// wait after each delivery is 5 to 8 times slower once messages arrive far out of order. (To wait
// for the dot that is furthest from being delivered saves looks, but each has to begin anew.)

import { ClockError, show } from './clock-error.ts'
import { successor } from './counter.ts'
import type { DotRange } from './dot.ts'
import { DotSlots } from './dot-slots.ts'
import { checkId } from './id-list.ts'
import { type Route, StampRoutes } from './stamp-routes.ts'
import { refuseFuture } from './vector-clock.ts'
import { VersionVector } from './version-vector.ts'

const NOTHING: readonly never[] = []

/** How a {@link CausalBuffer} works. */
export interface CausalBufferOptions<M> {
  /** Called for each message, in causal order, once. May call the buffer. */
  readonly deliver: (message: M, from: string, stamp: VersionVector) => void
  /** This member's own id; without it the buffer only listens. */
  readonly self?: string
  /** How many messages may wait; default 100,000. */
  readonly limit?: number
  /** What was delivered before a restart, or is contained in a snapshot one begins with. */
  readonly delivered?: VersionVector
}

/** A dot that is not delivered yet: who lacks it and, once that has arrived, its message. */
interface PendingDot<M> {
  readonly counter: number
  lackedBy: PendingDot<M> | undefined
  /** Undefined until the message has arrived, and with it the rest. */
  stamp: VersionVector | undefined
  message: M | undefined
  from: string
  sender: number
  /** The counts of the stamp, and for each its member's slot. */
  needs: readonly number[]
  slots: readonly number[]
  /** The place of the stamp before which nothing is lacking. */
  next: number
  /** The next message that lacks the same dot. */
  link: PendingDot<M> | undefined
}

/**
 * Holds messages back until all that they depend on has been delivered.
 *
 * @example
 * const buffer = new CausalBuffer({ self: 'rome', deliver: (text) => console.log(text) })
 * socket.on('message', ({ from, stamp, text }) => buffer.receive(from, stamp, text))
 * broadcast({ from: 'rome', stamp: buffer.send(), text: 'ciao' })
 */
export class CausalBuffer<M> {
  readonly #deliver: CausalBufferOptions<M>['deliver']
  readonly #self: number
  readonly #limit: number
  readonly #routes: StampRoutes
  /** For each member, by counter, the dots that messages or who lacks them are filed under. */
  readonly #pending: DotSlots<PendingDot<M>>[] = []
  /** Messages that lack nothing any more, in the order in which that came to be. */
  readonly #ready: PendingDot<M>[] = []
  /** How many of `#ready` were delivered. */
  #done = 0
  #size = 0
  #isDelivering = false

  /** @throws {ClockError} INVALID_ID for `self`, INVALID_COUNTER for `limit`. */
  constructor(options: CausalBufferOptions<M>) {
    const { deliver, self, limit = 100_000, delivered = VersionVector.empty } = options
    if (self !== undefined) checkId(self)
    if (!(typeof limit === 'number' && limit >= 0)) {
      throw new ClockError('INVALID_COUNTER', `limit must be a number >= 0, got ${show(limit)}`)
    }
    this.#deliver = deliver
    this.#limit = limit
    this.#routes = new StampRoutes(delivered)
    this.#self = self === undefined ? -1 : this.#routes.slotOf(self)
  }

  /** How many messages wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Counts a message of this member as sent and delivered; returns the stamp to send with it.
   *
   * @throws {ClockError} INVALID_ID if the buffer was made without `self`.
   */
  send(): VersionVector {
    const { counts, ids } = this.#routes
    if (this.#self < 0) {
      throw new ClockError('INVALID_ID', 'a buffer needs the option self to send')
    }
    this.#routes.count(this.#self, successor(counts[this.#self]!, ids[this.#self]!))
    return this.delivered()
  }

  /**
   * Takes a message in, and delivers it and all that waited for it if nothing is lacking. One that
   * was delivered before, or waits already, is dropped.
   *
   * @param from The sender.
   * @param stamp The vector that the sender's {@link send} returned.
   * @returns How many messages were delivered.
   * @throws {ClockError} BUFFER_FULL if it must wait and `limit` messages do: fetch what
   *   {@link missing} says, then offer it again. INVALID_COUNTER if the stamp does not count its
   *   sender. FUTURE_CONTEXT if it knows messages of this member that it has not sent. Nothing was
   *   changed then. What `deliver` throws comes through; that message counts as delivered.
   */
  receive(from: string, stamp: VersionVector, message: M): number {
    const route = this.#routes.routeOf(stamp.ids)
    const sender = this.#routes.slotOf(from)
    const at = route.placeOf(sender)
    if (at < 0) refuseStamp(from)
    this.#checkOwn(route, stamp)
    const counter = stamp.counts[at]!
    if (counter <= this.#routes.counts[sender]!) return 0
    const known = this.#size === 0 ? undefined : this.#pending[sender]?.get(counter)
    if (known?.stamp !== undefined) return 0
    const { slots } = route
    const needs = stamp.counts
    const lacks = this.#firstLacking(slots, needs, sender, 0)
    if (lacks < 0 && !this.#isDelivering) {
      this.#hand(message, from, stamp, sender, counter)
      return this.#size === 0 ? 1 : 1 + this.flush()
    }
    if (lacks >= 0 && this.#size >= this.#limit) refuseFull(this.#limit)
    const dot = known ?? this.#add(sender, counter)
    dot.stamp = stamp
    dot.message = message
    dot.from = from
    dot.sender = sender
    dot.needs = needs
    dot.slots = slots
    this.#size++
    this.#file(dot, lacks)
    return 0
  }

  /**
   * Delivers what is ready. Needed only after `deliver` threw: what the message before it had
   * made ready stays for this call or the next receive.
   */
  flush(): number {
    if (this.#isDelivering) return 0
    let delivered = 0
    while (this.#done < this.#ready.length) {
      const { message, from, stamp, sender, counter } = this.#ready[this.#done++]!
      this.#size--
      delivered++
      this.#hand(message as M, from, stamp!, sender, counter)
    }
    this.#ready.length = 0
    this.#done = 0
    return delivered
  }

  /** What was delivered, this member's own messages included: persist it with the state. */
  delivered(): VersionVector {
    return this.#routes.vector()
  }

  /** The messages that others wait for and that have not arrived: what to ask for. */
  missing(): DotRange[] {
    const { ids, counts } = this.#routes
    const arrived = ids.map((_, member) => {
      const dots = [...(this.#pending[member]?.values() ?? [])]
      return dots.filter((dot) => dot.stamp !== undefined)
    })
    const needed = counts.slice()
    for (const { needs, slots, sender } of arrived.flat()) {
      for (let i = 0; i < needs.length; i++) {
        const member = slots[i]!
        const need = needs[i]! - (member === sender ? 1 : 0)
        if (need > needed[member]!) needed[member] = need
      }
    }
    const ranges = ids.flatMap((id, member) => {
      const counters = arrived[member]!.map(({ counter }) => counter)
      return gaps(id, counts[member]!, needed[member]!, counters)
    })
    return ranges.sort((a, b) => (a.id === b.id ? a.from - b.from : a.id < b.id ? -1 : 1))
  }

  #checkOwn(route: Route, stamp: VersionVector): void {
    if (this.#self < 0) return
    const at = route.placeOf(this.#self)
    if (at < 0) return
    const sent = this.#routes.counts[this.#self]!
    if (stamp.counts[at]! > sent) {
      refuseFuture(this.#routes.ids[this.#self]!, stamp.counts[at]!, sent)
    }
  }

  /** The first place from `start` where the stamp counts more than was delivered, or −1. */
  #firstLacking(
    slots: readonly number[],
    needs: readonly number[],
    sender: number,
    start: number,
  ): number {
    const { counts } = this.#routes
    for (let i = start; i < needs.length; i++) {
      const member = slots[i]!
      const lack = needs[i]! - counts[member]!
      if (lack > 0 && (lack > 1 || member !== sender)) return i
    }
    return -1
  }

  #add(member: number, counter: number): PendingDot<M> {
    const dot: PendingDot<M> = {
      counter,
      lackedBy: undefined,
      stamp: undefined,
      message: undefined,
      from: '',
      sender: -1,
      needs: NOTHING,
      slots: NOTHING,
      next: 0,
      link: undefined,
    }
    this.#pending[member] ??= new DotSlots()
    this.#pending[member].add(dot)
    return dot
  }

  /** Files a message under the dot that it lacks at a place of its stamp, or as ready. */
  #file(waiting: PendingDot<M>, lacks: number): void {
    if (lacks < 0) {
      this.#ready.push(waiting)
      return
    }
    const { needs, slots, sender, counter } = waiting
    const member = slots[lacks]!
    const lacked = member === sender ? counter - 1 : needs[lacks]!
    const dot = this.#pending[member]?.get(lacked) ?? this.#add(member, lacked)
    waiting.next = lacks
    waiting.link = dot.lackedBy
    dot.lackedBy = waiting
  }

  /** Delivers one message and finds what it has made ready. */
  #hand(message: M, from: string, stamp: VersionVector, sender: number, counter: number): void {
    this.#routes.count(sender, counter)
    this.#wake(sender, counter)
    this.#isDelivering = true
    try {
      this.#deliver(message, from, stamp)
    } finally {
      this.#isDelivering = false
    }
  }

  /** Forgets a dot that is delivered now, and files again who lacked it. */
  #wake(sender: number, counter: number): void {
    const dots = this.#pending[sender]
    const dot = dots?.get(counter)
    if (dot === undefined) return
    dots!.delete(dot)
    for (let waiting = dot.lackedBy; waiting !== undefined; ) {
      const { link, slots, needs, sender: from, next } = waiting
      this.#file(waiting, this.#firstLacking(slots, needs, from, next))
      waiting = link
    }
  }
}

/** The counters above `known` up to `needed` that are not among those that arrived. */
function gaps(id: string, known: number, needed: number, arrived: number[]): DotRange[] {
  const ranges: DotRange[] = []
  let last = known
  for (const counter of [...arrived.sort((a, b) => a - b), needed + 1]) {
    if (counter > needed + 1) break
    if (counter > last + 1) ranges.push({ id, from: last + 1, to: counter - 1 })
    last = counter
  }
  return ranges
}

function refuseStamp(from: string): never {
  throw new ClockError(
    'INVALID_COUNTER',
    `the stamp must count its sender ${show(from)}: pass the vector that its send() returned`,
  )
}

function refuseFull(limit: number): never {
  throw new ClockError(
    'BUFFER_FULL',
    `${limit} messages wait, which is the limit: fetch what missing() says, then offer it again`,
  )
}
