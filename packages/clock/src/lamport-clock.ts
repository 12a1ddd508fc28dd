// Lamport's logical clock (Lamport, "Time, clocks, and the ordering of events in a distributed
// system", 1978): one counter that is always above every one it has heard of. If one event can have
// caused another, its number is smaller; a smaller number alone proves nothing.

import { checkCounter, successor } from './counter.ts'
import { checkId } from './id-list.ts'

/** A number of a {@link LamportClock} with the node that gave it: unique and totally ordered. */
export interface LamportStamp {
  readonly counter: number
  readonly node: string
}

/**
 * One node's logical clock.
 *
 * @example
 * const oslo = new LamportClock('oslo')
 * const rome = new LamportClock('rome')
 * rome.receive(oslo.tick()) // 2
 */
export class LamportClock {
  readonly node: string
  #counter: number

  /**
   * @param from The counter that the node had before a restart, default 0.
   * @throws {ClockError} INVALID_ID or INVALID_COUNTER.
   */
  constructor(node: string, from = 0) {
    checkId(node)
    checkCounter(from, 'from')
    this.node = node
    this.#counter = from
  }

  /** The number of the last event, 0 before the first. */
  get counter(): number {
    return this.#counter
  }

  /** The last event's number with the node, for {@link LamportClock.compare}. */
  get stamp(): LamportStamp {
    return { counter: this.#counter, node: this.node }
  }

  /**
   * Counts a local event or the sending of a message; returns its number.
   *
   * @throws {ClockError} INVALID_COUNTER at 2^53 − 1.
   */
  tick(): number {
    this.#counter = successor(this.#counter, this.node)
    return this.#counter
  }

  /**
   * Counts the receipt of a message that was sent at `counter`; returns a number above both.
   *
   * @throws {ClockError} INVALID_COUNTER.
   */
  receive(counter: number): number {
    checkCounter(counter, 'counter')
    this.#counter = successor(Math.max(this.#counter, counter), this.node)
    return this.#counter
  }

  /**
   * Total order of stamps: by number, ties by node.
   *
   * @param a one stamp
   * @param b another
   */
  static compare(a: LamportStamp, b: LamportStamp): number {
    if (a.counter !== b.counter) return a.counter - b.counter
    return a.node < b.node ? -1 : a.node > b.node ? 1 : 0
  }
}
