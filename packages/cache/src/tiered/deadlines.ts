// One time limit for many calls: as it is the same for all, they run out in the order in which
// they began, and one timer for the oldest serves them all. A timer for each call would cost more
// than reading its answer.
//
//   ring: head ⇄ oldest call ⇄ … ⇄ youngest call ⇄ head
//
// A call that is answered leaves the ring at once, so that nothing of it is kept until the end.

import type { Timers } from '../timers.ts'

/** A call under way, or the head of the ring. */
class Call {
  before: Call = this
  after: Call = this
  readonly endsMs: number
  readonly refuse: (error: Error) => void

  constructor(endsMs: number, refuse: (error: Error) => void) {
    this.endsMs = endsMs
    this.refuse = refuse
  }

  /** Whether it had not left before. */
  leave(): boolean {
    if (this.after === this) return false
    this.before.after = this.after
    this.after.before = this.before
    this.before = this
    this.after = this
    return true
  }
}

/** Ends calls that take too long. */
export class Deadlines {
  readonly #limitMs: number
  readonly #monotonic: () => number
  readonly #timers: Timers
  readonly #errorOf: (cause: unknown) => Error
  #head: Call = new Call(0, () => {})
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
      const call = this.#begin(reject)
      answer.then(
        (value) => {
          call.leave()
          resolve(value)
        },
        (cause) => {
          if (call.leave()) reject(this.#errorOf(cause))
        },
      )
    })
  }

  /** Forgets all limits; calls under way go on without. */
  close(): void {
    this.#timers.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#head = new Call(0, () => {})
  }

  #begin(refuse: (error: Error) => void): Call {
    const head = this.#head
    // Calls of the same millisecond run out together, by one timer.
    const call = new Call(Math.ceil(this.#monotonic()) + this.#limitMs, refuse)
    call.before = head.before
    call.after = head
    head.before.after = call
    head.before = call
    if (this.#timer === undefined) this.#wait(this.#limitMs)
    return call
  }

  #wait(delayMs: number): void {
    this.#timer = this.#timers.setTimeout(() => this.#sweep(), delayMs)
  }

  #sweep(): void {
    const head = this.#head
    const nowMs = this.#monotonic()
    this.#timer = undefined
    for (let call = head.after; call !== head && call.endsMs <= nowMs; call = head.after) {
      call.leave()
      call.refuse(this.#errorOf(undefined))
    }
    // A timer may come a little early by the clock that it is measured by.
    const leftMs = head.after.endsMs - nowMs
    if (head.after !== head && this.#timer === undefined) this.#wait(Math.max(1, leftMs))
  }
}
