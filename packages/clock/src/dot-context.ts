// Which events are known where they arrive out of order: a vector for what is known without gaps,
// and the exceptions above it. (Wuu and Bernstein 1984 for the use; Malkhi and Terry, "Concise
// version vectors in WinFS", 2005, for vectors with exceptions.)
//
// Invariant: an exception is at least 2 above the vector's count; whatever closes the gap below it
// moves it into the vector at once.

import { checkCounter } from './counter.ts'
import type { Dot, DotRange } from './dot.ts'
import { checkId } from './id-list.ts'
import { VersionVector } from './version-vector.ts'

/** What is known of one replica: all events up to `upTo`, and those in `above`. */
interface Known {
  upTo: number
  readonly above: Set<number>
}

/**
 * A set of events that need not be without gaps. Memory is one entry a replica and one for each
 * event that arrived before its predecessors.
 *
 * @example
 * const seen = new DotContext()
 * seen.add({ id: 'oslo', counter: 2 })
 * seen.missing() // [{ id: 'oslo', from: 1, to: 1 }]
 * seen.add({ id: 'oslo', counter: 1 })
 * seen.vector().toJSON() // { oslo: 2 }
 */
export class DotContext {
  readonly #known = new Map<string, Known>()
  #exceptions = 0

  /** @param from What is known without gaps. */
  constructor(from: VersionVector = VersionVector.empty) {
    this.#cover(from)
  }

  /** How many events are known beyond a gap. */
  get exceptions(): number {
    return this.#exceptions
  }

  /**
   * Takes an event as known; returns false if it was already.
   *
   * @throws {ClockError} INVALID_ID, or INVALID_COUNTER for a counter that is not a safe
   *   integer ≥ 1.
   */
  add({ id, counter }: Dot): boolean {
    checkCounter(counter, 'the counter of a dot', 1)
    const known = this.#of(id)
    if (counter <= known.upTo || known.above.has(counter)) return false
    known.above.add(counter)
    this.#exceptions++
    this.#close(known)
    return true
  }

  /** Is this event known? */
  has({ id, counter }: Dot): boolean {
    const known = this.#known.get(id)
    if (known === undefined || counter < 1) return false
    return counter <= known.upTo || known.above.has(counter)
  }

  /** Takes all as known that `other` knows. */
  merge(other: DotContext | VersionVector): void {
    if (other instanceof VersionVector) {
      this.#cover(other)
      return
    }
    this.#cover(other.vector())
    for (const [id, { above }] of other.#known) {
      for (const counter of above) this.add({ id, counter })
    }
  }

  /** What is known without gaps. */
  vector(): VersionVector {
    return VersionVector.of([...this.#known].map(([id, { upTo }]) => [id, upTo] as const))
  }

  /** The gaps below the exceptions, ascending by id and counter: what to ask for. */
  missing(): DotRange[] {
    const ranges: DotRange[] = []
    for (const id of [...this.#known.keys()].sort()) {
      const { upTo, above } = this.#known.get(id)!
      let last = upTo
      for (const counter of [...above].sort((a, b) => a - b)) {
        if (counter > last + 1) ranges.push({ id, from: last + 1, to: counter - 1 })
        last = counter
      }
    }
    return ranges
  }

  #of(id: string): Known {
    const found = this.#known.get(id)
    if (found !== undefined) return found
    checkId(id)
    const fresh = { upTo: 0, above: new Set<number>() }
    this.#known.set(id, fresh)
    return fresh
  }

  #cover(vector: VersionVector): void {
    for (const [id, count] of vector.entries()) {
      const known = this.#of(id)
      if (count <= known.upTo) continue
      known.upTo = count
      for (const counter of known.above) {
        if (counter <= count && known.above.delete(counter)) this.#exceptions--
      }
      this.#close(known)
    }
  }

  /** Moves exceptions that no gap separates any more into the vector. */
  #close(known: Known): void {
    while (known.above.delete(known.upTo + 1)) {
      known.upTo++
      this.#exceptions--
    }
  }
}
