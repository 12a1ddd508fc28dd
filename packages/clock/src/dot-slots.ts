// Things filed by counter, most of them close together: a circular array, in which the thing of
// `counter` stands at `counter & mask`, and a Map for what finds its place taken.
//
// A crowded array doubles, which separates whatever met in it, up to `LARGEST`; so counters within
// a window of that size never meet, and a counter from far away costs no more than an entry of the
// Map. A Map alone makes a causal buffer about 1.5 times slower.

const SMALLEST = 16
const LARGEST = 4096

/** A map of counters to things that know their counter. */
export class DotSlots<T extends { readonly counter: number }> {
  #near: (T | undefined)[] = new Array(SMALLEST).fill(undefined)
  readonly #far = new Map<number, T>()

  get(counter: number): T | undefined {
    const found = this.#near[counter & (this.#near.length - 1)]
    if (found !== undefined && found.counter === counter) return found
    return this.#far.size === 0 ? undefined : this.#far.get(counter)
  }

  /** Files a thing whose counter has none yet. */
  add(thing: T): void {
    for (;;) {
      const at = thing.counter & (this.#near.length - 1)
      if (this.#near[at] === undefined) {
        this.#near[at] = thing
        return
      }
      if (this.#near.length >= LARGEST) break
      this.#grow()
    }
    this.#far.set(thing.counter, thing)
  }

  delete(thing: T): void {
    const at = thing.counter & (this.#near.length - 1)
    if (this.#near[at] === thing) this.#near[at] = undefined
    else this.#far.delete(thing.counter)
  }

  *values(): IterableIterator<T> {
    for (const thing of this.#near) if (thing !== undefined) yield thing
    yield* this.#far.values()
  }

  #grow(): void {
    const larger = new Array<T | undefined>(this.#near.length * 2).fill(undefined)
    for (const thing of this.#near) {
      if (thing !== undefined) larger[thing.counter & (larger.length - 1)] = thing
    }
    this.#near = larger
  }
}
