// One time limit for many calls: as it is the same for all, they run out in the order in which
// they began, and one timer for the oldest serves them all. A timer for each call would cost more
// than reading its answer.
//
//   batches, oldest first: { ends, those who wait of the calls begun in the same millisecond }
//
// A call that is answered leaves its batch at once, so that nothing of it is kept until the end.

import type { Timers } from '../timers.ts'

interface Batch {
  readonly endsMs: number
  readonly waiting: Set<(error: Error) => void>
}

/** Ends calls that take too long. */
export class Deadlines {
  readonly #limitMs: number
  readonly #monotonic: () => number
  readonly #timers: Timers
  readonly #errorOf: (cause: unknown) => Error
  #batches: Batch[] = []
  #timer: unknown

  /** @param options.errorOf what to reject with: for a cause, or undefined if it took too long */
  constructor(options: {
    readonly limitMs: number
    readonly monotonic: () => number
    readonly timers: Timers
    readonly errorOf: (cause: unknown) => Error
  }) {
    this.#limitMs = options.limitMs
    this.#monotonic = options.monotonic
    this.#timers = options.timers
    this.#errorOf = options.errorOf
  }

  /** Settles as `answer` does, or rejects once the limit has passed. */
  limit<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { waiting } = this.#batch()
      waiting.add(reject)
      answer.then(
        (value) => {
          waiting.delete(reject)
          resolve(value)
        },
        (cause) => {
          if (waiting.delete(reject)) reject(this.#errorOf(cause))
        },
      )
    })
  }

  /** Forgets all limits; calls under way go on without. */
  close(): void {
    this.#timers.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#batches = []
  }

  #batch(): Batch {
    const endsMs = Math.ceil(this.#monotonic()) + this.#limitMs
    const last = this.#batches.at(-1)
    if (last?.endsMs === endsMs) return last
    const batch: Batch = { endsMs, waiting: new Set() }
    this.#batches.push(batch)
    if (this.#timer === undefined) this.#wait(this.#limitMs)
    return batch
  }

  #wait(delayMs: number): void {
    this.#timer = this.#timers.setTimeout(() => this.#sweep(), delayMs)
  }

  #sweep(): void {
    const nowMs = this.#monotonic()
    this.#timer = undefined
    const isOver = ({ endsMs, waiting }: Batch) => endsMs <= nowMs || waiting.size === 0
    const first = this.#batches.findIndex((batch) => !isOver(batch))
    const over = first < 0 ? this.#batches : this.#batches.slice(0, first)
    this.#batches = first < 0 ? [] : this.#batches.slice(first)
    for (const { waiting } of over) {
      for (const reject of waiting) {
        waiting.delete(reject)
        reject(this.#errorOf(undefined))
      }
    }
    const [next] = this.#batches
    // A timer may come a little early by the clock that it is measured by.
    if (next !== undefined && this.#timer === undefined)
      this.#wait(Math.max(1, next.endsMs - nowMs))
  }
}
