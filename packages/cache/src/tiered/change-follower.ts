// How far a near cache has followed a store. Each announcement names the change before it, so a
// missing one shows when the next comes; a position that was asked for shows it when none comes.
//
//   last known ── previous = last ──> next in line
//              ── version ≤ last ───> came late, or twice
//              ── anything else ────> a gap, as is whatever comes first
//
// What a position shows may still be under way; only if it is missing at the next look it is lost.

import type { StoreChange, StorePosition } from './store.ts'

/** Finds out that announcements of a store were missed. */
export class ChangeFollower {
  #last: StorePosition | undefined
  #expected: StorePosition | undefined

  /** Takes an announcement in; whether one before it is missing. */
  hear({ epoch, version, previous }: StoreChange): boolean {
    const last = this.#last
    if (last !== undefined && last.epoch === epoch && version <= last.version) return false
    this.#last = { epoch, version }
    return last === undefined || last.epoch !== epoch || last.version !== previous
  }

  /** Takes in where the store is; whether an announcement is missing since the time before. */
  look(position: StorePosition): boolean {
    const last = this.#last
    const expected = this.#expected
    this.#expected = position
    const isLost = last === undefined || last.epoch !== position.epoch || isBehind(last, expected)
    if (isLost) this.#last = position
    return isLost
  }

  /** Anything may have been missed: begins anew. */
  lose(): void {
    this.#last = undefined
    this.#expected = undefined
  }
}

function isBehind(last: StorePosition, expected: StorePosition | undefined): boolean {
  return expected?.epoch === last.epoch && last.version < expected.version
}
