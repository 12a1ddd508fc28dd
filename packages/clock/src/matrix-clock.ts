// What everybody has seen. (Wuu and Bernstein, "Efficient solutions to the replicated log and
// dictionary problems", 1984.) A row for each replica: the last vector it reported; the smallest
// count of each column is stable, and what is stable may be forgotten.
//
// Invariant: rows only grow and a new row starts at what is stable, so that stable() never goes
// back. A replica that never reports holds it where it is: removing one is a decision, never
// something that happens by itself.

import { ClockError, show } from './clock-error.ts'
import { checkId } from './id-list.ts'
import { VersionVector } from './version-vector.ts'

/**
 * The vectors that the replicas of one group are known to have.
 *
 * @example
 * const matrix = new MatrixClock(['oslo', 'rome'])
 * matrix.update('oslo', VersionVector.of({ oslo: 3, rome: 1 }))
 * matrix.update('rome', VersionVector.of({ oslo: 2, rome: 4 }))
 * matrix.stable().toJSON() // { oslo: 2, rome: 1 }
 */
export class MatrixClock {
  readonly #rows = new Map<string, VersionVector>()
  #stable = VersionVector.empty
  #isFresh = true

  /**
   * @param replicas All members: one that has not reported yet counts as knowing nothing.
   * @throws {ClockError} INVALID_ID.
   */
  constructor(replicas: Iterable<string>) {
    for (const id of replicas) this.add(id)
  }

  /** The members, in the order in which they came. */
  get replicas(): string[] {
    return [...this.#rows.keys()]
  }

  /**
   * Takes a new member in, which must have been brought up to what is stable already. A member
   * that is there already is left as it is.
   *
   * @param row What it knows, by default what is stable now.
   * @param replica of the replica that joins
   * @throws {ClockError} NOT_STABLE if the row lacks something stable: others may have forgotten
   *   it. INVALID_ID.
   */
  add(replica: string, row: VersionVector = this.stable()): void {
    checkId(replica)
    if (!row.descends(this.stable())) {
      throw new ClockError(
        'NOT_STABLE',
        `${show(replica)} lacks events that are stable and may be forgotten by others: ` +
          'bring it up to stable() before it joins',
      )
    }
    if (this.#rows.has(replica)) return
    this.#rows.set(replica, row)
    this.#isFresh = false
  }

  /**
   * Learns that a member knows `vector`; an older report than the last changes nothing.
   *
   * @param replica whose vector it is
   * @throws {ClockError} INVALID_ID if it is no member.
   */
  update(replica: string, vector: VersionVector): void {
    const row = this.row(replica)
    const next = row.merge(vector)
    if (next === row) return
    this.#rows.set(replica, next)
    this.#isFresh = false
  }

  /**
   * Removes a member for good, so that it no longer holds stable() back.
   *
   * @param replica that has left
   */
  remove(replica: string): boolean {
    // Settled while the row is there: of nobody's rows nothing could be said any more.
    this.stable()
    this.#isFresh = false
    return this.#rows.delete(replica)
  }

  /**
   * What a member is known to know.
   *
   * @param replica whose vector is asked for
   * @throws {ClockError} INVALID_ID if it is no member.
   */
  row(replica: string): VersionVector {
    const row = this.#rows.get(replica)
    if (row !== undefined) return row
    throw new ClockError(
      'INVALID_ID',
      `${show(replica)} is no member: the members are ${this.replicas.map(show).join(', ')}`,
    )
  }

  /** What at least one member knows. */
  known(): VersionVector {
    let all = this.#stable
    for (const row of this.#rows.values()) all = all.merge(row)
    return all
  }

  /** What every member knows; never goes back. O(members × n) after a change, else O(1). */
  stable(): VersionVector {
    if (this.#isFresh) return this.#stable
    let low: VersionVector | undefined
    for (const row of this.#rows.values()) low = low === undefined ? row : low.meet(row)
    // Without members nobody can say more than was said.
    if (low !== undefined) this.#stable = low
    this.#isFresh = true
    return this.#stable
  }
}
