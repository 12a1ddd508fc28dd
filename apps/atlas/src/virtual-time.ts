// Time that passes only when it is told to: what is due happens in order, at its own moment, and
// all that follows from it before the next. The same calls take the same course in every run; real
// work, such as a query, takes no time at all: time stands still until it is done.

import { setImmediate } from 'node:timers/promises'

/** A timer that waits. */
interface Waiting {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock and its timers. */
export class VirtualTime {
  #nowMs = 0
  readonly #waiting = new Set<Waiting>()
  readonly #work = new Set<Promise<unknown>>()
  /** The same shape as a breaker's option. */
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

  /** Milliseconds since the beginning; a function of its own, so that it can be handed on. */
  readonly now = (): number => this.#nowMs

  /** Real work that time waits for; settles as it does. */
  work<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work)
    const done = (): void => void this.#work.delete(work)
    work.then(done, done)
    return work
  }

  /** Lets milliseconds pass; resolves when all that was due has happened. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.#settled()
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#waiting.delete(next)
      this.#nowMs = next.atMs
      next.callback()
      await this.#settled()
    }
    this.#nowMs = untilMs
  }

  /** The timer that is due next, the one made first of several; few ever wait at once. */
  #next(): Waiting | undefined {
    let next: Waiting | undefined
    for (const timer of this.#waiting)
      if (next === undefined || timer.atMs < next.atMs) next = timer
    return next
  }

  /** Resolves when every promise that can settle without a timer has done so. */
  async #settled(): Promise<void> {
    await setImmediate()
    while (this.#work.size > 0) {
      await Promise.allSettled(this.#work)
      await setImmediate()
    }
  }
}
