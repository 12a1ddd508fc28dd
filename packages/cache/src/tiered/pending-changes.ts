// Changes that a store has not taken: what to take out of it before it is read again. Too many of
// them become one, which is to void everything.

/** Invalidations that wait for their store. */
export class PendingChanges {
  readonly #max: number
  #keys: Set<string> = new Set()
  #tags: Set<string> = new Set()
  #isAll = false

  constructor(max: number) {
    this.#max = max
  }

  get isEmpty(): boolean {
    return !this.#isAll && this.#keys.size === 0 && this.#tags.size === 0
  }

  /** What is to be voided: everything, or these keys and tags. */
  add(what: { readonly keys: Iterable<string>; readonly tags: Iterable<string> } | 'all'): void {
    if (what !== 'all' && !this.#isAll) {
      for (const key of what.keys) this.#keys.add(key)
      for (const tag of what.tags) this.#tags.add(tag)
    }
    if (what !== 'all' && this.#keys.size + this.#tags.size <= this.#max) return
    this.#isAll = true
    this.#keys.clear()
    this.#tags.clear()
  }

  /** Hands over all that waits, and forgets it. */
  take(): { readonly keys: readonly string[]; readonly tags: readonly string[] } | 'all' {
    const taken = this.#isAll ? 'all' : { keys: [...this.#keys], tags: [...this.#tags] }
    this.#isAll = false
    this.#keys = new Set()
    this.#tags = new Set()
    return taken
  }
}
