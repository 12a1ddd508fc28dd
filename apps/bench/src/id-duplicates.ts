// The rows of ids given twice, of calls refused, of fields that say something else: counts, of
// which ours must be 0. How each comes about is in id-scenarios.ts.

import type { Bench } from './harness.ts'
import {
  atTheSameTime,
  backAndReturn,
  burst,
  makers,
  type Outcome,
  tightLoop,
  wrongTimes,
  wrongWorkers,
} from './id-scenarios.ts'

const OURS = '@ashlar/id'

/** Runs every scenario with every package. */
export async function duplicateRows(bench: Bench): Promise<void> {
  const titles = {
    burst: 'duplicates in 10,000 ids of one burst',
    'tight-loop': 'duplicates in 50,000 ids of a tight loop, real clock',
    'back-and-return': 'duplicates in 150 ids while the clock steps back 1 ms and returns',
  }
  const scenarios = { burst, 'tight-loop': tightLoop, 'back-and-return': backAndReturn }
  for (const [id, run] of Object.entries(scenarios)) {
    const outcomes = Object.entries(makers).map(([name, make]) => [name, run(make)] as const)
    const title = titles[id as keyof typeof titles]
    counts(bench, `duplicates-${id}`, title, outcomes, (outcome) => outcome.duplicates)
    const refused = `calls that threw there instead of giving an id (${id})`
    counts(bench, `refused-${id}`, refused, outcomes, (outcome) => outcome.refused)
  }
  const together = Object.entries(await atTheSameTime())
  const title = 'duplicates in 50,000 ids asked for at once, async'
  counts(bench, 'duplicates-at-once', title, together, (outcome) => outcome.duplicates)
  const fields = ['flake-idgen', 'snowflake-id', '@akashrajpurohit/snowflake-id']
  const goal = { atMost: 0 }
  bench.count({
    id: 'wrong-workers',
    title: 'of the workers 0, 1, 1023, 1024, 5000: accepted, but not in the id',
    results: Object.fromEntries([OURS, ...fields].map((name) => [name, wrongWorkers(name)])),
    goal,
  })
  const what = 'wrong times in 100,000 ids with all low bits set'
  bench.count({ id: 'wrong-times', title: what, results: wrongTimes(), goal })
}

function counts(
  bench: Bench,
  id: string,
  title: string,
  outcomes: readonly (readonly [string, Outcome])[],
  count: (outcome: Outcome) => number,
): void {
  const results = Object.fromEntries(outcomes.map(([name, outcome]) => [name, count(outcome)]))
  bench.count({ id, title, results, goal: { atMost: 0 } })
}
