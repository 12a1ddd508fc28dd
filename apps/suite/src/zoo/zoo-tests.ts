// The tests of one system of the zoo, one file each so that they run side by side.

import { checkLaw } from '@ashlar/sim/vitest'
import { describe, expect, test } from 'vitest'
import { catchTwin, enterRow, HORIZON_MS, SEEDS } from './keeper.ts'
import { ZOO } from './zoo.ts'

/** Tests that the right system never fails in `runs` seeds and that every twin is caught. */
export function testSystem(system: string, runs: number): void {
  const variants = ZOO.filter((variant) => variant.system === system)
  describe(`the ${system}`, () => {
    for (const { bug, world } of variants.filter((variant) => variant.bug === undefined)) {
      test('never fails when it is right', { timeout: 600_000 }, async () => {
        const done = await checkLaw(
          `the ${system} is right`,
          { runs, horizonMs: HORIZON_MS },
          world,
        )
        const row = { system, bug, runs: done.runs, failing: done.failures.length }
        enterRow({ ...row, firstSeed: undefined, faultsLeft: [], plan: '' })
      })
    }
    const faultsLeft: number[] = []
    for (const variant of variants.filter(({ bug }) => bug !== undefined)) {
      test(`is caught when it ${variant.bug}`, { timeout: 600_000 }, async () => {
        const row = await catchTwin(variant)
        expect(row.failing).toBeGreaterThan(0)
        expect(row.firstSeed).toBeLessThan(SEEDS)
        faultsLeft.push(...row.faultsLeft)
      })
    }
    test('has nine failures in ten explained by at most three faults', () => {
      const small = faultsLeft.filter((count) => count <= 3)
      expect(small.length).toBeGreaterThanOrEqual(0.9 * faultsLeft.length)
      expect(faultsLeft.length).toBeGreaterThan(0)
    })
  })
}
