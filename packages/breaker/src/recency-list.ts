// Slots in the order of their last use, as a doubly linked list in two arrays of integers: 8 bytes
// a slot, and nothing to allocate when one is used. Slots given back are used again first.
//
//   next:  0 ─▶ most recent ─▶ … ─▶ least recent ─▶ 0       slot 0 is the ring's own end
// Invariant: next[prev[slot]] = slot and prev[next[slot]] = slot for every slot in the list.

/** Slots from 1 up, most recently used first. */
export class RecencyList {
  #next: Int32Array = new Int32Array(8)
  #prev: Int32Array = new Int32Array(8)
  /** The slot that was given back last; `#next` leads on. */
  #free = 0
  #highest = 0

  /** A slot, the most recent one now. */
  add(): number {
    let slot = this.#free
    if (slot !== 0) {
      this.#free = this.#next[slot]!
    } else {
      slot = ++this.#highest
      if (slot === this.#next.length) this.#grow()
    }
    this.#linkFirst(slot)
    return slot
  }

  /** The slot was used. */
  touch(slot: number): void {
    if (this.#next[0] === slot) return
    this.#unlink(slot)
    this.#linkFirst(slot)
  }

  remove(slot: number): void {
    this.#unlink(slot)
    this.#next[slot] = this.#free
    this.#free = slot
  }

  /** The slot used just after this one; of 0 the least recent. 0 at the end. */
  later(slot: number): number {
    return this.#prev[slot]!
  }

  #linkFirst(slot: number): void {
    const first = this.#next[0]!
    this.#next[slot] = first
    this.#prev[slot] = 0
    this.#prev[first] = slot
    this.#next[0] = slot
  }

  #unlink(slot: number): void {
    const next = this.#next[slot]!
    const prev = this.#prev[slot]!
    this.#next[prev] = next
    this.#prev[next] = prev
  }

  #grow(): void {
    this.#next = doubled(this.#next)
    this.#prev = doubled(this.#prev)
  }
}

function doubled(from: Int32Array): Int32Array {
  const to = new Int32Array(from.length * 2)
  to.set(from)
  return to
}
