// What a causal buffer is where nobody has thought about it: a list of all messages that wait, gone
// through again after every delivery. No package offers a causal buffer; this is the yardstick.

import type { VersionVector } from '@ashlar/clock'

interface Waiting<M> {
  readonly stamp: VersionVector
  readonly message: M
  readonly from: string
}

/** Delivers in causal order by rescanning. All stamps must be over members it has seen. */
export class RescanBuffer<M> {
  readonly #deliver: (message: M) => void
  readonly #delivered = new Map<string, number>()
  #waiting: Waiting<M>[] = []

  constructor(deliver: (message: M) => void) {
    this.#deliver = deliver
  }

  receive(from: string, stamp: VersionVector, message: M): number {
    const arrived = { from, stamp, message }
    if (!this.#isNext(arrived)) {
      this.#waiting.push(arrived)
      return 0
    }
    this.#hand(arrived)
    let delivered = 1
    for (let before = 0; before !== delivered && this.#waiting.length > 0; ) {
      before = delivered
      let kept = 0
      for (const waiting of this.#waiting) {
        if (this.#isNext(waiting)) {
          this.#hand(waiting)
          delivered++
        } else this.#waiting[kept++] = waiting
      }
      this.#waiting.length = kept
    }
    return delivered
  }

  #hand({ from, stamp, message }: Waiting<M>): void {
    this.#delivered.set(from, stamp.get(from))
    this.#deliver(message)
  }

  #isNext({ from, stamp: { ids, counts } }: Waiting<M>): boolean {
    for (let i = 0; i < ids.length; i++) {
      const have = this.#delivered.get(ids[i]!) ?? 0
      const mayLack = ids[i] === from ? 1 : 0
      if (counts[i]! > have + mayLack) return false
    }
    return true
  }
}
