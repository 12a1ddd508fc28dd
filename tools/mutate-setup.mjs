// Runs before each test file in a mutation run (tools/mutate.mjs). Properties get one seed for all
// mutants, since their tests carry it in their names and Stryker finds tests by name, and do not
// shrink: that a mutant is noticed is all that is asked. Tests that cost much and notice nothing
// that lighter ones miss are left out, each for the reason given.

import fc from 'fast-check'
import { beforeEach } from 'vitest'

const LEFT_OUT = new Map([
  ['on every history of at most four operations', 'its neighbour tries three at most, and fewer'],
  [
    'on a seventh of 100,000 random histories of at most eight operations',
    'its neighbour tries 1,000 of them',
  ],
  [
    'stands for the same run with every drain, 1,000 times over',
    'its neighbours compare drains and recorded hashes',
  ],
  [
    'stands for the same run on the older Node, from the compiled package',
    'what is compiled is not what is broken here',
  ],
])

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1, endOnFailure: true })

beforeEach(({ task, skip }) => {
  if (LEFT_OUT.has(task.name)) skip(LEFT_OUT.get(task.name))
})
