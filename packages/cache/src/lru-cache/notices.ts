// Tells dispose, onInsert and disposeAfter. Notices queue up while an operation runs and are told
// when it is complete: first who left and who came, in the order it happened, then disposeAfter.
// A listener may use the cache as it likes; what that causes queues up behind. A listener that
// makes an entry leave each time it is called would never come to an end: after OWN notices of its
// making the rest waits for the next operation.

import type { DisposeReason, Disposer, Inserter, InsertReason } from './lru-options.ts'

const OWN = 1000

/** Who listens. */
export interface Listeners<K, V> {
  readonly dispose: Disposer<K, V> | undefined
  readonly disposeAfter: Disposer<K, V> | undefined
  readonly onInsert: Inserter<K, V> | undefined
  readonly onError: ((error: unknown, key: K) => void) | undefined
}

/** A queue of what is to be told. */
export class Notices<K, V> {
  readonly listeners: Listeners<K, V>
  #first: Notice<K>[] = []
  #after: Notice<K>[] = []
  #delivering = false

  constructor(listeners: Listeners<K, V>) {
    this.listeners = listeners
  }

  left(value: V, key: K, reason: DisposeReason): void {
    const { dispose, disposeAfter } = this.listeners
    if (dispose) this.#first.push({ key, tell: () => dispose(value, key, reason) })
    if (disposeAfter) this.#after.push({ key, tell: () => disposeAfter(value, key, reason) })
  }

  came(value: V, key: K, reason: InsertReason): void {
    const { onInsert } = this.listeners
    if (onInsert) this.#first.push({ key, tell: () => onInsert(value, key, reason) })
  }

  /** Tells what has queued up, unless that is under way already. */
  deliver(): void {
    const waiting = this.#first.length + this.#after.length
    if (this.#delivering || waiting === 0) return
    this.#delivering = true
    for (let left = waiting + OWN; left > 0; ) {
      const round = this.#first.length > 0 ? this.#first : this.#after
      if (round.length === 0) break
      if (round === this.#first) this.#first = []
      else this.#after = []
      const told = Math.min(left, round.length)
      for (let i = 0; i < told; i++) this.#tell(round[i]!)
      left -= told
      if (told < round.length) this.#first = round.slice(told).concat(this.#first)
    }
    this.#delivering = false
  }

  #tell({ key, tell }: Notice<K>): void {
    try {
      tell()
    } catch (error) {
      const onError = this.listeners.onError ?? reject
      try {
        onError(error, key)
      } catch (second) {
        reject(second)
      }
    }
  }
}

interface Notice<K> {
  readonly key: K
  readonly tell: () => void
}

/** As loud as an error can be that must not disturb the operation under way. */
function reject(error: unknown): void {
  void Promise.reject(error)
}
