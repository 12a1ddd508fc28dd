// `node tools/pnpm.mjs run mutate <package> [--file '{one,other}.ts'] [--workers 2]`: breaks the
// package in every small way that Stryker knows and counts which breaks its tests notice.
// Incremental: what did not change since the last run is not tried again, but for what only the
// clock ended, which on a busy machine proves nothing. A few files at a time are quicker than all:
// only code that may be broken pays for it, and the results of the others stay in the report.
//
// Works on a copy in .cache/, for it breaks files in place; the links of each package's
// node_modules are relative, so the copy resolves to itself.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    file: { type: 'string', default: '**/*.ts' },
    workers: { type: 'string', default: '2' },
  },
})
const [name] = positionals
if (name === undefined || !existsSync(join(root, 'packages', name))) {
  console.error('name a package: node tools/pnpm.mjs run mutate sim')
  process.exit(2)
}

const cache = join(root, '.cache')
const copy = join(cache, `mutate-${name}`)
const memory = join(cache, `mutate-${name}.json`)
if (existsSync(memory)) forgetWhatTheClockEnded(memory)
rmSync(copy, { recursive: true, force: true })
mkdirSync(copy, { recursive: true })
for (const entry of ['packages', 'apps/testkit', 'tools', 'package.json', 'tsconfig.base.json']) {
  cpSync(join(root, entry), join(copy, entry), { recursive: true, verbatimSymlinks: true })
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir')
writeFileSync(join(copy, 'stryker.json'), JSON.stringify(configuration()))

const { status } = spawnSync('stryker', ['run', 'stryker.json'], {
  cwd: copy,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, MUTATE: name },
})
process.exitCode = status ?? 1

function configuration() {
  return {
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'tools/mutate-vitest.mjs', related: false },
    // What a test spawns runs unbroken: the file that meets the process is left out.
    mutate: [`packages/${name}/src/${values.file}`, '!**/index.ts', '!**/cli/main.ts'],
    inPlace: true,
    incremental: true,
    incrementalFile: memory,
    tsconfigFile: 'none',
    coverageAnalysis: 'perTest',
    reporters: ['clear-text', 'progress'],
    clearTextReporter: { allowColor: false, reportTests: false },
    thresholds: { high: 95, low: 90, break: 90 },
    // What loops without end is stopped by counting (tools/mutate-setup.mjs); the clock is for what
    // waits without end, and must bear a busy machine.
    timeoutMS: 60_000,
    timeoutFactor: 0.1,
    concurrency: Number(values.workers),
  }
}

/** A timeout has a reason if it was found by counting, and none if by the clock. */
function forgetWhatTheClockEnded(file) {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  for (const each of Object.values(report.files)) {
    each.mutants = each.mutants.filter(
      (mutant) => mutant.status !== 'Timeout' || mutant.statusReason,
    )
  }
  writeFileSync(file, JSON.stringify(report))
}
