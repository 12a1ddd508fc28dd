// What happened before what, without any clock: every event remembers its causal history as a set
// of events, which is the definition that clocks are held against.

/** The events of a run, numbered as they happened. */
export class CausalHistory {
  readonly #histories: ReadonlySet<number>[] = []

  /** How many events there are. */
  get size(): number {
    return this.#histories.length
  }

  /** Adds an event with its direct causes; returns its number. */
  add(causes: readonly number[]): number {
    const number = this.#histories.length
    const history = new Set([number])
    for (const cause of causes) for (const event of this.#histories[cause]!) history.add(event)
    this.#histories.push(history)
    return number
  }

  /** An event and all that happened before it. */
  of(event: number): ReadonlySet<number> {
    return this.#histories[event]!
  }

  /** Whether `earlier` can have caused `later`. */
  isBefore(earlier: number, later: number): boolean {
    return earlier !== later && this.#histories[later]!.has(earlier)
  }
}
