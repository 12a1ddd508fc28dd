// Time that passes only when it is told to, in a page as in a test: what is due happens in order,
// and all that follows from it before the next.

/** A timer that waits. */
interface Waiting {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock and its timers. */
export class VirtualTime {
  #nowMs = 0
  readonly #waiting = new Set<Waiting>()
  readonly #channel = new MessageChannel()
  #wake: (() => void) | undefined
  /** The same shape as the packages' option. */
  readonly timers = {
    setTimeout: (callback: () => void, delayMs: number): unknown => {
      const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback }
      this.#waiting.add(timer)
      return timer
    },
    clearTimeout: (timer: unknown): void => {
      this.#waiting.delete(timer as Waiting)
    },
  }

  constructor() {
    this.#channel.port1.onmessage = () => this.#wake?.()
  }

  /** Milliseconds since the beginning. */
  readonly now = (): number => this.#nowMs

  /** Resolves after so many milliseconds of this time. */
  readonly sleep = (ms: number): Promise<void> => {
    return new Promise((resolve) => void this.timers.setTimeout(resolve, ms))
  }

  /** Lets milliseconds pass; resolves when all that was due has happened. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.#settled()
    for (let atMs = this.#next(); atMs <= untilMs; atMs = this.#next()) {
      this.#nowMs = atMs
      for (const timer of this.#waiting) {
        if (timer.atMs > atMs) continue
        this.#waiting.delete(timer)
        timer.callback()
      }
      await this.#settled()
    }
    this.#nowMs = untilMs
  }

  /** Ends the world: nothing happens in it any more. */
  close(): void {
    this.#waiting.clear()
    this.#channel.port1.close()
  }

  #next(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { atMs } of this.#waiting) next = Math.min(next, atMs)
    return next
  }

  /** A message comes after every promise that can settle without a timer has done so. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#channel.port2.postMessage(undefined)
    })
  }
}
