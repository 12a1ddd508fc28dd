// What is going to happen, in the order in which it will: a binary heap over (time, tie, seq).
// `tie` is a hash of the seed, the source and the time, so that simultaneous events of different
// sources come in an order that only the seed decides, while one source keeps its own order.
//
// An event knows its place in the heap (`at`), so that a cleared timer leaves at once: timeouts
// that are nearly always cleared would otherwise fill the heap.

import type { Actor } from './actor.ts'

/** What a dispatcher does with an event. */
export const TIMER = 0
export const MESSAGE = 1
export const TASK = 2

/** The places of an event that is in no heap, and of a timer that was cleared. */
const NOWHERE = -1
const CLEARED = -2

/** Something that will happen at a virtual time; also what `setTimeout` returns. */
export class SimEvent {
  /** Microseconds since the run began. */
  time: number
  readonly tie: number
  seq = 0
  at: number = NOWHERE
  readonly kind: number
  readonly actor: Actor
  /** A timer's callback or a task's work. */
  readonly action: (() => unknown) | undefined
  /** The message, what the trace calls the task, or when a timer is due by its actor's clock. */
  readonly detail: unknown
  /** A message's sender. */
  readonly from: Actor | undefined

  constructor(
    time: number,
    tie: number,
    kind: number,
    actor: Actor,
    action: (() => unknown) | undefined,
    detail: unknown,
    from: Actor | undefined,
  ) {
    this.time = time
    this.tie = tie
    this.kind = kind
    this.actor = actor
    this.action = action
    this.detail = detail
    this.from = from
  }

  get isCleared(): boolean {
    return this.at === CLEARED
  }

  /** Node's timers have it; a simulated run ends by its own rules, so it does nothing. */
  ref(): this {
    return this
  }

  /** Node's timers have it; a simulated run ends by its own rules, so it does nothing. */
  unref(): this {
    return this
  }
}

/** A priority queue of events; push, pop and remove cost O(log n). */
export class EventHeap {
  #events: SimEvent[] = []
  #seq = 0

  get size(): number {
    return this.#events.length
  }

  push(event: SimEvent): void {
    event.seq = this.#seq++
    this.#events.push(event)
    this.#rise(event, this.#events.length - 1)
  }

  pop(): SimEvent | undefined {
    const first = this.#events[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Takes an event out if it is in; it will not take place, also if it waits elsewhere. */
  clear(event: SimEvent): void {
    this.remove(event)
    event.at = CLEARED
  }

  /** Takes an event out; nothing happens if it is not in. */
  remove(event: SimEvent): void {
    const at = event.at
    if (at < 0) return
    event.at = NOWHERE
    const last = this.#events.pop()!
    if (last === event) return
    if (at > 0 && isBefore(last, this.#events[(at - 1) >> 1]!)) this.#rise(last, at)
    else this.#sink(last, at)
  }

  /** Takes out every event of an actor, in O(n): a crash is rare. */
  removeAllOf(actor: Actor): void {
    const kept = this.#events.filter((event) => event.actor !== actor)
    if (kept.length === this.#events.length) return
    for (const event of this.#events) event.at = NOWHERE
    this.#events = []
    for (const event of kept) {
      this.#events.push(event)
      this.#rise(event, this.#events.length - 1)
    }
  }

  /** Whether any event belongs to an actor for which `claim` holds. */
  some(claim: (actor: Actor) => boolean): boolean {
    return this.#events.some((event) => claim(event.actor))
  }

  #rise(event: SimEvent, from: number): void {
    const events = this.#events
    let at = from
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = events[up]!
      if (!isBefore(event, parent)) break
      events[at] = parent
      parent.at = at
      at = up
    }
    events[at] = event
    event.at = at
  }

  #sink(event: SimEvent, from: number): void {
    const events = this.#events
    const size = events.length
    let at = from
    for (;;) {
      let down = 2 * at + 1
      if (down >= size) break
      if (down + 1 < size && isBefore(events[down + 1]!, events[down]!)) down++
      const child = events[down]!
      if (!isBefore(child, event)) break
      events[at] = child
      child.at = at
      at = down
    }
    events[at] = event
    event.at = at
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  if (a.time !== b.time) return a.time < b.time
  return a.tie !== b.tie ? a.tie < b.tie : a.seq < b.seq
}
