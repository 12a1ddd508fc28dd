// Where entries live: a slot is a number that indexes parallel arrays, called columns.
//
//   slot      0 … lists-1        lists …
//             one sentinel a     entries, dead ones chained through their `next`
//             list, circular
//   links     [ prev | next ]    interleaved: a relink touches one cache line a slot
//
// Columns grow one at a time, each at another of the last free slots, so that no single insertion
// copies them all; sizes halve from `max` down, so that the last step ends exactly there.
// Invariant: the key and value of a dead slot are undefined, so that nothing is kept alive.

import { SlotIndex } from './slot-index.ts'

const SMALLEST = 512

/** Makes room in one column for slots below the number given. */
export type GrowColumn = (slots: number) => void

/** Keys, values and lists over numbered slots, with an index. */
export class SlotStore<K, V> extends SlotIndex<K> {
  /** The value of each slot. */
  values: (V | undefined)[] = [undefined]
  /** `links[2 * slot]` is the previous slot of a list, `links[2 * slot + 1]` the next. */
  links: Uint32Array = new Uint32Array(0)
  /** Entries that live here. */
  size = 0
  /** Most entries; the caller sees to it before it inserts. */
  max: number
  /** Slots below this are sentinels of lists. */
  readonly lists: number
  /** Entries that all columns have room for. */
  #capacity: number
  readonly #columns: GrowColumn[]
  /** The first slot never used so far. */
  #fresh: number
  /** The first dead slot, or 0. */
  #free = 0

  /**
   * @param max Most entries.
   * @param lists How many lists there are; list `i` has slot `i` as its sentinel.
   * @param seed Of the hash.
   * @param hashesAll Whether floats, objects and the like have a hash as well.
   */
  constructor(max: number, lists: number, seed: number, hashesAll: boolean) {
    const capacity = nextCapacity(0, max)
    super(capacity, seed, hashesAll)
    this.max = max
    this.lists = lists
    this.#fresh = lists
    this.#capacity = capacity
    this.#columns = [
      (slots) => {
        this.hashes = grown(this.hashes, slots)
      },
      (slots) => {
        this.links = grown(this.links, 2 * slots)
      },
      (slots) => {
        this.keys.length = slots
      },
      (slots) => {
        this.values.length = slots
      },
      (slots) => this.growIndex(slots - lists),
    ]
    for (const grow of this.#columns) grow(lists + capacity)
    this.#emptyLists()
  }

  /** Adds a column of the caller's own, which `grow` must make large enough, now and later. */
  addColumn(grow: GrowColumn): void {
    this.#columns.push(grow)
    grow(this.lists + this.#capacity)
  }

  /** Sets a new bound; the caller sees to it that no more entries live here. */
  setMax(max: number): void {
    this.max = max
    const left = this.lists + this.#capacity - this.#fresh
    if (left < this.#columns.length && this.#capacity < max) this.#grow(0)
  }

  /** Puts an entry into a slot and the index, into no list; there must be room. */
  insert(key: K, hash: number, value: V): number {
    let slot = this.#free
    if (slot === 0) slot = this.#takeFresh()
    else this.#free = this.links[2 * slot + 1]!
    // Adding 0 makes -0 the 0 that it equals.
    this.enter((typeof key === 'number' ? key + 0 : key) as K, hash, slot)
    this.values[slot] = value
    this.size++
    return slot
  }

  /** Frees the slot of an entry that is in no list any more. */
  remove(slot: number): void {
    this.leave(slot)
    this.keys[slot] = undefined
    this.values[slot] = undefined
    this.links[2 * slot + 1] = this.#free
    this.#free = slot
    this.size--
  }

  /** Frees all slots and empties all lists. */
  removeAll(): void {
    this.clearIndex()
    this.keys.fill(undefined)
    this.values.fill(undefined)
    this.#fresh = this.lists
    this.#free = 0
    this.size = 0
    this.#emptyLists()
  }

  /** Puts a slot that is in no list at the head of one. */
  linkFirst(list: number, slot: number): void {
    const { links } = this
    const first = links[2 * list + 1]!
    links[2 * slot] = list
    links[2 * slot + 1] = first
    links[2 * first] = slot
    links[2 * list + 1] = slot
  }

  /** Takes a slot out of its list. */
  unlink(slot: number): void {
    const { links } = this
    const prev = links[2 * slot]!
    const next = links[2 * slot + 1]!
    links[2 * prev + 1] = next
    links[2 * next] = prev
  }

  /** The slot at the tail of a list; the sentinel itself if the list is empty. */
  last(list: number): number {
    return this.links[2 * list]!
  }

  #takeFresh(): number {
    const slot = this.#fresh++
    const left = this.lists + this.#capacity - this.#fresh
    if (left < this.#columns.length && this.#capacity < this.max) this.#grow(left)
    return slot
  }

  /** Grows the column whose turn it is when so many fresh slots are left. */
  #grow(left: number): void {
    const capacity = nextCapacity(this.#capacity, this.max)
    if (left > 0) {
      this.#columns[left]!(this.lists + capacity)
      return
    }
    // The last turn is also that of a column added since the first, or of all after setMax.
    for (const grow of this.#columns) grow(this.lists + capacity)
    this.#capacity = capacity
  }

  #emptyLists(): void {
    for (let list = 0; list < this.lists; list++) {
      this.links[2 * list] = list
      this.links[2 * list + 1] = list
    }
  }
}

/** A copy with more room; the same array if it has that much already. */
export function grown<A extends Int32Array | Uint32Array | Uint8Array | Float64Array>(
  column: A,
  length: number,
): A {
  if (column.length >= length) return column
  const larger = new (column.constructor as new (length: number) => A)(length)
  larger.set(column)
  return larger
}

/** The smallest of max, max / 2, … above the capacity, at least 512 unless max is less. */
function nextCapacity(capacity: number, max: number): number {
  let next = max
  while (next >> 1 >= SMALLEST && Math.ceil(next / 2) > capacity) next = Math.ceil(next / 2)
  return next
}
