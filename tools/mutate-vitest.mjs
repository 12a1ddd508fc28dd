// How Vitest runs in a mutation run (tools/mutate.mjs): the tests of the package MUTATE alone, one
// file after another in one worker. The first failing test ends a run, so that those go first which
// compare with what was written down or try small parts, then small files, and last those that
// search when something fails: for them a broken package is a long search.

import { statSync } from 'node:fs'
import { BaseSequencer } from 'vitest/node'

const conditions = ['source', 'module', 'node']

/** A fifth of the seeds where a test tries thousands: the others see the same breaks again. */
const fewerSeeds = {
  name: 'fewer-seeds',
  transform(code, file) {
    if (!file.includes('/test/')) return undefined
    return code.replace(/(?<=\{ length: )(\d{4,})(?= \}, \(_, seed\))/u, (n) => `${n / 5}`)
  },
}

/**
 * Stryker's code counts what each test covers in every run, and is four times slower for it: here
 * only in the first, the run without a mutant.
 */
const coverOnce = {
  name: 'cover-once',
  transform(code) {
    return code.replace(/(?<=function (stryCov_\w+)\(\) ?\{)/u, (_, cover) => {
      return `if (globalThis.__stryker__.isMutantRun) { ${cover} = () => {}; return }`
    })
  },
}

const RECORDS = /(?:determinism|search-cost|explanation)\.test\.ts$/u
const PARTS = /parts\.property\.test\.ts$/u
const SEARCHES = /(?:explore|fast-check|vitest|shrink|failure)\.test\.ts$/u

class QuickestFirst extends BaseSequencer {
  async sort(files) {
    const cost = ({ moduleId }) => {
      if (RECORDS.test(moduleId)) return -1
      if (PARTS.test(moduleId)) return 0
      return statSync(moduleId).size * (SEARCHES.test(moduleId) ? 1000 : 1)
    }
    return files.toSorted((a, b) => cost(a) - cost(b))
  }
}

export default {
  plugins: [fewerSeeds, coverOnce],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [`packages/${process.env.MUTATE}/test/**/*.test.ts`],
    // What a test spawns runs unbroken, so that spawning tells nothing here.
    exclude: ['**/*.{browser,chromium,spawn}.test.ts', '**/cli.test.ts'],
    setupFiles: ['tools/mutate-setup.mjs'],
    isolate: false,
    fileParallelism: false,
    sequence: { sequencer: QuickestFirst },
    testTimeout: 20_000,
  },
}
