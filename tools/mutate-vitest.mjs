// How Vitest runs in a mutation run (tools/mutate.mjs): the tests of the package MUTATE alone, one
// file after another in one worker, small files first, since the first failing test ends a run.

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

class SmallestFirst extends BaseSequencer {
  async sort(files) {
    const size = ({ moduleId }) => statSync(moduleId).size
    return files.toSorted((a, b) => size(a) - size(b))
  }
}

export default {
  plugins: [fewerSeeds],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [`packages/${process.env.MUTATE}/test/**/*.test.ts`],
    // What a test spawns runs unbroken, so that spawning tells nothing here.
    exclude: ['**/*.{browser,chromium,spawn}.test.ts', '**/cli.test.ts'],
    setupFiles: ['tools/mutate-setup.mjs'],
    isolate: false,
    fileParallelism: false,
    sequence: { sequencer: SmallestFirst },
    testTimeout: 60_000,
  },
}
