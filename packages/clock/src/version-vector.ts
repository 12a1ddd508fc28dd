// Version vectors: how many events of each replica are known. (Parker et al. 1983; as vector
// clocks Fidge 1988 and Mattern 1989.)
//
//   ids    ['oslo', 'rome', 'tokyo']   sorted, shared by reference within a membership
//   counts [     4,      1,       7]   parallel, never 0: absent is 0
//
// Immutable: merge returns one of its inputs where that is the answer. Plain objects and Maps lose
// to this layout by 4 to 100 times as they grow; typed arrays lose below 16 entries.

import { ClockError, show } from './clock-error.ts'
import { checkCounter, successor } from './counter.ts'
import type { Dot, DotRange } from './dot.ts'
import { checkId, findId, insertId, shareList } from './id-list.ts'
import type { Members } from './members.ts'
import {
  A_LACKS,
  A_MORE,
  B_LACKS,
  B_MORE,
  compareCounts,
  type Entries,
  intersection,
  maxCounts,
  type Order,
  orderOf,
  raise,
  relate,
  union,
} from './pointwise.ts'
import { decodeVector, type EncodeOptions, encodeVector } from './vector-codec.ts'

/** Makes a vector of entries that are known to be right: sorted, distinct, above zero. */
let fromEntries: (ids: readonly string[], counts: readonly number[]) => VersionVector

/**
 * What is known: for each replica how many of its events, an absent one counting 0.
 *
 * @example
 * const a = VersionVector.of({ oslo: 1 })
 * const b = a.increment('rome')
 * a.compare(b) // 'before'
 * a.increment('oslo').compare(b) // 'concurrent'
 */
export class VersionVector {
  /** Knows nothing; before or equal to every other. */
  static readonly empty: VersionVector = new VersionVector([], [])

  static {
    fromEntries = (ids, counts) => new VersionVector(ids, counts)
  }

  /** The replicas with a count above 0, ascending by UTF-16 code unit. */
  readonly ids: readonly string[]
  /** The counts of `ids`, in the same order. */
  readonly counts: readonly number[]

  private constructor(ids: readonly string[], counts: readonly number[]) {
    this.ids = ids
    this.counts = counts
  }

  /**
   * A vector of these entries: an object, a Map, or any iterable of pairs. Zeros are dropped.
   *
   * @throws {ClockError} INVALID_ID for an id that is no well-formed string or comes twice,
   *   INVALID_COUNTER for a count that is not a safe integer ≥ 0.
   */
  static of(
    entries: Readonly<Record<string, number>> | Iterable<readonly [string, number]>,
  ): VersionVector {
    if (typeof entries !== 'object' || entries === null) refuseEntries(entries)
    const pairs = Symbol.iterator in entries ? [...entries] : Object.entries(entries)
    for (const [id, count] of pairs) {
      checkId(id)
      checkCounter(count, `the counter of ${show(id)}`)
    }
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    const twice = pairs.find(([id], i) => i > 0 && pairs[i - 1]![0] === id)
    if (twice) throw new ClockError('INVALID_ID', `the id ${show(twice[0])} is given twice`)
    const present = pairs.filter(([, count]) => count > 0)
    if (present.length === 0) return VersionVector.empty
    const ids = shareList(present.map(([id]) => id))
    return new VersionVector(
      ids,
      present.map(([, count]) => count),
    )
  }

  /**
   * Reads what {@link encode} wrote. Bytes from outside are safe to pass: what is malformed is
   * refused before anything of its claimed size is allocated.
   *
   * @param members The table that the bytes were encoded with, or several (the old and the new
   *   while a membership changes); bytes without a table need none.
   * @throws {ClockError} INVALID_BYTES.
   */
  static decode(bytes: Uint8Array, members?: Members | readonly Members[]): VersionVector {
    const { ids, counts } = decodeVector(bytes, members)
    return ids.length === 0 ? VersionVector.empty : new VersionVector(ids, counts)
  }

  /** How many replicas have a count above 0. */
  get size(): number {
    return this.ids.length
  }

  /**
   * The count of a replica, 0 if it is absent. O(log n).
   *
   * @param id of a replica
   */
  get(id: string): number {
    const at = findId(this.ids, id)
    return at < 0 ? 0 : this.counts[at]!
  }

  /** Is this event known? */
  has({ id, counter }: Dot): boolean {
    return counter >= 1 && counter <= this.get(id)
  }

  /**
   * The vector after one more event of `id`. O(n), one copy of the counts.
   *
   * @throws {ClockError} INVALID_ID, or INVALID_COUNTER at 2^53 − 1.
   */
  increment(id: string): VersionVector {
    const at = findId(this.ids, id)
    if (at >= 0) return advance(this, at)
    return new VersionVector(insertId(this.ids, ~at, id), this.counts.toSpliced(~at, 0, 1))
  }

  /**
   * All that either knows: the least upper bound. Returns an input where that is it. O(n).
   *
   * @param other another vector
   */
  merge(other: VersionVector): VersionVector {
    if (this.ids === other.ids) {
      const order = compareCounts(this.counts, other.counts)
      if (order === 'concurrent') {
        return new VersionVector(this.ids, maxCounts(this.counts, other.counts))
      }
      return order === 'before' ? other : this
    }
    const flags = relate(this, other, false)
    if ((flags & B_MORE) === 0) return this
    if ((flags & A_MORE) === 0) return other
    if ((flags & A_LACKS) === 0) return new VersionVector(this.ids, raise(this, other))
    if ((flags & B_LACKS) === 0) return new VersionVector(other.ids, raise(other, this))
    const { ids, counts } = union(this, other)
    return new VersionVector(shareList(ids), counts)
  }

