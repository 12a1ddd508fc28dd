// An abort signal that comes into being when somebody reads it. Many loads never look at theirs,
// and making one costs 0.3 µs on Node 26 and 4 µs on Node 20.

/** An AbortController in waiting. */
export class LazyAbort {
  #controller: AbortController | undefined
  #isAborted = false
  #reason: unknown

  /** The signal; already aborted if `abort` was called before. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Aborts the signal, now or when it is read. */
  abort(reason: unknown): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
