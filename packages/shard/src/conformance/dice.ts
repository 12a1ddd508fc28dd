// Choices from a seed, so that a case that fails fails again: a linear congruential generator
// modulo 2^32 (Numerical Recipes), its high bits only, since the low ones repeat soon.

/** A sequence of choices that its seed fixes. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer from 0 to below `limit`; `limit` is at most 65,536. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(((this.#state >>> 16) * limit) / 65_536)
  }

  /** One of them. */
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** So many of them, maybe the same twice. */
  some<T>(count: number, choices: readonly T[]): T[] {
    return Array.from({ length: count }, () => this.of(choices))
  }
}