  /**
   * What both know: the greatest lower bound. Returns an input where that is it. O(n).
   *
   * @param other another vector
   */
  meet(other: VersionVector): VersionVector {
    const order = this.compare(other)
    if (order !== 'concurrent') return order === 'after' ? other : this
    const { ids, counts } = intersection(this, other)
    if (ids.length === 0) return VersionVector.empty
    const isWhole = ids.length === this.ids.length
    return new VersionVector(isWhole ? this.ids : shareList(ids), counts)
  }

  /**
   * What this is to `other`. `'before'`: `other` knows all of this and more. `'concurrent'`: each
   * knows something that the other does not. O(n), without a string touched where the two share
   * their ids.
   *
   * It is a partial order, which no sort can take as a comparator: see {@link causalSort}.
   */
  compare(other: VersionVector): Order {
    if (this.ids === other.ids) return compareCounts(this.counts, other.counts)
    return orderOf(relate(this, other, true))
  }

  /** Does this know all that `other` knows (after it or equal)? */
  descends(other: VersionVector): boolean {
    if (this.ids !== other.ids) return (relate(this, other, true) & B_MORE) === 0
    const { counts } = this
    for (let i = 0; i < counts.length; i++) if (counts[i]! < other.counts[i]!) return false
    return true
  }

  /** Does this know all that `other` knows, and more? */
  dominates(other: VersionVector): boolean {
    return this.compare(other) === 'after'
  }

  /** Does each know something that the other does not? Equal vectors are not concurrent. */
  concurrent(other: VersionVector): boolean {
    return this.compare(other) === 'concurrent'
  }

  /**
   * Do both know the same?
   *
   * @param other another vector
   */
  equals(other: VersionVector): boolean {
    return this.compare(other) === 'equal'
  }

  /** The events known here and missing from `other`: what to send to whoever sent `other`. */
  missingFrom(other: VersionVector): DotRange[] {
    const ranges: DotRange[] = []
    for (let i = 0; i < this.ids.length; i++) {
      const id = this.ids[i]!
      const known = other.get(id)
      if (known < this.counts[i]!) ranges.push({ id, from: known + 1, to: this.counts[i]! })
    }
    return ranges
  }

  /** The pairs of id and count, ascending by id. */
  *entries(): IterableIterator<[string, number]> {
    for (let i = 0; i < this.ids.length; i++) yield [this.ids[i]!, this.counts[i]!]
  }

  /** A plain object of ids and counts, which {@link of} reads back; any id is safe as its key. */
  toJSON(): Record<string, number> {
    return Object.fromEntries(this.entries())
  }

  /**
   * A compact binary form: with a table of members one varint a replica (11 bytes for three
   * replicas with counts in the thousands), without one the ids as well. Equal vectors encode to
   * equal bytes. Replicas that are not in the table travel by name.
   *
   * @param members A table that the reader has as well.
   * @param options `checksum` (default false) adds a CRC32 of 4 bytes that detects alteration.
   */
  encode(members?: Members, options?: EncodeOptions): Uint8Array {
    return encodeVector(this, members, options)
  }

  /**
   * The vector without the entries of replicas that are gone for good.
   *
   * Allowed where the entry equals what is stable, that is, everybody has seen the last event of
   * that replica: then all vectors that pass the check lose the same number and every comparison
   * among them stays as it was. Retire the same ids from all vectors that are compared with one
   * another, also from those that arrive later.
   *
   * @param stable What everybody has seen, from {@link MatrixClock.stable}.
   * @throws {ClockError} NOT_STABLE where an entry is not the stable one.
   */
  retire(ids: Iterable<string>, stable: VersionVector): VersionVector {
    const gone = new Set(ids)
    for (const id of gone) checkRetired(id, this.get(id), stable.get(id))
    const kept = [...this.entries()].filter(([id]) => !gone.has(id))
    if (kept.length === this.ids.length) return this
    if (kept.length === 0) return VersionVector.empty
    return new VersionVector(
      shareList(kept.map(([id]) => id)),
      kept.map(([, count]) => count),
    )
  }
}

/** A vector of entries that are known to be right; for the other parts of this package. */
export function vectorOf({ ids, counts }: Entries): VersionVector {
  return ids.length === 0 ? VersionVector.empty : fromEntries(ids, counts)
}

/** The vector after one more event of the replica at a place of its ids. */
export function advance({ ids, counts }: VersionVector, at: number): VersionVector {
  const next = counts.slice()
  next[at] = successor(next[at]!, ids[at]!)
  return fromEntries(ids, next)
}

function refuseEntries(given: unknown): never {
  throw new ClockError(
    'INVALID_ID',
    `entries must be an object of counts by id or an iterable of pairs, got ${show(given)}`,
  )
}

function checkRetired(id: string, count: number, stable: number): void {
  if (count === stable) return
  throw new ClockError(
    'NOT_STABLE',
    `${show(id)} counts ${count} here and ${stable} in what is stable: ` +
      (count > stable
        ? 'wait until every replica has reported it'
        : 'this vector is older than that; merge or drop it before the id is retired'),
  )
}
