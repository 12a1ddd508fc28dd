// Tests run from source: the "source" condition of each package's exports points at src/.
// Three projects: node (unit, property, cross-package, real servers), browser (the cores in
// Chromium) and tools (the house itself). Where there is no Chromium or no Redis, what needs one is
// left out here and named as skipped by tools/check.mjs.

import { availableParallelism } from 'node:os'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { findRedis } from './apps/testkit/src/find-redis.ts'
import { CHROMIUM_ARGS, findChromium } from './tools/chromium.mjs'

const chromium = findChromium()
const isRedisHere = findRedis() !== undefined
// Not `import`: Vite adds it to imports by itself, and given to Node it would hold for require().
const conditions = ['source', 'module']

const node = {
  resolve: { conditions: [...conditions, 'node'] },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
  test: {
    name: 'node',
    include: ['{packages,apps,apps/examples}/*/test/**/*.test.ts'],
    exclude: [
      '**/*.browser.test.ts',
      ...(chromium ? [] : ['**/*.chromium.test.ts']),
      ...(isRedisHere ? [] : ['**/*.redis.test.ts']),
    ],
    testTimeout: process.env.LAWS_RUNS === undefined ? 60_000 : 3_600_000,
    // Hooks start real servers, on machines that may be busy.
    hookTimeout: 120_000,
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

const projects = chromium ? [node, browser, tools] : [node, tools]

// Two files at once even where there are two cores: half of them wait for servers and browsers.
export default defineConfig({
  test: { projects, maxWorkers: Math.max(2, availableParallelism() - 1) },
})
