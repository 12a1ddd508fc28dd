// A process's own vector clock (Fidge 1988, Mattern 1989), changed in place: the index of its own
// entry is kept, so that a tick is one addition at any size. A snapshot lends the arrays out as an
// immutable vector; the next change copies the counts first.

import { ClockError, show } from './clock-error.ts'
import { successor } from './counter.ts'
import type { Dot } from './dot.ts'
import { checkId, findId } from './id-list.ts'
import { VersionVector, vectorOf } from './version-vector.ts'

/**
 * The clock of one process, which counts its own events and learns of others' from messages. Of
 * two events, one can have caused the other exactly if its vector is before the other's.
 *
 * @example
 * const oslo = new VectorClock('oslo')
 * const rome = new VectorClock('rome')
 * const sent = oslo.send()
 * rome.receive(sent)
 * sent.compare(rome.snapshot()) // 'before'
 */
export class VectorClock {
  /** The replica's id. */
  readonly self: string
  #ids: readonly string[]
  #counts: number[]
  /** Where `self` is in the lists; −1 before the first event, since zeros are not stored. */
  #own: number
  /** The vector that shares `#counts`, if one was handed out since the last change. */
  #lent: VersionVector | undefined

  /**
   * @param self The replica's id: a new one if it does not remember its clock, see
   *   {@link replicaId}.
   * @param from The vector that it had before a restart.
   * @throws {ClockError} INVALID_ID.
   */
  constructor(self: string, from: VersionVector = VersionVector.empty) {
    checkId(self)
    this.self = self
    this.#ids = from.ids
    this.#counts = from.counts.slice()
    this.#own = Math.max(-1, findId(from.ids, self))
    this.#lent = undefined
  }

  /** How many events this process had. */
  get counter(): number {
    return this.#own < 0 ? 0 : this.#counts[this.#own]!
  }

  /** The last event of this process; counter 0 before the first. */
  get dot(): Dot {
    return { id: this.self, counter: this.counter }
  }

  /**
   * The count of a replica, 0 if it is absent. O(log n).
   *
   * @param id of a replica
   */
  get(id: string): number {
    const at = findId(this.#ids, id)
    return at < 0 ? 0 : this.#counts[at]!
  }

  /**
   * Counts a local event; returns its number, which with `self` is its dot. O(1) without
   * allocation, but for one copy after a snapshot.
   *
   * @throws {ClockError} INVALID_COUNTER at 2^53 − 1.
   */
  tick(): number {
    const own = this.#own
    if (own < 0 || this.#lent !== undefined) return this.#tickApart()
    const counter = successor(this.#counts[own]!, this.self)
    this.#counts[own] = counter
    return counter
  }

  /** Counts the sending of a message; returns the vector to send with it. */
  send(): VersionVector {
    this.tick()
    return this.snapshot()
  }

  /**
   * Counts the receipt of a message and learns what its sender knew; returns the number of the
   * event, as {@link tick} does. O(n).
   *
   * @param stamp what a message brought
   * @throws {ClockError} FUTURE_CONTEXT if the sender knows more events of this process than it
   *   had: it lost its memory, or two processes share an id. The clock is left as it was.
   */
  receive(stamp: VersionVector): number {
    const known = stamp.get(this.self)
    if (known > this.counter) refuseFuture(this.self, known, this.counter)
    // Fails before anything is learnt where the own counter is at its end.
    successor(this.counter, this.self)
    if (stamp.ids === this.#ids && this.#lent === undefined) {
      const counts = this.#counts
      for (let i = 0; i < counts.length; i++) {
        if (stamp.counts[i]! > counts[i]!) counts[i] = stamp.counts[i]!
      }
    } else {
      this.#adopt(this.snapshot().merge(stamp))
    }
    return this.tick()
  }

  /** The clock as an immutable vector. O(1); the next change copies. */
  snapshot(): VersionVector {
    this.#lent ??= vectorOf({ ids: this.#ids, counts: this.#counts })
    return this.#lent
  }

  #tickApart(): number {
    const next = this.snapshot().increment(this.self)
    this.#ids = next.ids
    // Nobody else has seen this vector, so that its counts are ours to change.
    this.#counts = next.counts as number[]
    this.#own = findId(next.ids, this.self)
    this.#lent = undefined
    return this.counter
  }

  #adopt(vector: VersionVector): void {
    this.#ids = vector.ids
    this.#counts = vector.counts as number[]
    this.#own = Math.max(-1, findId(vector.ids, this.self))
    this.#lent = vector
  }
}

/** Throws: somebody knows `known` events of `id`, which itself has had `had`. */
export function refuseFuture(id: string, known: number, had: number): never {
  throw new ClockError(
    'FUTURE_CONTEXT',
    `somebody knows ${known} events of ${show(id)}, which had ${had}: it lost its memory or two ` +
      'share the id; continue under a new id, see replicaId(name, incarnation)',
  )
}
