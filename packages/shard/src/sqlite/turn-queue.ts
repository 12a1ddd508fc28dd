// Whose turn it is: so many at once, the others in the order in which they came. Who waits may give
// up (a signal) and does not wait for ever: what holds a turn for longer than the bound is reported
// instead of hanging everybody behind it.

import type { Timers } from '../timers.ts'

interface Waiter {
  readonly admit: () => void
  readonly refuse: (reason: unknown) => void
}

/** A fair queue before something that only so many may use at once. */
export class TurnQueue {
  readonly #waiting = new Set<Waiter>()
  readonly #timers: Timers
  readonly #maxWaitMs: number
  readonly #tooLate: () => Error
  #free: number

  /** @param options.tooLate makes the error of those who waited `maxWaitMs` in vain */
  constructor(options: {
    readonly places: number
    readonly maxWaitMs: number
    readonly timers: Timers
    readonly tooLate: () => Error
  }) {
    this.#free = options.places
    this.#maxWaitMs = options.maxWaitMs
    this.#timers = options.timers
    this.#tooLate = options.tooLate
  }

  /** Takes a turn if there is one; those who wait go first by themselves, none being free then. */
  tryEnter(): boolean {
    if (this.#free === 0) return false
    this.#free -= 1
    return true
  }

  /** Resolves when it is the caller's turn. */
  enter(signal?: AbortSignal): Promise<void> {
    if (this.tryEnter()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const abort = () => waiter.refuse(signal?.reason)
      const end = () => {
        this.#waiting.delete(waiter)
        this.#timers.clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      const waiter: Waiter = {
        admit: () => {
          end()
          resolve()
        },
        refuse: (reason) => {
          end()
          reject(reason)
        },
      }
      const timer = this.#timers.setTimeout(() => waiter.refuse(this.#tooLate()), this.#maxWaitMs)
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Ends a turn, which goes to the one who has waited longest. */
  leave(): void {
    const [first] = this.#waiting
    if (first === undefined) this.#free += 1
    else first.admit()
  }

  /** Sends away all who wait. */
  refuseAll(reason: Error): void {
    for (const waiter of [...this.#waiting]) waiter.refuse(reason)
  }
}
