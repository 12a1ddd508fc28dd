// Which invalidations were made after an entry came: every one has a number, and of every name its
// last is known. An entry carries the number of invalidations at its birth, so that one comparison
// tells whether it still counts, and invalidating a million entries writes one number.
//
//   young: name → number     all names of the last invalidations, at most half of `max`
//   old:   name → number     those before them, at most half
//   floor: number            taken for every name that is in neither
//
// When `young` is full it becomes `old`, and the floor rises to what was the last number in the
// `old` that is dropped. An entry that is older than the floor counts no more even if its tag was
// never invalidated: wrong in the safe direction only, and only after half of `max` names.

/** The number of the last invalidation of each of many names, in bounded room. */
export class TagGenerations {
  readonly #half: number
  #young: Map<string, number> = new Map()
  #old: Map<string, number> = new Map()
  #youngLast = 0
  #oldLast = 0
  #floor = 0

  constructor(max: number) {
    this.#half = Math.ceil(max / 2)
  }

  /** Names that are remembered, some perhaps twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Whether nothing was ever noted. */
  get isEmpty(): boolean {
    return this.#youngLast === 0
  }

  /** Notes the number of an invalidation; it is larger than all before. O(1). */
  note(name: string, generation: number): void {
    if (this.#young.size >= this.#half && !this.#young.has(name)) {
      this.#floor = this.#oldLast
      this.#old = this.#young
      this.#oldLast = this.#youngLast
      this.#young = new Map()
    }
    this.#young.set(name, generation)
    this.#youngLast = generation
  }

  /** The number of the last invalidation of a name, or a later one. O(1). */
  latest(name: string): number {
    return this.#young.get(name) ?? this.#old.get(name) ?? this.#floor
  }
}
