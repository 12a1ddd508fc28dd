// A clock and timers that move only when a test says so.

/** Virtual time: `advance` fires what is due, in order, and lets promises settle in between. */
export class ManualTimers {
  time: number
  readonly now = (): number => this.time
  readonly #due = new Map<object, { at: number; callback: () => void }>()

  constructor(time: number) {
    this.time = time
  }

  get pending(): number {
    return this.#due.size
  }

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const handle = {}
    this.#due.set(handle, { at: this.time + delayMs, callback })
    return handle
  }

  readonly clearTimeout = (handle: unknown): void => {
    this.#due.delete(handle as object)
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    for (;;) {
      const next = [...this.#due].toSorted(([, a], [, b]) => a.at - b.at)[0]
      if (next === undefined || next[1].at > end) break
      this.#due.delete(next[0])
      this.time = Math.max(this.time, next[1].at)
      next[1].callback()
      await settle()
    }
    this.time = end
    await settle()
  }
}

/** Lets everything that waits for nothing but promises go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
