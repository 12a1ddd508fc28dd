// Runs before each test file in a mutation run (tools/mutate.mjs). Properties get one seed for all
// mutants, since their tests carry it in their names and Stryker finds tests by name, and do not
// shrink: that a mutant is noticed is all that is asked. Tests that cost much and notice nothing
// that lighter ones miss are left out, each for the reason given.
//
// Broken code may loop without end. No clock says so here, for on a busy machine it would condemn
// what is merely slow. Code that Stryker has prepared asks at every branch which mutant is active,
// and the run without one writes down how often each test makes it ask: a test that makes it ask
// many times more often is stopped, and the mutant counted as a timeout.

import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, inject } from 'vitest'

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
  ['stands for another run than its neighbours', 'recorded hashes tell of all that changes'],
  [
    'stands for the same run on the older Node, from the compiled package',
    'what is compiled is not what is broken here',
  ],
])

const RECORD = 'questions.jsonl'
const lines = existsSync(RECORD) ? readFileSync(RECORD, 'utf8').trimEnd().split('\n') : []
const questionsOf = new Map(lines.map((line) => JSON.parse(line)))

const stryker = globalThis.__stryker__
stryker.isMutantRun = inject('mode') === 'mutant'

let active = stryker.activeMutant
let questions = 0
let most = Number.POSITIVE_INFINITY

Object.defineProperty(stryker, 'activeMutant', {
  configurable: true,
  get: () => {
    questions++
    if (questions <= most) return active
    // Not at each from now on: who hears of an error must be able to deal with it.
    most = questions + 1000
    // More than any limit of Stryker's own: it then reports a timeout.
    stryker.hitCount = Number.MAX_SAFE_INTEGER
    throw new Error('the test was stopped: the code loops without end')
  },
  set: (mutant) => {
    active = mutant
  },
})

// Loading fast-check takes longer than most tests, and each mutant has a worker of its own.
if (readFileSync(expect.getState().testPath, 'utf8').includes('fast-check')) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1, endOnFailure: true })
}

beforeEach(({ task, skip }) => {
  questions = 0
  if (stryker.isMutantRun) most = 1_000_000 + 20 * (questionsOf.get(task.id) ?? 0)
  if (LEFT_OUT.has(task.name)) skip(LEFT_OUT.get(task.name))
})

afterEach(({ task }) => {
  if (stryker.isMutantRun) return
  appendFileSync(RECORD, `${JSON.stringify([task.id, questions])}\n`)
})
