// A package's main laws against its broken twins: the right one keeps every law, and each twin is
// caught by the law that is there for it. What was seen becomes rows of the zoo's table.

import { describe, expect, test } from 'vitest'
import { enterRow } from './zoo/keeper.ts'

/** How a law fared: how many cases it looked at, the failing one included. */
export interface LawRun {
  readonly runs: number
  readonly failed: boolean
}

/** Looks at cases of a fixed seed until one breaks the law. */
export type Law<T> = (subject: T) => LawRun

/** The right thing, its laws by name, and twins: what is broken, which law must see it. */
export interface Subject<T> {
  readonly system: string
  readonly right: T
  readonly laws: Readonly<Record<string, Law<T>>>
  readonly twins: readonly { readonly bug: string; readonly law: string; readonly twin: T }[]
}

/** What fast-check tells of a run, of which a reporter that does not throw needs only this. */
interface Details {
  readonly numRuns: number
  readonly failed: boolean
}

/** Runs a property without shrinking: that it fails is all that is asked. */
export function runProperty(
  assert: (parameters: {
    seed: number
    endOnFailure: boolean
    reporter: (details: Details) => void
  }) => void,
): LawRun {
  let run: LawRun = { runs: 0, failed: true }
  const reporter = ({ numRuns, failed }: Details) => {
    run = { runs: numRuns, failed }
  }
  assert({ seed: 20, endOnFailure: true, reporter })
  return run
}

/** Tests that the right one keeps all laws and that each twin breaks the one it must. */
export function testTwins<T>({ system, right, laws, twins }: Subject<T>): void {
  const row = (bug: string | undefined, { runs, failed }: LawRun, plan: string) => {
    const firstSeed = failed ? runs - 1 : undefined
    enterRow({ system, bug, runs, failing: Number(failed), firstSeed, faultsLeft: [], plan })
  }
  describe(`the laws of ${system}`, () => {
    test('never fail the right one', () => {
      const done = Object.entries(laws).map(([name, law]) => ({ name, ...law(right) }))
      expect(done.filter(({ failed, runs }) => failed || runs === 0)).toEqual([])
      row(undefined, { runs: done.reduce((sum, { runs }) => sum + runs, 0), failed: false }, '')
    })
    for (const { bug, law, twin } of twins) {
      test(`catch one that ${bug}, by the law of ${law}`, () => {
        const run = laws[law]!(twin)
        expect(run.failed).toBe(true)
        row(bug, run, `law of ${law}`)
      })
    }
  })
}
