// Which entries have expired, in constant time an entry: a hierarchical timer wheel (Varghese and
// Lauck, SOSP 1987) over slots.
//
//   level 0   64 buckets of 1 ms     1   64 of 64 ms     2   64 of 4.1 s     3   of 4.4 min
//         4   of 4.7 h               5   64 of 12.4 days; what is later still waits there
//
// Deadlines are whole milliseconds, so that a bucket of level 0 has expired as a whole. Buckets
// whose time has come are spliced in one step into `due` (level 0) or `waiting` (above); entries
// of `waiting` move a level down, at most MOVED at a time so that no operation takes long.

import { grown, type SlotStore } from './slot-store.ts'

const BUCKETS = 64
const LEVELS = 6
const DUE: number = BUCKETS * LEVELS
const WAITING: number = DUE + 1
/** Nodes below this are sentinels, the others slots. */
const FIRST: number = DUE + 2
const MOVED = 4096
const NEVER = Number.POSITIVE_INFINITY

/** Deadlines of slots. */
export class TimerWheel {
  /** The millisecond from which on a slot has expired; Infinity without one. */
  deadlines: Float64Array = new Float64Array(0)
  /** As in the store, interleaved; node `FIRST + slot` is that of a slot. */
  #links: Uint32Array = new Uint32Array(0)
  readonly #monotonic: () => number
  /** The last whole millisecond whose buckets were emptied. */
  #tick: number
  /** Slots that have a deadline. */
  #scheduled = 0

  constructor(store: SlotStore<unknown, unknown>, monotonic: () => number) {
    this.#monotonic = monotonic
    this.#tick = Math.floor(monotonic())
    store.addColumn((slots) => {
      const from = this.deadlines.length
      this.deadlines = grown(this.deadlines, slots)
      this.deadlines.fill(NEVER, from)
      this.#links = grown(this.#links, 2 * (FIRST + slots))
    })
    this.#emptyBuckets()
  }

  /** Gives a slot its time from now on, or none if that is infinite. */
  schedule(slot: number, ttlMs: number): void {
    this.cancel(slot)
    const deadline = Math.floor(this.#monotonic() + ttlMs) + 1
    if (deadline === NEVER) return
    this.deadlines[slot] = deadline
    this.#scheduled++
    this.#link(this.#bucketOf(deadline), FIRST + slot)
  }

  /** Takes a slot's deadline away. */
  cancel(slot: number): void {
    if (this.deadlines[slot] === NEVER) return
    this.deadlines[slot] = NEVER
    this.#scheduled--
    this.#unlink(FIRST + slot)
  }

  /** Whether a slot's time is up; reads the clock only where there is a deadline. */
  isExpired(slot: number): boolean {
    const deadline = this.deadlines[slot]!
    return deadline !== NEVER && this.#monotonic() >= deadline
  }

  /** How many milliseconds a slot has left: above 0, or Infinity. */
  remainingMs(slot: number): number {
    const deadline = this.deadlines[slot]!
    return deadline === NEVER ? NEVER : Math.max(1, deadline - 1 - this.#monotonic())
  }

  /**
   * Lets time pass: what has expired can be taken from `nextExpired`.
   *
   * @param most How many entries may move down a level; if that is too few for all whose turn it
   * is, some that have expired are known only later.
   */
  advance(most: number = MOVED): void {
    const now = Math.floor(this.#monotonic())
    const from = this.#tick
    if (now > from) {
      this.#tick = now
      if (this.#scheduled > 0) this.#turn(from, now)
    }
    this.#moveDown(most)
  }

  /** A slot that has expired, or 0; it stays until it is cancelled. */
  nextExpired(): number {
    const node = this.#links[2 * DUE + 1]!
    return node === DUE ? 0 : node - FIRST
  }

  /** Forgets all deadlines. */
  clear(): void {
    this.deadlines.fill(NEVER)
    this.#scheduled = 0
    this.#emptyBuckets()
  }

  /** Empties the buckets whose time came after `from`, up to `now`. */
  #turn(from: number, now: number): void {
    let span = 1
    for (let level = 0; level < LEVELS; level++, span *= BUCKETS) {
      const last = Math.floor(now / span)
      const first = Math.max(Math.floor(from / span) + 1, last - BUCKETS + 1)
      if (first > last) return
      for (let turn = first; turn <= last; turn++) {
        this.#splice(level * BUCKETS + (turn % BUCKETS), level === 0 ? DUE : WAITING)
      }
    }
  }

  #moveDown(most: number): void {
    const links = this.#links
    for (let moved = 0; moved < most; moved++) {
      const node = links[2 * WAITING + 1]!
      if (node === WAITING) return
      this.#unlink(node)
      const deadline = this.deadlines[node - FIRST]!
      this.#link(deadline <= this.#tick ? DUE : this.#bucketOf(deadline), node)
    }
  }

  /** The bucket of a deadline that is still to come. */
  #bucketOf(deadline: number): number {
    const away = deadline - this.#tick
    if (away <= 0) return DUE
    let span = 1
    for (let level = 0; level < LEVELS; level++, span *= BUCKETS) {
      if (away < span * BUCKETS || level === LEVELS - 1) {
        // Beyond the horizon the last bucket before this one comes round, and it moves on.
        const turn = Math.floor(this.#tick / span) + BUCKETS - 1
        return level * BUCKETS + (Math.min(Math.floor(deadline / span), turn) % BUCKETS)
      }
    }
    return DUE
  }

  #splice(from: number, to: number): void {
    const links = this.#links
    const first = links[2 * from + 1]!
    if (first === from) return
    const last = links[2 * from]!
    const tail = links[2 * to]!
    links[2 * tail + 1] = first
    links[2 * first] = tail
    links[2 * last + 1] = to
    links[2 * to] = last
    links[2 * from] = from
    links[2 * from + 1] = from
  }

  #link(list: number, node: number): void {
    const links = this.#links
    const last = links[2 * list]!
    links[2 * node] = last
    links[2 * node + 1] = list
    links[2 * last + 1] = node
    links[2 * list] = node
  }

  #unlink(node: number): void {
    const links = this.#links
    const prev = links[2 * node]!
    const next = links[2 * node + 1]!
    links[2 * prev + 1] = next
    links[2 * next] = prev
  }

  #emptyBuckets(): void {
    for (let list = 0; list < FIRST; list++) {
      this.#links[2 * list] = list
      this.#links[2 * list + 1] = list
    }
  }
}
