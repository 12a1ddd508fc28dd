// Runs before each test file when tools/laws.mjs asks for more runs: sets fast-check's number of
// runs and seed for every law, and writes down how often each really ran.
//
// A law that asks for a number of its own gets it in the same proportion to fast-check's 100. A
// plain test runs once, whatever @fast-check/vitest makes of the number of runs.

import { appendFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

const { LAWS_RUNS, LAWS_SEED, LAWS_RECORD } = process.env
const factor = Number(LAWS_RUNS) / 100

vi.mock('@fast-check/vitest', async (importOriginal) => {
  const original = await importOriginal()
  const scaled = withLaws(original.test)
  return { ...original, fc: scaledRuns(original.fc), test: scaled, it: scaled }
})
vi.mock('fast-check', async (importOriginal) => scaledRuns(await importOriginal()))

const record = ({ numRuns }) => {
  const { currentTestName, testPath } = expect.getState()
  const line = { law: currentTestName, file: testPath, runs: numRuns }
  appendFileSync(LAWS_RECORD, `${JSON.stringify(line)}\n`)
}

if (LAWS_RECORD !== undefined) {
  fc.configureGlobal({
    ...fc.readConfigureGlobal(),
    numRuns: Number(LAWS_RUNS),
    seed: Number(LAWS_SEED),
    reporter: (details) => {
      record(details)
      if (details.failed) throw new Error(fc.defaultReportMessage(details))
    },
  })
}

/** Vitest's own `test`, with the laws of @fast-check/vitest. */
function withLaws({ prop }) {
  const law = (arbitraries, parameters) => prop(arbitraries, scale(parameters))
  return new Proxy(test, { get: (target, name) => (name === 'prop' ? law : target[name]) })
}

function scaledRuns(library) {
  return {
    ...library,
    assert: (property, parameters) => library.assert(property, scale(parameters)),
    check: (property, parameters) => library.check(property, scale(parameters)),
  }
}

function scale(parameters) {
  if (parameters?.numRuns === undefined) return parameters
  return { ...parameters, numRuns: Math.ceil(parameters.numRuns * factor) }
}
