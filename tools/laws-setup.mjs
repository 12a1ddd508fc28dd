// Runs before each test file when tools/laws.mjs asks for more runs: sets fast-check's number of
// runs and seed for every law, and writes down how often each really ran.

import { appendFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect } from 'vitest'

const { LAWS_RUNS, LAWS_SEED, LAWS_RECORD } = process.env

if (LAWS_RECORD !== undefined) {
  const record = ({ numRuns }) => {
    const { currentTestName, testPath } = expect.getState()
    const line = { law: currentTestName, file: testPath, runs: numRuns }
    appendFileSync(LAWS_RECORD, `${JSON.stringify(line)}\n`)
  }
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
