// Tests run from source: the "source" condition of each package's exports points at src/.
// Three projects: node (unit, property, cross-package, real servers), browser (the cores in
// Chromium) and tools (the house itself). Where there is no Chromium, what needs one is left out
// here and named as skipped by tools/check.mjs.

import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { CHROMIUM_ARGS, findChromium } from './tools/chromium.mjs'

const chromium = findChromium()
const conditions = ['source', 'module', 'import', 'default']

const node = {
  resolve: { conditions: [...conditions, 'node'] },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
  test: {
    name: 'node',
    include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    exclude: ['**/*.browser.test.ts', ...(chromium ? [] : ['**/*.chromium.test.ts'])],
    testTimeout: 60_000,
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

export default defineConfig({
  test: { projects: chromium ? [node, browser, tools] : [node, tools] },
})
