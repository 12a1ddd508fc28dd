// Tells a listener who has left. Departures queue up while an operation runs and are told when it
// is complete, so that a listener may use the cache as it likes: what it makes leave queues up
// behind. A listener that makes an entry leave each time it is called (by setting a key in a full
// cache, say) would never come to an end; after OWN departures of its making the rest waits for
// the next operation.

import type { EvictReason } from './cache.ts'

const OWN = 1000

/** A queue of entries that left, and who hears of them. */
export class Departures<K, V> {
  readonly #listener: (key: K, value: V, reason: EvictReason) => void
  readonly #onError: (error: unknown, key: K) => void
  #queue: Departure<K, V>[] = []
  #delivering = false
  /** How many were left waiting by the operation before. */
  #waiting = 0

  constructor(
    listener: (key: K, value: V, reason: EvictReason) => void,
    onError: ((error: unknown, key: K) => void) | undefined,
  ) {
    this.#listener = listener
    this.#onError = onError ?? reject
  }

  push(key: K, value: V, reason: EvictReason): void {
    this.#queue.push({ key, value, reason })
  }

  /** Tells what has queued up, unless that is under way already. */
  deliver(): void {
    if (this.#delivering || this.#queue.length === 0) return
    this.#delivering = true
    const queue = this.#queue
    const most = queue.length - this.#waiting + OWN
    let told = 0
    while (told < queue.length && told < most) this.#tell(queue[told++]!)
    this.#queue = queue.slice(told)
    this.#waiting = queue.length - told
    this.#delivering = false
  }

  #tell({ key, value, reason }: Departure<K, V>): void {
    const listener = this.#listener
    try {
      listener(key, value, reason)
    } catch (error) {
      this.#report(error, key)
    }
  }

  #report(error: unknown, key: K): void {
    const onError = this.#onError
    try {
      onError(error, key)
    } catch (second) {
      reject(second)
    }
  }
}

interface Departure<K, V> {
  readonly key: K
  readonly value: V
  readonly reason: EvictReason
}

/** As loud as an error can be that must not disturb the operation under way. */
function reject(error: unknown): void {
  void Promise.reject(error)
}
