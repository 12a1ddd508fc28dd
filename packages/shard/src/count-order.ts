// Items in the order of their counts, where raising a count by one is O(1): items of one count
// stand side by side and form a bucket, so that an item that gains steps to the front of its
// bucket, out of it, and into the one before it, or a new one.
//
//   place     0    1    2    3    4    5
//   item      4    0    3    5    1    2       order, highest count first
//   bucket   [9]  [7    7]  [2    2    2]      start, size and count by bucket
//
// The buckets are those of the stream summary (Metwally, Agrawal, El Abbadi: "Efficient
// Computation of Frequent and Top-k Elements in Data Streams", 2005), their lists made places in
// one array, so that nothing is linked and a step is a swap.

/** Counts of items 0 to capacity - 1, in descending order. */
export class CountOrder {
  #size = 0
  readonly #order: Int32Array
  readonly #places: Int32Array
  readonly #buckets: Int32Array
  readonly #starts: Int32Array
  readonly #sizes: Int32Array
  readonly #counts: Float64Array
  /** Bucket ids not in use; as many as are free stand at the front. */
  readonly #unused: Int32Array
  #unusedCount = 0

  constructor(capacity: number) {
    this.#order = new Int32Array(capacity)
    this.#places = new Int32Array(capacity)
    this.#buckets = new Int32Array(capacity)
    this.#starts = new Int32Array(capacity)
    this.#sizes = new Int32Array(capacity)
    this.#counts = new Float64Array(capacity)
    this.#unused = new Int32Array(capacity)
    this.clear()
  }

  /** How many items there are. */
  get size(): number {
    return this.#size
  }

  /** The item at a place, 0 being the highest count. */
  itemAt(place: number): number {
    return this.#order[place]!
  }

  countOf(item: number): number {
    return this.#counts[this.#buckets[item]!]!
  }

  /** Adds item number `size` with a count that no item is below. */
  append(count: number): number {
    const item = this.#size++
    const before = item === 0 ? -1 : this.#buckets[this.#order[item - 1]!]!
    this.#order[item] = item
    this.#places[item] = item
    if (before >= 0 && this.#counts[before] === count) this.#join(item, before)
    else this.#found(item, item, count)
    return item
  }

  /** Raises the count of an item: O(1) by one, else O(counts that it overtakes). */
  raise(item: number, by: number): void {
    const order = this.#order
    const places = this.#places
    const bucket = this.#buckets[item]!
    const count = this.#counts[bucket]! + by
    let place = places[item]!
    let start = this.#starts[bucket]!
    const isAlone = this.#sizes[bucket] === 1
    if (!isAlone) {
      place = this.#swap(item, place, start)
      this.#starts[bucket] = start + 1
      this.#sizes[bucket]!--
    }
    let before = start === 0 ? -1 : this.#buckets[order[start - 1]!]!
    for (; before >= 0 && this.#counts[before]! < count; start = place) {
      // Past the whole bucket before: its first item and this one change places.
      place = this.#swap(item, place, this.#starts[before]!)
      this.#starts[before]!++
      before = place === 0 ? -1 : this.#buckets[order[place - 1]!]!
    }
    if (before >= 0 && this.#counts[before] === count) {
      if (isAlone) this.#unused[this.#unusedCount++] = bucket
      this.#join(item, before)
    } else if (isAlone) {
      this.#starts[bucket] = place
      this.#counts[bucket] = count
    } else {
      this.#found(item, place, count)
    }
  }

  clear(): void {
    this.#size = 0
    this.#unusedCount = this.#unused.length
    for (let i = 0; i < this.#unused.length; i++) this.#unused[i] = i
  }

  /** Moves an item to a place, and who was there to its own; returns the place. */
  #swap(item: number, from: number, to: number): number {
    const other = this.#order[to]!
    this.#order[from] = other
    this.#places[other] = from
    this.#order[to] = item
    this.#places[item] = to
    return to
  }

  #join(item: number, bucket: number): void {
    this.#sizes[bucket]!++
    this.#buckets[item] = bucket
  }

  /** A bucket of its own for the item. */
  #found(item: number, place: number, count: number): void {
    const bucket = this.#unused[--this.#unusedCount]!
    this.#starts[bucket] = place
    this.#sizes[bucket] = 1
    this.#counts[bucket] = count
    this.#buckets[item] = bucket
  }
}
