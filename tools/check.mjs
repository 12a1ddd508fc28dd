// `npm test`: every check of the house, one after another, and a closing line of real counts.
//
// A step is a command; a step that runs many tests is counted by what its own report says, any
// other step counts as one. What the machine cannot run is named at the end as skipped, with the
// line that installs it; with ASHLAR_NO_SKIP=1 (as in .ci/run) a skip is a failure. With --all it
// also does what is too heavy for everyday.

import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findRedis, INSTALL_REDIS } from '../apps/testkit/src/find-redis.ts'
import { findChromium, INSTALL_CHROMIUM } from './chromium.mjs'
import { simulationSummary } from './simulation-summary.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const report = join(root, '.cache', 'vitest.json')
// Where tests of simulations leave their counts and the zoo its table, a JSON line each.
const notes = {
  SIM_TOTALS: join(root, '.cache', 'simulations.jsonl'),
  ZOO_TABLE: join(root, '.cache', 'zoo.jsonl'),
}
const total = { passed: 0, failed: 0, skipped: 0 }
const failures = []
const skips = []

step('lint', ['biome', 'check', '--error-on-warnings'])
step('dead code and dependencies', ['knip'])
step('types and build', ['node', 'tools/build.mjs'])
step('the site', ['node', 'apps/docs/scripts/build.ts'])
tests()
browserSkips()
redisSkips()
step('tarballs', ['node', 'tools/packages.mjs'], tapCounts)
step('size', ['size-limit'])
if (process.argv.includes('--all')) {
  step('determinism', ['node', 'tools/determinism.mjs'], tapCounts)
  step('rehearsal', ['node', 'tools/rehearse.mjs'], tapCounts)
}
step('the main job', ['node', '--conditions=source', 'apps/atlas/src/main.ts', '--once'])
close()

/** Runs a command with its output in view, and counts it as `count` reads its ending. */
function step(name, [command, ...args], count) {
  console.log(`\n── ${name}: ${[command, ...args].join(' ')}`)
  const started = performance.now()
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    shell: process.platform === 'win32',
    stdio: ['ignore', count ? 'pipe' : 'inherit', 'inherit'],
  })
  if (count) process.stdout.write(stdout)
  console.log(`── ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
  const counts = count?.(stdout ?? '') ?? { passed: status === 0 ? 1 : 0, failed: 0 }
  // A command that failed without a failed test to show (a crash, say) is a failure of its own.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  add(name, counts)
}

function add(name, { passed, failed }) {
  total.passed += passed
  total.failed += failed
  if (failed > 0) failures.push(`${name}: ${failed} failed`)
}

function tests() {
  mkdirSync(dirname(report), { recursive: true })
  for (const file of [report, ...Object.values(notes)]) rmSync(file, { force: true })
  const command = ['vitest', 'run', '--reporter=default', '--reporter=json']
  console.log(`\n── tests: ${command.join(' ')}`)
  const { status } = spawnSync(command[0], [...command.slice(1), `--outputFile.json=${report}`], {
    cwd: root,
    env: { ...process.env, ...notes },
    shell: process.platform === 'win32',
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const counts = testCounts()
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  if (counts.pending > 0) skip(counts.pending, 'tests that say skip or todo', 'remove the mark')
  add('tests', counts)
  failures.push(...counts.names.map((name) => `  ${name}`))
}

/** Reads vitest's report; no report, or one of no test, is a failure. */
function testCounts() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
      JSON.parse(readFileSync(report, 'utf8'))
    const nothing = numPassedTests + numFailedTests === 0
    return {
      passed: numPassedTests,
      failed: nothing ? 1 : numFailedTests,
      pending: numPendingTests + numTodoTests,
      names: testResults.flatMap(namesOfFailed),
    }
  } catch (error) {
    console.error(`no test report: ${error.message}`)
    return { passed: 0, failed: 1, pending: 0, names: [] }
  }
}

/** What failed in a file, and why, each on a line: a log may be read by its end alone. */
function namesOfFailed({ name, status, message, assertionResults }) {
  const file = relative(root, name)
  const failed = assertionResults.filter((each) => each.status === 'failed')
  // A file that cannot be loaded has no test that could fail.
  if (failed.length === 0 && status === 'failed') return [`${file}: ${firstLine(message)}`]
  return failed.map((each) => `${file}: ${each.fullName}: ${firstLine(each.failureMessages[0])}`)
}

function firstLine(text = '') {
  return text.split('\n', 1)[0].slice(0, 200)
}

function browserSkips() {
  if (findChromium() !== undefined) return
  const files = globSync('{packages,apps}/*/test/**/*.{browser,chromium}.test.ts', { cwd: root })
  if (files.length > 0) skip(files.length, `files of browser tests, no Chromium`, INSTALL_CHROMIUM)
}

function redisSkips() {
  if (findRedis() !== undefined) return
  const files = globSync('{packages,apps}/*/test/**/*.redis.test.ts', { cwd: root })
  if (files.length > 0) skip(files.length, `files of Redis tests, no Redis`, INSTALL_REDIS)
}

function skip(count, what, mend) {
  total.skipped += count
  skips.push(`skipped: ${count} ${what}: ${mend}`)
}

/** Counts the `ok` and `not ok` lines that a tool of ours prints, one a check. */
function tapCounts(text) {
  return {
    passed: text.match(/^ok /gmu)?.length ?? 0,
    failed: text.match(/^not ok /gmu)?.length ?? 0,
  }
}

function close() {
  console.log(`\n${simulationSummary(notes.SIM_TOTALS, notes.ZOO_TABLE)}\n`)
  for (const text of [...failures, ...skips]) console.log(text)
  if (process.env.ASHLAR_NO_SKIP === '1' && total.skipped > 0) {
    console.log('ASHLAR_NO_SKIP=1: what was skipped counts as failed')
    total.failed += total.skipped
    total.skipped = 0
  }
  const { passed, failed, skipped } = total
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = failed > 0 ? 1 : 0
}
