// The ring as arrays, sorted by (point, id of the owner), so that equal points have one order:
//
//   points   [ 12 | 97 | 97 | 301 | … ]   where each virtual node lies
//   owners   [  3 |  0 |  7 |   3 | … ]   slot of its node: 16 bits up to 65,534 slots, then 32
//   members  slot → member                slots of nodes that left are used again
//
// plus a bucket index and, once there were lookups enough to pay for it, a cell table. A change
// moves memory and patches both where they changed, instead of building anew. Slot numbers depend
// on history; nothing that can be asked from outside does.

import { BucketIndex, bucketCountFor } from './bucket-index.ts'
import {
  buildCells,
  deservesCells,
  fillArc,
  MAX_NARROW_SLOTS,
  MIXED,
  NO_CELLS,
} from './cell-table.ts'
import type { Member } from './member.ts'
import { RingError } from './ring-error.ts'
import type { RingNode } from './ring-node.ts'

/** Virtual nodes sorted by (point, id of the owner); `slots[i]` owns `points[i]`. */
export interface PointRun {
  readonly points: Uint32Array
  readonly slots: Uint32Array
}

/** Gaps shorter than this are moved by a loop: a call to copyWithin costs as much. */
const SHORT_GAP = 48

export class RingLayout<N extends RingNode> {
  points: Uint32Array = new Uint32Array(0)
  owners: Uint16Array | Uint32Array = new Uint16Array(0)
  /** How many entries of `points` and `owners` are in use; the rest is room to grow. */
  count = 0
  /** Slot → node, beside `members` so that a lookup is one load shorter. */
  readonly nodes: (N | undefined)[] = []
  readonly members: (Member<N> | undefined)[] = []
  /** How many members have virtual nodes. */
  active = 0
  /** Who reads these arrays: one ring, its copies, walks under way. Alone, a ring writes here. */
  holders = 1
  #free: number[] = []
  #buckets: BucketIndex = new BucketIndex(this.points, 0, 2)
  #cells: Uint16Array = NO_CELLS
  #cellShift = 31
  #searchesUntilCells = 0

  /** The node that owns a hash (unsigned): the first point at or after it, around the ring. */
  nodeOf(hash: number): N | undefined {
    const slot = this.#cells[hash >>> this.#cellShift]!
    return slot === MIXED ? this.#search(hash) : this.nodes[slot]
  }

  /** The index of the first point at or after a hash (unsigned), 0 past the last one. */
  indexOf(hash: number): number {
    const buckets = this.#buckets
    const points = this.points
    const bucket = hash >>> buckets.shift
    let at = buckets.startOf(bucket)
    const patience = Math.min(at + 16, this.count)
    while (at < patience && points[at]! < hash) at++
    // Only a hash function that clusters fills a bucket so far.
    if (at === patience) at = this.#lowerBound(hash, at, buckets.endOf(bucket))
    return at < this.count ? at : 0
  }

  /** How much of the ring each slot owns, in places of 2^32. */
  arcLengths(): Float64Array {
    const lengths = new Float64Array(this.members.length)
    if (this.count === 0) return lengths
    let before = this.points[this.count - 1]! - 2 ** 32
    for (let i = 0; i < this.count; i++) {
      lengths[this.owners[i]!]! += this.points[i]! - before
      before = this.points[i]!
    }
    return lengths
  }

