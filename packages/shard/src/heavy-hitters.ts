// The keys that are used most, in constant memory: space-saving. As many counters as `capacity`; a
// key without one takes over that of the least count and goes on from there, the count it found
// being its error:
//
//   count - error <= true count <= count, and every key used more than total / capacity is there
//
// Sources: Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in
// Data Streams" (2005); merging: Agarwal et al., "Mergeable Summaries" (2012).

import { CountOrder } from './count-order.ts'
import { hashOf, KeyIndex } from './key-index.ts'
import { ShardError } from './shard-error.ts'
import { show } from './show.ts'

const MOST_COUNTERS = 2 ** 24

/** A key among those used most. */
export interface HeavyHitter {
  readonly key: string
  /** How often it was added at most; at least `count - error` times. */
  readonly count: number
  readonly error: number
}

/** Options of {@link HeavyHitters}. */
export interface HeavyHittersOptions {
  /** How many keys are counted at a time, from 1 to 2^24; default 1024. */
  readonly capacity?: number | undefined
}

/**
 * Counts keys of a stream and knows the most frequent, in memory for `capacity` keys.
 *
 * @example
 * const hot = new HeavyHitters({ capacity: 100 })
 * for (const key of ['a', 'b', 'a']) hot.add(key)
 * hot.top(1) // → [{ key: 'a', count: 2, error: 0 }]
 */
export class HeavyHitters {
  /** How many keys are counted at a time. */
  readonly capacity: number
  readonly #index: KeyIndex
  readonly #order: CountOrder
  readonly #errors: Float64Array
  #total = 0

  /** @throws {ShardError} `INVALID_OPTION` for a capacity out of range. */
  constructor({ capacity = 1024 }: HeavyHittersOptions = {}) {
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MOST_COUNTERS)) {
      throw invalid(`capacity must be a whole number from 1 to ${MOST_COUNTERS}`, capacity)
    }
    this.capacity = capacity
    this.#index = new KeyIndex(capacity)
    this.#order = new CountOrder(capacity)
    this.#errors = new Float64Array(capacity)
  }

  /** How much was added, of all keys. */
  get total(): number {
    return this.#total
  }

  /**
   * Counts a key: O(1) for a count of 1, else O(counts that it overtakes).
   *
   * @param count From 1; default 1.
   * @throws {ShardError} `INVALID_OPTION` for another count, `INVALID_KEY` if the key is no string.
   */
  add(key: string, count = 1): void {
    if (typeof key !== 'string') {
      throw new ShardError('INVALID_KEY', `key must be a string, got ${show(key)}`)
    }
    if (count !== 1) checkCount(count)
    const hash = hashOf(key)
    let item = this.#index.find(key, hash)
    if (item < 0) item = this.#admit(key, hash)
    this.#order.raise(item, count)
    this.#total += count
  }

  /**
   * The keys of the highest counts, descending; those of one count in no order of note. O(k).
   *
   * @param k How many at most, from 0.
   * @throws {ShardError} `INVALID_OPTION`.
   */
  top(k: number): HeavyHitter[] {
    if (!(Number.isInteger(k) && k >= 0)) throw invalid('k must be a whole number from 0', k)
    const length = Math.min(k, this.#order.size)
    return Array.from({ length }, (_, place) => {
      const item = this.#order.itemAt(place)
      const count = this.#order.countOf(item)
      return { key: this.#index.keyOf(item), count, error: this.#errors[item]! }
    })
  }

  /** Forgets everything. */
  clear(): void {
    this.#index.clear()
    this.#order.clear()
    this.#total = 0
  }

  /**
   * Adds what the `other` counted, with the same bounds over both. O(capacity log capacity).
   *
   * @throws {ShardError} `INVALID_OPTION` if its capacity is another: the bound would not hold.
   */
  merge(other: HeavyHitters): void {
    if (other.capacity !== this.capacity) {
      throw invalid(`capacity of the other must be ${this.capacity} too`, other.capacity)
    }
    const merged = sums(this, this.#least, other, other.#least)
    const total = this.#total + other.#total
    this.clear()
    this.#total = total
    for (const { key, count, error } of merged.slice(0, this.capacity)) {
      const item = this.#order.append(count)
      this.#index.put(item, key, hashOf(key))
      this.#errors[item] = error
    }
  }

  /** What a key that has no counter may have been added at most. */
  get #least(): number {
    const { capacity } = this
    if (this.#order.size < capacity) return 0
    return this.#order.countOf(this.#order.itemAt(capacity - 1))
  }

  #admit(key: string, hash: number): number {
    const order = this.#order
    const isFull = order.size === this.capacity
    const item = isFull ? order.itemAt(this.capacity - 1) : order.append(0)
    if (isFull) this.#index.remove(item)
    this.#errors[item] = order.countOf(item)
    this.#index.put(item, key, hash)
    return item
  }
}

/** Both lists as one, by count; a key that one side does not count has at most its least there. */
function sums(a: HeavyHitters, leastOfA: number, b: HeavyHitters, leastOfB: number): HeavyHitter[] {
  const known = new Map(b.top(b.capacity).map((hitter) => [hitter.key, hitter]))
  const both = a.top(a.capacity).map(({ key, count, error }) => {
    const there = known.get(key) ?? { count: leastOfB, error: leastOfB }
    known.delete(key)
    return { key, count: count + there.count, error: error + there.error }
  })
  for (const { key, count, error } of known.values()) {
    both.push({ key, count: count + leastOfA, error: error + leastOfA })
  }
  return both.sort((x, y) => y.count - x.count)
}

function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count >= 1) return
  throw invalid('count must be a whole number from 1', count)
}

function invalid(must: string, got: unknown): ShardError {
  return new ShardError('INVALID_OPTION', `${must}, got ${show(got)}`)
}
