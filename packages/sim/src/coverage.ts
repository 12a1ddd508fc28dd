// What a run reached: the conditions that should hold sometimes, and the places in the code that
// misbehave on purpose (FoundationDB's BUGGIFY: switched on for a whole run with one probability,
// then firing with another). A test that never reaches the interesting state proves nothing.

import type { Actor } from './actor.ts'
import { draw, hits, saltOf } from './prng.ts'

/** How often a place that asked `buggify` was reached, and how often it was told to misbehave. */
export interface BuggifyCount {
  readonly reached: number
  readonly fired: number
}

/** What a run, or a number of runs together, reached. */
export interface Coverage {
  /** Each `sometimes`, and in how many runs it came true. */
  readonly sometimes: ReadonlyMap<string, number>
  /** Each label of `buggify`. */
  readonly buggify: ReadonlyMap<string, BuggifyCount>
}

const FIRES = 0.25

/** The buggify points of one run. */
export class BuggifyPoints {
  readonly counts: Map<string, { reached: number; fired: number }> = new Map()
  readonly #seed: number
  readonly #chance: number

  /** @param chance how likely a label is switched on in a run */
  constructor(seed: number, chance: number) {
    this.#seed = seed
    this.#chance = chance
  }

  /** Whether the code at this label should misbehave now; each label draws by itself. */
  fires(actor: Actor, label: string, isHealed: boolean): boolean {
    const count = this.counts.get(label) ?? { reached: 0, fired: 0 }
    this.counts.set(label, count)
    const n = count.reached++
    if (isHealed || this.#chance === 0) return false
    const salt = saltOf(this.#seed, `buggify/${label}`)
    if (!hits(draw(salt, -1), this.#chance) || !hits(draw(salt ^ actor.salt, n), FIRES))
      return false
    count.fired++
    return true
  }
}

/** Adds what one run reached to what others did. */
export function addCoverage(
  total: { sometimes: Map<string, number>; buggify: Map<string, BuggifyCount> },
  { sometimes, buggify }: Coverage,
): void {
  for (const [name, runs] of sometimes) {
    total.sometimes.set(name, (total.sometimes.get(name) ?? 0) + runs)
  }
  for (const [label, { reached, fired }] of buggify) {
    const sum = total.buggify.get(label) ?? { reached: 0, fired: 0 }
    total.buggify.set(label, { reached: sum.reached + reached, fired: sum.fired + fired })
  }
}
