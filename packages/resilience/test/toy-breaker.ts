// A circuit breaker reduced to what the order of policies is about: it opens after so many
// failures in a row, for an hour, and does not count what its caller aborted.

/** Fits a pipe as a real one does. */
export class ToyBreaker {
  /** What it counted, in order. */
  readonly outcomes: ('ok' | 'fail' | 'ignore')[] = []
  readonly #failuresToOpen: number

  constructor(failuresToOpen: number) {
    this.#failuresToOpen = failuresToOpen
  }

  get isOpen(): boolean {
    const last = this.outcomes.slice(-this.#failuresToOpen)
    return last.length === this.#failuresToOpen && last.every((outcome) => outcome === 'fail')
  }

  async run<T>(
    fn: () => Promise<T>,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    if (this.isOpen) throw Object.assign(new Error('open'), { retryAfterMs: 3_600_000 })
    try {
      const value = await fn()
      this.outcomes.push('ok')
      return value
    } catch (error) {
      this.outcomes.push(signal?.aborted ? 'ignore' : 'fail')
      throw error
    }
  }
}
