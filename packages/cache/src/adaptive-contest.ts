// Which rule would hit most: a miniature of each plays the same sample of the requests.
//
//   wins[a * R + b]   requests that rule a hit and rule b did not, the older the less
//
// Rules are compared in pairs, on the requests where they differ: what both hit or both miss says
// nothing and would drown the difference in noise (the sign test of McNemar, 1947). After every
// ROUND requests the rule in force gives way to the one that is furthest ahead of it, if any is
// ahead by more than one standard deviation. Being wrong costs little, since the next round can
// take it back; stiffer tests lost more to waiting than they won by being sure.

import { type AdaptiveRule, adaptiveRules } from './adaptive-rule.ts'
import type { FrequencySketch } from './frequency-sketch.ts'
import { type Miniature, miniaturesOf } from './miniature.ts'

/** Entries that a miniature should have; the sample is no more and no less than these parts. */
const ENTRIES = 32
const LEAST_PART = 1 / 32
const MOST_PART = 1 / 16
/** Requests of the sample from one decision to the next. */
const ROUND = 64
/** Requests of the sample, for each entry of a miniature, after which a win counts half. */
const HALF_LIFE = 10
/** Fewer differences than this decide nothing. */
const LEAST_EVIDENCE = 8
/** How much more room than a miniature has makes the contest begin anew. */
const MOST_GROWTH = 1.25
const SPREAD = 0x2545f491

/** A lasting contest of rules over a sample of the requests. */
export class AdaptiveContest {
  /** The rule that is ahead, as its place in {@link adaptiveRules}. */
  winner = 0
  protected readonly wins: Float32Array
  readonly #sketch: FrequencySketch
  #miniatures: readonly Miniature[] = []
  /** Hashes whose spread is below this are in the sample. */
  #threshold = 0
  #part = 0
  /** The room of a miniature when it was made. */
  #entries = 0
  #decay = 1
  #left = ROUND

  constructor(sketch: FrequencySketch) {
    this.#sketch = sketch
    this.wins = new Float32Array(adaptiveRules.length ** 2)
  }

  /** Takes up how many entries there is room for; begins anew if that is very different. */
  fit(entries: number): void {
    const room = Math.max(1, Math.round(entries * this.#part))
    if (room < this.#entries / 2 || room > this.#entries * MOST_GROWTH) this.restart(entries)
    else for (const one of this.#miniatures) one.resize(Math.min(room, this.#entries))
  }

  /** Forgets all requests; the winner stays. */
  restart(entries: number): void {
    this.#part = Math.min(MOST_PART, Math.max(LEAST_PART, ENTRIES / entries))
    this.#threshold = this.#part * 2 ** 31
    const room = Math.max(1, Math.round(entries * this.#part))
    this.#entries = room
    this.#decay = 0.5 ** (ROUND / (HALF_LIFE * room))
    this.wins.fill(0)
    this.#left = ROUND
    this.#miniatures = miniaturesOf(adaptiveRules, this.#sketch, room)
  }

  /** Whether requests for the key of a hash are in the sample: all or none. */
  samples(hash: number): boolean {
    return Math.imul(hash, SPREAD) >>> 1 < this.#threshold
  }

  /** Lets all rules answer a request of the sample; whether this ended a round. */
  request(hash: number): boolean {
    let hits = 0
    const miniatures = this.#miniatures
    for (let rule = 0; rule < miniatures.length; rule++) {
      if (miniatures[rule]!.request(hash)) hits |= 1 << rule
    }
    this.compare(hits)
    if (--this.#left > 0) return false
    this.#left = ROUND
    this.winner = this.decide()
    for (let pair = 0; pair < this.wins.length; pair++) this.wins[pair]! *= this.#decay
    return true
  }

  /** Counts a request that the rules of these bits hit and the others did not. */
  protected compare(hits: number): void {
    const rules = adaptiveRules.length
    if (hits === 0 || hits === (1 << rules) - 1) return
    for (let rule = 0; rule < rules; rule++) {
      if (((hits >>> rule) & 1) === 0) continue
      for (let other = 0; other < rules; other++) {
        if (((hits >>> other) & 1) === 0) this.wins[rule * rules + other]!++
      }
    }
  }

  /** The rule that should be in force now. */
  protected decide(): number {
    const rules = adaptiveRules.length
    let best = this.winner
    let most = 0
    for (let rule = 0; rule < rules; rule++) {
      const won = this.wins[rule * rules + this.winner]!
      const lost = this.wins[this.winner * rules + rule]!
      const lead = won - lost
      if (won + lost < LEAST_EVIDENCE || lead <= Math.sqrt(won + lost) || lead <= most) continue
      most = lead
      best = rule
    }
    return best
  }

  /** The rule of the winner. */
  get rule(): AdaptiveRule {
    return adaptiveRules[this.winner]!
  }
}
