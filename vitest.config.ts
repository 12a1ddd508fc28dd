// Tests run from source: the "source" condition of each package's exports points at src/.
// Three projects: node (unit, property, cross-package, real servers), browser (the cores in
// Chromium) and tools (the house itself). Where there is no Chromium, what needs one is left out
// here and named as skipped by tools/check.mjs.

import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { CHROMIUM_ARGS, findChromium } from './tools/chromium.mjs'

const chromium = findChromium()
const mutated = process.env.MUTATE
const conditions = ['source', 'module', 'import', 'default']

/** In `run laws`, a law that asks for its own number of runs gets it in the same proportion. */
const scaleRuns = {
  name: 'scale-runs',
  transform(code: string, file: string): string | undefined {
    if (process.env.LAWS_RUNS === undefined || !file.includes('/test/')) return undefined
    const factor = Number(process.env.LAWS_RUNS) / 100
    return code.replaceAll(/\bnumRuns: ([\d_]+)/gu, (_, runs: string) => {
      return `numRuns: ${Math.ceil(Number(runs.replaceAll('_', '')) * factor)}`
    })
  },
}

const node = {
  plugins: [scaleRuns],
  resolve: { conditions: [...conditions, 'node'] },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
  test: {
    name: 'node',
    // A mutation run tries the tests of one package thousands of times.
    include: mutated
      ? [`packages/${mutated}/test/**/*.test.ts`]
      : ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    exclude: ['**/*.browser.test.ts', ...(chromium ? [] : ['**/*.chromium.test.ts'])],
    testTimeout: process.env.LAWS_RUNS === undefined ? 60_000 : 3_600_000,
    setupFiles: process.env.LAWS_RUNS === undefined ? [] : ['tools/laws-setup.mjs'],
    ...(chromium ? { env: { CHROMIUM_BIN: chromium } } : {}),
  },
}

const browser = {
  resolve: { conditions: [...conditions, 'browser'] },
  test: {
    name: 'browser',
    include: ['packages/*/test/**/*.browser.test.ts'],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { ...(chromium ? { executablePath: chromium } : {}), args: CHROMIUM_ARGS },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
}

const tools = { test: { name: 'tools', include: ['tools/*.test.mjs'], testTimeout: 60_000 } }

const projects = mutated ? [node] : chromium ? [node, browser, tools] : [node, tools]

export default defineConfig({ test: { projects } })
