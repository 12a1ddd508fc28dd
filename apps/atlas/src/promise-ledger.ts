/** One promise as it was found in the run. */
export interface CheckedPromise {
  /** A sentence that is true if the promise was kept. */
  readonly name: string
  readonly isKept: boolean
  /** What was found, with its numbers; shown where a promise is broken. */
  readonly finding: string
}

/**
 * Every promise that the story checked, in order.
 *
 * A broken promise does not end the story: the chapters after it say whether the damage spreads,
 * and all that broke is named at the end.
 */
export class PromiseLedger {
  readonly #checked: CheckedPromise[] = []

  /** Writes one promise down and hands it back. */
  check(name: string, isKept: boolean, finding: string): CheckedPromise {
    const promise = { name, isKept, finding }
    this.#checked.push(promise)
    return promise
  }

  get size(): number {
    return this.#checked.length
  }

  get broken(): CheckedPromise[] {
    return this.#checked.filter((promise) => !promise.isKept)
  }
}
