// Tests run from source: the "source" condition of each package's exports points at src/.
// Three projects: node (unit, property, cross-package, real servers), browser (the cores in
// Chromium) and tools (the house itself).

import { existsSync } from 'node:fs'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'

const conditions = ['source', 'module', 'node', 'import', 'default']
const chromium = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium'

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
        test: {
          name: 'browser',
          include: ['packages/*/test/**/*.browser.test.ts'],
          browser: {
            enabled: existsSync(chromium),
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath: chromium,
                args: [
                  '--no-sandbox',
                  '--disable-gpu',
                  '--disable-quic',
                  '--no-first-run',
                  '--disable-background-networking',
                  '--disable-component-update',
                  '--disable-sync',
                ],
              },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      { test: { name: 'tools', include: ['tools/*.test.mjs'], testTimeout: 60_000 } },
    ],
  },
})
