// Lets so many tasks run at a time, the rest wait in line.

/** A bound on what runs at the same time. */
export class Gate {
  #free: number
  readonly #line: (() => void)[] = []

  /** @param concurrency At least 1; Infinity for no bound. */
  constructor(concurrency: number) {
    this.#free = concurrency
  }

  /** Runs the task when its turn comes. */
  async run<R>(task: () => Promise<R>): Promise<R> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#line.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
