import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { disjoint, growthPlan, type Master, StepSequence } from '../src/index.ts'

const master = fc.record({ offset: fc.nat({ max: 30 }), step: fc.integer({ min: 1, max: 24 }) })

/** The oracle: all numbers of a master below a bound that holds two rounds of any pair. */
function numbersOf({ offset, step }: Master): Set<number> {
  const numbers = new Set<number>()
  for (let n = offset; n < 1500; n += step) numbers.add(n)
  return numbers
}

describe('step-K sequences', () => {
  test.prop([master, master], { numRuns: 300 })(
    'are disjoint exactly if disjoint says so',
    (a, b) => {
      const numbers = numbersOf(a)
      const collides = [...numbersOf(b)].some((n) => numbers.has(n))
      expect(disjoint(a, b)).toBe(!collides)
      expect(disjoint(b, a)).toBe(disjoint(a, b))
    },
  )

  /** Masters that grow while they run: who counts when, and when each switches. */
  const growth = fc.record({
    masters: fc.integer({ min: 1, max: 5 }),
    more: fc.integer({ min: 1, max: 7 }),
    before: fc.array(fc.nat(), { maxLength: 60 }),
    during: fc.array(fc.nat(), { maxLength: 60 }),
    after: fc.array(fc.nat(), { minLength: 20, maxLength: 200 }),
  })

  /** Runs a growth; `mark` is where a new master begins: the plan says after the split one's. */
  function grow(
    {
      masters,
      more,
      before,
      during,
      after,
    }: typeof growth extends fc.Arbitrary<infer T> ? T : never,
    mark: (lastOfSplit: number) => number,
  ): number[] {
    const today = Array.from({ length: masters }, (_, i) => ({ offset: i + 1, step: masters }))
    const plan = growthPlan(today, masters + more)
    const running = today.map((options) => new StepSequence(options))
    const last = new Array(masters).fill(-1)
    const given: number[] = []
    const count = (who: number) => {
      const at = who % running.length
      last[at] = running[at]!.next()
      given.push(last[at])
    }
    const atSwitch: number[] = []
    before.forEach(count)
    // Masters switch one by one, from any of them on, and all count in between.
    for (let i = 0; i < masters; i++) {
      const at = (i + during.length) % masters
      atSwitch[at] = last[at]
      running[at] = new StepSequence({ ...plan.switches[at]!, after: last[at] })
      during.forEach(count)
    }
    for (const { splitFrom, ...start } of plan.starts) {
      running.push(new StepSequence({ ...start, after: mark(atSwitch[splitFrom]!) }))
    }
    expect(running).toHaveLength(masters + more)
    after.forEach(count)
    return given
  }

  test.prop([growth], { numRuns: 300 })('grow live without a repeated number', (run) => {
    const given = grow(run, (last) => last)
    expect(new Set(given).size).toBe(given.length)
  })

  test('are caught repeating where a new master begins at its offset', () => {
    const before = new Array(20).fill(0)
    const run = {
      masters: 1,
      more: 1,
      before,
      during: [0],
      after: Array.from({ length: 40 }, (_, i) => i),
    }
    const given = grow(run, () => -1)
    expect(new Set(given).size).toBeLessThan(given.length)
  })
})
