// Multi-master numbering: K masters count by steps of K from different offsets, as in MySQL's
// auto_increment_increment and auto_increment_offset.
//
//   master 1 of 2   1   3   5   7   9 …          Two masters can collide exactly if their offsets
//   master 2 of 2     2   4   6   8 …            are equal modulo the gcd of their steps.

import { IdError, requireInteger } from './id-error.ts'

/** The numbers of one master: `offset`, `offset + step`, `offset + 2 · step`, … */
export interface Master {
  readonly offset: number
  readonly step: number
}

/**
 * Counts as one master of several. Keep the last number where it survives, and give it as `after`.
 *
 * @example
 * const even = new StepSequence({ offset: 2, step: 2 })
 * even.next() // 2
 * even.next() // 4
 */
export class StepSequence implements Master {
  readonly offset: number
  readonly step: number
  #next: number

  /**
   * @param options.offset the lowest number, from 0
   * @param options.step how many masters there are, from 1
   * @param options.after numbers begin above this one; default none are left out
   * @throws IdError INVALID_OPTION
   */
  constructor(options: Master & { readonly after?: number }) {
    const { offset, step, after = -1 } = options
    this.offset = requireInteger('offset', offset, 0)
    this.step = requireInteger('step', step, 1)
    requireInteger('after', after, -1)
    this.#next = after < offset ? offset : offset + (Math.floor((after - offset) / step) + 1) * step
  }

  /** The next number; throws IdError EPOCH_OVERFLOW past 2^53. */
  next(): number {
    const number = this.#next
    if (number > Number.MAX_SAFE_INTEGER) {
      throw new IdError('EPOCH_OVERFLOW', 'numbers above 2^53 - 1 are not exact: begin a new range')
    }
    this.#next = number + this.step
    return number
  }
}

/**
 * Whether two masters never give the same number, however long they run.
 *
 * @param a one master
 * @param b another
 * @example
 * disjoint({ offset: 1, step: 2 }, { offset: 2, step: 2 }) // → true
 * disjoint({ offset: 1, step: 2 }, { offset: 2, step: 3 }) // → false
 */
export function disjoint(a: Master, b: Master): boolean {
  const divisor = gcd(a.step, b.step)
  return a.offset % divisor !== b.offset % divisor
}

/** How masters become more while they run, see {@link growthPlan}. */
export interface GrowthPlan {
  /** The step of every master when all is done. */
  readonly step: number
  /** First, in any order, each master goes on with these numbers, `after` its last one. */
  readonly switches: readonly Master[]
  /**
   * When every master has switched, these may start, in any order: each takes over numbers that
   * the master `splitFrom` (an index) left behind, so it begins `after` that one's last number
   * before its switch.
   */
  readonly starts: readonly (Master & { readonly splitFrom: number })[]
}

/**
 * A plan to go from K masters to more without stopping any and without a repeated number.
 *
 * The new step is a multiple of the old one. A master that switches keeps to its own old numbers,
 * so masters may switch at different times; the numbers that it leaves behind go to new masters,
 * and those start only after all have switched and above what was already given.
 *
 * @param masters all of today's, with one common step, no two alike
 * @param count how many to have at least, more than now
 * @throws IdError INVALID_OPTION if the masters can collide already, or differ in their step.
 * @example
 * const masters = [{ offset: 1, step: 2 }, { offset: 2, step: 2 }]
 * growthPlan(masters, 4).step // → 4
 */
export function growthPlan(masters: readonly Master[], count: number): GrowthPlan {
  const step = masters[0]?.step ?? 0
  requireInteger('step', step, 1)
  requireInteger('count', count, masters.length + 1)
  for (const [i, master] of masters.entries()) {
    requireInteger('offset', master.offset, 0)
    const clash = masters.slice(0, i).findIndex((other) => !disjoint(master, other))
    if (master.step === step && clash < 0) continue
    throw new IdError(
      'INVALID_OPTION',
      `masters must have one step and never collide, but offset ${master.offset} step ` +
        `${master.step} ${clash < 0 ? `is not of step ${step}` : `collides with master ${clash}`}`,
    )
  }
  const factor = Math.ceil(count / masters.length)
  const grown = step * factor
  const starts = []
  for (let part = 1; part < factor; part++) {
    for (const [splitFrom, { offset }] of masters.entries()) {
      starts.push({ offset: offset + part * step, step: grown, splitFrom })
    }
  }
  return {
    step: grown,
    switches: masters.map(({ offset }) => ({ offset, step: grown })),
    starts: starts.slice(0, count - masters.length),
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