  /** Gives a member a slot, of which there is always another. */
  occupy(member: Member<N>): Member<N> {
    const placed = { ...member, slot: this.#free.pop() ?? this.members.length }
    this.replace(placed)
    return placed
  }

  /** Puts a changed member in its slot. */
  replace(member: Member<N>): void {
    this.members[member.slot] = member
    this.nodes[member.slot] = member.node
  }

  /** Frees the slot of a member whose points are gone. */
  vacate(member: Member<N>): void {
    this.members[member.slot] = undefined
    this.nodes[member.slot] = undefined
    this.#free.push(member.slot)
  }

  /** Where in the arrays these virtual nodes are, without changing anything. */
  locate(run: PointRun): Uint32Array {
    const { points, slots } = run
    const places = new Uint32Array(points.length)
    for (let k = 0; k < points.length; k++) {
      const point = points[k]!
      const slot = slots[k]!
      const first = this.#rank(point, this.members[slot]!.id, this.count)
      // Two virtual nodes of one node may lie on one point: the second is the next entry.
      const at = k > 0 && places[k - 1]! >= first ? places[k - 1]! + 1 : first
      if (at >= this.count || this.points[at] !== point || this.owners[at] !== slot) {
        throw new RingError(
          'ERR_RING_OPTION',
          'hash.hash32 gave another result than before for the same input: it must be pure',
        )
      }
      places[k] = at
    }
    return places
  }

  /** Takes out the virtual nodes at `places`, in ascending order, whose points are `points`. */
  remove(places: Uint32Array, points: Uint32Array): void {
    const removed = places.length
    if (removed === 0) return
    for (let k = 0; k < removed; k++) {
      const end = k + 1 < removed ? places[k + 1]! : this.count
      this.#move(places[k]! + 1, end, places[k]! - k)
    }
    this.count -= removed
    if (this.count < this.points.length >>> 2) this.#resize(this.count)
    if (!this.#patchBuckets(points, -1)) return
    for (let k = 0; k < removed && this.#cells !== NO_CELLS; k++) {
      const next = places[k]! - k
      fillArc(this.#cells, this, next < this.count ? next : 0)
    }
  }

  /** Puts virtual nodes in. */
  insert(run: PointRun): void {
    const { points, slots } = run
    const added = points.length
    if (added === 0) return
    this.#reserve(this.count + added)
    const places = new Uint32Array(added)
    let end = this.count
    for (let k = added - 1; k >= 0; k--) {
      const at = this.#rank(points[k]!, this.members[slots[k]!]!.id, end)
      this.#move(at, end, at + k + 1)
      this.points[at + k] = points[k]!
      this.owners[at + k] = slots[k]!
      places[k] = at + k
      end = at
    }
    this.count += added
    if (!this.#patchBuckets(points, 1)) return
    for (let k = 0; k < added && this.#cells !== NO_CELLS; k++) {
      fillArc(this.#cells, this, places[k]!)
    }
  }

  /** The same ring in arrays of its own, with room for `room` more points. */
  copy(room: number): RingLayout<N> {
    const copy = new RingLayout<N>()
    for (const member of this.members) copy.members.push(member)
    for (const node of this.nodes) copy.nodes.push(node)
    copy.#free = this.#free.slice()
    copy.active = this.active
    copy.points = this.points
    copy.owners = this.owners
    copy.count = this.count
    copy.#resize(this.count + room)
    copy.#buckets = new BucketIndex(copy.points, this.count, this.#buckets.buckets)
    copy.#searchesUntilCells = searchesFor(this.count)
    return copy
  }

  /** Sharing the slow path keeps {@link nodeOf} small enough for the engine to inline. */
  #search(hash: number): N | undefined {
    if (this.count === 0) return undefined
    if (this.#cells === NO_CELLS && this.#searchesUntilCells-- <= 0) this.#buildCells()
    return this.nodes[this.owners[this.indexOf(hash)]!]
  }

  #buildCells(): void {
    if (!deservesCells(this)) {
      this.#searchesUntilCells = Number.MAX_SAFE_INTEGER
      return
    }
    this.#cells = buildCells(this)
    this.#cellShift = Math.clz32(this.#cells.length) + 1
  }

  #lowerBound(hash: number, from: number, end: number): number {
    let low = from
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.points[middle]! < hash) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The index that (point, id) has or would have among the first `end` entries. */
  #rank(point: number, id: string, end: number): number {
    const bucket = point >>> this.#buckets.shift
    let low = this.#buckets.startOf(bucket)
    let high = Math.min(this.#buckets.endOf(bucket), end)
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.points[middle]!
      if (other < point || (other === point && this.#idAt(middle) < id)) low = middle + 1
      else high = middle
    }
    return low
  }

  #idAt(index: number): string {
    return this.members[this.owners[index]!]!.id
  }

  /** Moves the entries from `start` up to `end` so that they begin at `to`. */
  #move(start: number, end: number, to: number): void {
    const { points, owners } = this
    if (end - start > SHORT_GAP) {
      points.copyWithin(to, start, end)
      owners.copyWithin(to, start, end)
    } else if (to < start) {
      for (let i = start, j = to; i < end; i++, j++) {
        points[j] = points[i]!
        owners[j] = owners[i]!
      }
    } else {
      for (let i = end - 1, j = to + end - start - 1; i >= start; i--, j--) {
        points[j] = points[i]!
        owners[j] = owners[i]!
      }
    }
  }

  /** Makes room for `size` points; what grows by steps gets an eighth more than it asks for. */
  #reserve(size: number): void {
    const wide = this.members.length > MAX_NARROW_SLOTS
    if (wide && this.owners instanceof Uint16Array) {
      this.#dropCells()
      this.#resize(size)
    } else if (size > this.points.length) {
      this.#resize(this.count === 0 ? size : size + (size >>> 3))
    }
  }

  #resize(capacity: number): void {
    const { points, owners, count } = this
    const wide = this.members.length > MAX_NARROW_SLOTS
    this.points = new Uint32Array(capacity)
    this.points.set(points.subarray(0, count))
    this.owners = wide ? new Uint32Array(capacity) : new Uint16Array(capacity)
    this.owners.set(owners.subarray(0, count))
  }

  /** Keeps the bucket index right; says false if it and the cells had to be given up. */
  #patchBuckets(points: Uint32Array, step: 1 | -1): boolean {
    const { buckets } = this.#buckets
    const suits = this.count <= buckets * 1.5 && (this.count >= buckets >>> 2 || buckets === 2)
    const isSmall = points.length * 4 < this.count
    if (suits && isSmall && this.#buckets.patch(points, step)) return true
    this.#buckets = new BucketIndex(this.points, this.count, bucketCountFor(this.count))
    this.#dropCells()
    return false
  }

  #dropCells(): void {
    this.#cells = NO_CELLS
    this.#cellShift = 31
    this.#searchesUntilCells = searchesFor(this.count)
  }
}

/** A cell table takes as long to build as a search for each point: a quarter of those go first. */
function searchesFor(points: number): number {
  return points >>> 2
}
