// Since when and for how long entries live. An entry is stale once its age exceeds its ttl; that is
// decided from two columns, and a timer wheel only proposes whom to look at when room is needed.
//
// Invariant: the wheel knows no entry later than it goes stale. Whose age was reset is found there
// too early and put back, so that a use that makes an entry young again costs no relinking.

import { grown, type SlotStore } from '../slot-store.ts'
import { TimerWheel } from '../timer-wheel.ts'
import { type CoarseClock, startTimer, type Timers } from './lru-timers.ts'

/** How many that the wheel proposes too early are put back for one that leaves. */
const PUT_BACK = 8

/** Times of slots, in milliseconds of the cache's clock. */
export class EntryAges {
  /** When an entry's time began; 0 where there is no limit. */
  starts: Float64Array = new Float64Array(0)
  /** How long it lasts; 0 is for ever. */
  ttls: Float64Array = new Float64Array(0)
  readonly #clock: CoarseClock
  readonly #timers: Timers
  readonly #wheel: TimerWheel
  /** What purges a slot when its time is up, where that was asked for. */
  readonly #purges: Map<number, unknown> = new Map()

  constructor(store: SlotStore<unknown, unknown>, clock: CoarseClock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
    this.#wheel = new TimerWheel(store, () => clock.readExactly())
    store.addColumn((slots) => {
      this.starts = grown(this.starts, slots)
    })
    store.addColumn((slots) => {
      this.ttls = grown(this.ttls, slots)
    })
  }

  /** Gives a slot a limit from `start` on, by default from now on. */
  stamp(slot: number, ttl: number, start: number | undefined): void {
    this.forget(slot)
    if (ttl === 0) return
    this.ttls[slot] = ttl
    this.starts[slot] = start ?? this.#clock.readExactly()
    this.#schedule(slot)
  }

  /** Lets a slot's time begin again. */
  restart(slot: number): void {
    if (this.ttls[slot] !== 0) this.starts[slot] = this.#clock.readExactly()
  }

  /** Takes a slot's limit away. */
  forget(slot: number): void {
    this.starts[slot] = 0
    this.ttls[slot] = 0
    this.#wheel.cancel(slot)
    if (this.#purges.size === 0) return
    this.#timers.clearTimeout(this.#purges.get(slot))
    this.#purges.delete(slot)
  }

  /** Takes all limits away. */
  clear(): void {
    this.starts.fill(0)
    this.ttls.fill(0)
    this.#wheel.clear()
    for (const handle of this.#purges.values()) this.#timers.clearTimeout(handle)
    this.#purges.clear()
  }

  /** Whether a slot's time is up, by a clock that may be `resolutionMs` late. */
  isStale(slot: number, resolutionMs: number): boolean {
    const ttl = this.ttls[slot]!
    return ttl !== 0 && this.#clock.read(resolutionMs) - this.starts[slot]! > ttl
  }

  /** How long a slot has left: negative if it is stale, Infinity without a limit. */
  remainingMs(slot: number, resolutionMs: number): number {
    const ttl = this.ttls[slot]!
    if (!ttl) return Number.POSITIVE_INFINITY
    return ttl - (this.#clock.read(resolutionMs) - this.starts[slot]!)
  }

  /** A slot that is stale, or 0 if none is known. */
  stale(): number {
    const wheel = this.#wheel
    wheel.advance()
    for (let left = PUT_BACK; left > 0; left--) {
      const slot = wheel.nextExpired()
      if (slot === 0) return 0
      const age = this.#clock.readExactly() - this.starts[slot]!
      if (age > this.ttls[slot]!) return slot
      this.#schedule(slot)
    }
    return 0
  }

  /** Calls back once a slot is stale, if it still has that limit by then. */
  purgeWhenStale(slot: number, purge: (slot: number) => void): void {
    this.#timers.clearTimeout(this.#purges.get(slot))
    const left = this.ttls[slot]! - (this.#clock.readExactly() - this.starts[slot]!)
    // One more, since an entry as old as its ttl is not stale yet.
    const delayMs = Math.max(0, left + 1)
    if (!Number.isFinite(delayMs)) return
    const look = () => {
      if (this.#clock.readExactly() - this.starts[slot]! > this.ttls[slot]!) purge(slot)
      else this.purgeWhenStale(slot, purge)
    }
    this.#purges.set(slot, startTimer(this.#timers, look, delayMs))
  }

  #schedule(slot: number): void {
    const left = this.ttls[slot]! - (this.#clock.readExactly() - this.starts[slot]!)
    if (Number.isFinite(left)) this.#wheel.schedule(slot, left)
  }
}
