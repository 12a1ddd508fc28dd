// How many different keys were used since a key was used last (Mattson et al., Evaluation
// Techniques for Storage Hierarchies, 1970), in O(log n) a use: each key has a place on a time
// line, its last use, and a Fenwick tree counts the places that are taken.
//
//   places  1 2 3 4 5 6 …        a use takes the next place and frees the one before; when the
//           · b · a c ·          line is full, the places are given out anew in the same order
//
// Invariant: at most half of the line is taken when places are given out anew, so that this costs
// O(1) a use.

/** The last uses of keys. */
export class ReuseDistance<K> {
  readonly #places: Map<K, number> = new Map()
  readonly #owners: (K | undefined)[]
  readonly #sums: Int32Array
  #next = 1

  /** @param most Most keys at a time. */
  constructor(most: number) {
    const line = 2 * most + 2
    this.#owners = new Array<K | undefined>(line).fill(undefined)
    this.#sums = new Int32Array(line)
  }

  /** Keys that are known. */
  get size(): number {
    return this.#places.size
  }

  /** Notes a use; how many other keys were used since its last, -1 if it is new. */
  use(key: K): number {
    const place = this.#places.get(key)
    let distance = -1
    if (place !== undefined) {
      distance = this.#places.size - this.#taken(place)
      this.#free(key, place)
    }
    if (this.#next === this.#owners.length) this.#renumber()
    this.#places.set(key, this.#next)
    this.#owners[this.#next] = key
    this.#add(this.#next++, 1)
    return distance
  }

  /** Forgets a key. */
  forget(key: K): void {
    const place = this.#places.get(key)
    if (place !== undefined) this.#free(key, place)
  }

  #free(key: K, place: number): void {
    this.#places.delete(key)
    this.#owners[place] = undefined
    this.#add(place, -1)
  }

  #renumber(): void {
    const owners = this.#owners
    const { length } = owners
    this.#sums.fill(0)
    let next = 1
    for (let place = 1; place < length; place++) {
      const key = owners[place]
      // A place without an owner has undefined there, and undefined may be a key.
      if (this.#places.get(key as K) !== place) continue
      owners[place] = undefined
      owners[next] = key
      this.#places.set(key as K, next++)
    }
    this.#next = next
    for (let place = 1; place < next; place++) this.#add(place, 1)
  }

  #add(place: number, by: number): void {
    const sums = this.#sums
    for (let i = place; i < sums.length; i += i & -i) sums[i]! += by
  }

  /** How many places up to this one are taken. */
  #taken(place: number): number {
    const sums = this.#sums
    let taken = 0
    for (let i = place; i > 0; i -= i & -i) taken += sums[i]!
    return taken
  }
}
