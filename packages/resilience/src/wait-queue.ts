// Who waits for a place, in the order of arrival: a doubly linked list, so that a caller who
// aborts leaves from the middle as cheaply as the first is called.
//
//   first ⇄ … ⇄ last        a waiter is in the list until it is called or its signal aborts

interface Waiter {
  readonly call: () => void
  readonly forget: () => void
  previous: Waiter | undefined
  next: Waiter | undefined
}

/** A line of callers, first in, first out. */
export class WaitQueue {
  #first: Waiter | undefined
  #last: Waiter | undefined
  #size = 0

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Makes the call when its turn comes; rejects with the signal's reason if that is first. The
   * call is made at once in {@link callFirst}: a promise in between would be a gap to slip into.
   */
  join<T>(signal: AbortSignal | undefined, make: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#remove(waiter)
        reject(signal?.reason)
      }
      const waiter: Waiter = {
        call: () => resolve(make()),
        forget: () => signal?.removeEventListener('abort', onAbort),
        previous: this.#last,
        next: undefined,
      }
      if (this.#last === undefined) this.#first = waiter
      else this.#last.next = waiter
      this.#last = waiter
      this.#size++
      signal?.addEventListener('abort', onAbort)
    })
  }

  /** Calls the first; false if nobody waits. */
  callFirst(): boolean {
    const first = this.#first
    if (first === undefined) return false
    this.#remove(first)
    first.call()
    return true
  }

  #remove(waiter: Waiter): void {
    const { previous, next } = waiter
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    this.#size--
    waiter.forget()
  }
}
