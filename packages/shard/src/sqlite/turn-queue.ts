// Whose turn it is: so many at once, the others in the order in which they came. Who waits may give
// up (a signal) and does not wait for ever: what holds a turn for longer than the bound is reported
// instead of hanging everybody behind it.

import type { Timers } from '../timers.ts'

/** How long to wait for a turn. */
export interface WaitBound {
  readonly maxWaitMs: number
  /** Makes the error of those who waited that long in vain. */
  readonly tooLate: () => Error
}

interface Waiter {
  readonly admit: () => void
  readonly refuse: (reason: unknown) => void
}

/** A fair queue before something that only so many may use at once. */
export class TurnQueue {
  readonly #waiting = new Set<Waiter>()
  readonly #timers: Timers
  readonly #bound: WaitBound
  #free: number

  constructor(options: WaitBound & { readonly places: number; readonly timers: Timers }) {
    this.#free = options.places
    this.#bound = options
    this.#timers = options.timers
  }

  /** Whether who enters would have to wait. */
  get isFull(): boolean {
    return this.#free === 0
  }

  /** Takes a turn if there is one; those who wait go first by themselves, none being free then. */
  tryEnter(): boolean {
    if (this.#free === 0) return false
    this.#free -= 1
    return true
  }

  /** Resolves when it is the caller's turn; a `bound` of its own stands in for the queue's. */
  enter(signal?: AbortSignal, bound: WaitBound = this.#bound): Promise<void> {
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
      const late = () => waiter.refuse(bound.tooLate())
      const timer = this.#timers.setTimeout(late, bound.maxWaitMs)
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
