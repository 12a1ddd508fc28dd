// A clock and timers that move only when a test says so.

/** Virtual time: `advance` fires what is due, in order, and lets promises settle in between. */
export class VirtualTime {
  time = 0
  readonly monotonic = (): number => this.time
  readonly #due = new Map<object, { at: number; callback: () => void }>()

  /** What a policy takes as options. */
  get env(): { monotonic: () => number; timers: VirtualTime } {
    return { monotonic: this.monotonic, timers: this }
  }

  /** How many timers run. */
  get pending(): number {
    return this.#due.size
  }

  /** When the next timer is due; Infinity if none runs. */
  get nextAt(): number {
    return Math.min(...[...this.#due.values()].map(({ at }) => at))
  }

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const handle = {}
    this.#due.set(handle, { at: this.time + delayMs, callback })
    return handle
  }

  readonly clearTimeout = (handle: unknown): void => {
    this.#due.delete(handle as object)
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.setTimeout(resolve, ms)
    })

  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    for (;;) {
      const next = [...this.#due].toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (next === undefined || next[1].at > end) break
      this.#due.delete(next[0])
      this.time = Math.max(this.time, next[1].at)
      next[1].callback()
      await settle()
    }
    this.time = end
  }
}

/** Lets everything that waits for nothing but promises go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve()
}
