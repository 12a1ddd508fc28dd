// Hybrid logical clocks (Kulkarni, Demirbas, Madappa, Avva, Leone, "Logical physical clocks",
// 2014): timestamps that follow causality as Lamport's do and stay near the wall clock.
//
// `wall` is the largest wall clock seen, here or in a message; `logical` counts the events within
// it. Invariant: the pair only grows, whatever the wall clock does. A clock that stepped back
// holds `wall` and counts, so that it never has to stop; 65,536 events in one millisecond carry
// into `wall`. Only messages from too far in the future are refused.

import { ClockError, show } from './clock-error.ts'
import { checkParts, type HlcTimestamp, MAX_LOGICAL } from './hlc-timestamp.ts'
import { checkId } from './id-list.ts'

/** A wall clock that is further off than it may be. */
export interface HlcDrift {
  /** `'local'`: this machine's clock stepped back. `'remote'`: a message was refused. */
  readonly source: 'local' | 'remote'
  /** How far this machine's clock is behind, in milliseconds. */
  readonly driftMs: number
}

/** How a {@link HybridLogicalClock} works. */
export interface HlcOptions {
  /** The node's id: ties between timestamps of two nodes are broken by it. */
  readonly node: string
  /** The wall clock in milliseconds, default `Date.now`; may jump in both directions. */
  readonly now?: () => number
  /** How far ahead of this machine's clock a message may be; default 60,000, or `Infinity`. */
  readonly maxDriftMs?: number
  /** Told of drift beyond `maxDriftMs`: of the local clock once for each time it steps back. */
  readonly onDrift?: (drift: HlcDrift) => void
  /** The last timestamp, or the persisted {@link HybridLogicalClock.upperBound}, of this node. */
  readonly last?: { readonly wall: number; readonly logical: number }
}

/** No clock of today says more; beyond it is a broken clock, below 2^48 room for carries. */
const MAX_PHYSICAL = 2 ** 47

/**
 * A clock whose timestamps order events as causality does: what a node does after it has received
 * a message gets a larger timestamp than the message, however wrong either wall clock is.
 *
 * A larger timestamp alone proves nothing; to know that two writes are concurrent takes a vector.
 *
 * @example
 * const clock = new HybridLogicalClock({ node: 'oslo' })
 * const sent = encodeHlc(clock.now())
 * clock.receive(decodeHlc(fromRome))
 */
export class HybridLogicalClock {
  readonly node: string
  readonly #now: () => number
  readonly #maxDriftMs: number
  readonly #onDrift: ((drift: HlcDrift) => void) | undefined
  #wall = 0
  #logical = 0
  #isBehind = false
  #bound = -Infinity

  /** @throws {ClockError} INVALID_ID, or INVALID_COUNTER for `last` or `maxDriftMs`. */
  constructor({ node, now = Date.now, maxDriftMs = 60_000, onDrift, last }: HlcOptions) {
    checkId(node)
    if (!(typeof maxDriftMs === 'number' && maxDriftMs >= 0)) {
      throw new ClockError(
        'INVALID_COUNTER',
        `maxDriftMs must be a number >= 0 or Infinity, got ${show(maxDriftMs)}`,
      )
    }
    this.node = node
    this.#now = now
    this.#maxDriftMs = maxDriftMs
    this.#onDrift = onDrift
    if (last === undefined) return
    checkParts(last.wall, last.logical)
    this.#wall = last.wall
    this.#logical = last.logical
  }

  /**
   * The timestamp of a local event or of a message to send: larger than every one before. Never
   * throws, whatever the wall clock does: one that steps back, stands still or says NaN makes the
   * logical part count, one more than `maxDriftMs` back is told to `onDrift`. O(1).
   */
  now(): HlcTimestamp {
    const physical = this.#physical()
    if (physical > this.#wall) {
      this.#wall = physical
      this.#logical = 0
      this.#isBehind = false
    } else {
      this.#count(this.#logical)
      if (this.#wall - physical > this.#maxDriftMs) this.#fellBehind(physical)
      else this.#isBehind = false
    }
    return { wall: this.#wall, logical: this.#logical, node: this.node }
  }

  /**
   * The timestamp of the receipt of a message: larger than the message's and than every one before.
   *
   * @param remote the timestamp that a message brought
   * @throws {ClockError} DRIFT, with `driftMs`, if the message is more than `maxDriftMs` ahead of
   *   this machine's clock and would move this clock; INVALID_COUNTER if it is no timestamp. The
   *   clock is left as it was.
   */
  receive(remote: { readonly wall: number; readonly logical: number }): HlcTimestamp {
    const { wall, logical } = remote
    checkParts(wall, logical)
    const physical = this.#physical()
    if (wall > this.#wall) this.#checkAhead(wall, physical)
    if (physical > this.#wall && physical > wall) {
      this.#wall = physical
      this.#logical = 0
    } else if (wall > this.#wall) {
      this.#wall = wall
      this.#count(logical)
    } else {
      this.#count(wall === this.#wall ? Math.max(logical, this.#logical) : this.#logical)
    }
    return { wall: this.#wall, logical: this.#logical, node: this.node }
  }

  /** The last timestamp, without making a new one. */
  state(): HlcTimestamp {
    return { wall: this.#wall, logical: this.#logical, node: this.node }
  }

  /**
   * A timestamp that this clock stays below for the next `aheadMs`, to be persisted before they
   * begin: after a crash `last` set to it makes every new timestamp larger than every one that was
   * given out, wherever the wall clock stands then. Persist the next one while
   * {@link headroomMs} is above 0.
   *
   * @param aheadMs A few times the interval at which it is persisted.
   * @throws {ClockError} INVALID_COUNTER.
   */
  upperBound(aheadMs: number): HlcTimestamp {
    if (!(typeof aheadMs === 'number' && aheadMs >= 0 && aheadMs < MAX_PHYSICAL)) {
      throw new ClockError(
        'INVALID_COUNTER',
        `aheadMs must be a number of milliseconds >= 0, got ${show(aheadMs)}`,
      )
    }
    this.#bound = Math.max(this.#wall, this.#physical()) + Math.ceil(aheadMs)
    return { wall: this.#bound, logical: MAX_LOGICAL, node: this.node }
  }

  /**
   * How far the clock is below the last {@link upperBound}, in milliseconds. Below 0 (also before
   * the first one) a crash now would not be covered: a message from ahead can use it up early.
   */
  headroomMs(): number {
    return this.#bound - Math.max(this.#wall, this.#physical())
  }

  /** The wall clock as whole milliseconds; 0, which never moves the clock, if it is broken. */
  #physical(): number {
    const physical = Math.floor(this.#now())
    return physical > 0 && physical < MAX_PHYSICAL ? physical : 0
  }

  /** Moves to the event after `logical` within the present wall. */
  #count(logical: number): void {
    if (logical < MAX_LOGICAL) {
      this.#logical = logical + 1
    } else {
      this.#wall++
      this.#logical = 0
    }
  }

  #checkAhead(wall: number, physical: number): void {
    const driftMs = wall - physical
    if (driftMs <= this.#maxDriftMs && wall < MAX_PHYSICAL) return
    this.#onDrift?.({ source: 'remote', driftMs })
    throw new ClockError(
      'DRIFT',
      `the timestamp is ${driftMs} ms ahead of this machine's clock, where ` +
        `${this.#maxDriftMs} are allowed: set the clocks right, or raise maxDriftMs`,
      { driftMs },
    )
  }

  #fellBehind(physical: number): void {
    if (this.#isBehind) return
    this.#isBehind = true
    this.#onDrift?.({ source: 'local', driftMs: this.#wall - physical })
  }
}
