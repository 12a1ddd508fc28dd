/**
 * What has to be closed at the end, the last opened first. One that fails does not keep the others
 * from it; what it failed with is thrown when all are done.
 */
export class Closers {
  readonly #closers: (() => unknown)[] = []

  /** Remembers how to close what has just been opened. */
  add(close: () => unknown): void {
    this.#closers.push(close)
  }

  /** Closes everything that is open; safe to call twice. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
