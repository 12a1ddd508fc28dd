// Pruning of version vectors by size and age, the rule of riak_core's vclock. LOSSY, hence a
// subpath of its own: a pruned vector no longer knows what it has seen, so that a descendant can
// come out as concurrent with its ancestor (false siblings, which replication then spreads), and an
// event that was overwritten can come back. No rule of this kind can be right in all cases.
//
// Wanted is mostly one of: counting servers instead of clients (Dvv), or retire(ids, stable).

import { ClockError, show } from './clock-error.ts'
import { VersionVector } from './version-vector.ts'

/** When {@link pruneUnsafe} drops entries. */
export interface PruneOptions {
  /** Vectors of at most so many entries stay as they are; default 50. */
  readonly small?: number
  /** Above so many entries old ones go whatever their age; default 50. */
  readonly big?: number
  /** Entries younger than this stay in any case; default 20,000. */
  readonly youngMs?: number
  /** Entries older than this go while there are more than `small`; default 86,400,000 (a day). */
  readonly oldMs?: number
  /** The wall clock in milliseconds, default `Date.now`. */
  readonly now?: () => number
}

/**
 * The vector without its oldest entries, as riak prunes. Lossy: see the head of this file.
 *
 * The oldest entry goes, again and again, as long as there are more than `small`, the oldest is at
 * least `youngMs` old, and there are more than `big` or the oldest is older than `oldMs`. Equal
 * times are ordered by id, so that all replicas prune alike.
 *
 * @param times When each replica's entry last changed, in milliseconds; a missing one is oldest.
 * @throws {ClockError} INVALID_COUNTER for an option that is not a number ≥ 0.
 * @example
 * const vector = VersionVector.of({ oslo: 1, rome: 2, tokyo: 3 })
 * const times = new Map([['oslo', 0], ['rome', 50_000], ['tokyo', 60_000]])
 * const pruned = pruneUnsafe(vector, times, { small: 2, big: 2, now: () => 100_000 })
 * pruned.toJSON() // → { rome: 2, tokyo: 3 }
 */
export function pruneUnsafe(
  vector: VersionVector,
  times: { get(id: string): number | undefined },
  options: PruneOptions = {},
): VersionVector {
  const { small = 50, big = 50, youngMs = 20_000, oldMs = 86_400_000, now = Date.now } = options
  for (const [name, value] of Object.entries({ small, big, youngMs, oldMs })) {
    if (!(typeof value === 'number' && value >= 0)) {
      throw new ClockError('INVALID_COUNTER', `${name} must be a number >= 0, got ${show(value)}`)
    }
  }
  const moment = now()
  const oldestFirst = Array.from(vector.entries(), ([id, count]) => {
    return { id, count, time: times.get(id) ?? -Infinity }
  }).sort((a, b) => (a.time === b.time ? (a.id < b.id ? -1 : 1) : a.time < b.time ? -1 : 1))
  let dropped = 0
  for (const { time } of oldestFirst) {
    const left = oldestFirst.length - dropped
    const ageMs = moment - time
    if (left <= small || ageMs < youngMs || !(left > big || ageMs > oldMs)) break
    dropped++
  }
  if (dropped === 0) return vector
  return VersionVector.of(oldestFirst.slice(dropped).map(({ id, count }) => [id, count] as const))
}
