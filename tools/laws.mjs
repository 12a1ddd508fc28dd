// `node tools/pnpm.mjs run laws [package…] [--runs N] [--seed S]`: the property tests of one
// package or of all, with more runs than `npm test` spends on them, and a table of laws.
//
// N is the number of runs of a law that asks for nothing special (100 in `npm test`); a law that
// asks for its own number gets it in the same proportion.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string' } },
})
const runs = wholeNumber('--runs', values.runs)
// With fewer a law may miss the twin that it must catch.
if (runs < 100) stop(`--runs must be 100, as in npm test, or more, got ${runs}`)
const seed = wholeNumber('--seed', values.seed ?? String(Date.now() % 2 ** 31))
for (const name of positionals) {
  if (!existsSync(join(root, 'packages', name)) && name !== 'suite') {
    stop(`no package is called ${name}: name a folder of packages/, or suite`)
  }
}

const place = mkdtempSync(join(tmpdir(), 'ashlar-laws-'))
try {
  process.exitCode = judge(join(place, 'report.json'), join(place, 'record.jsonl'))
} finally {
  rmSync(place, { recursive: true, force: true })
}

function judge(report, record) {
  const filters = positionals.map((name) =>
    name === 'suite' ? 'apps/suite/' : `packages/${name}/test/`,
  )
  const chosen = filters.length > 0 ? filters : ['.property.test.ts', 'apps/suite/']
  const args = ['run', '--project=node', '--reporter=json', `--outputFile=${report}`, ...chosen]
  spawnSync('vitest', args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, LAWS_RUNS: `${runs}`, LAWS_SEED: `${seed}`, LAWS_RECORD: record },
  })
  const rows = table(report, record)
  const failures = rows.filter((row) => row.failed)
  print(rows)
  for (const { law, message } of failures) console.log(`\n${law}\n${message}`)
  console.log(`\n${rows.length} laws, ${failures.length} failed, --runs ${runs} --seed ${seed}`)
  return failures.length > 0 || rows.length === 0 ? 1 : 0
}

/** Vitest's verdicts joined with how often fast-check ran each law. */
function table(report, record) {
  if (!existsSync(report)) stop('vitest wrote no report: see its message above')
  const counted = new Map()
  const lines = existsSync(record) ? readFileSync(record, 'utf8').trim().split('\n') : []
  for (const line of lines.filter(Boolean)) {
    const { law, file, runs: times } = JSON.parse(line)
    // Vitest joins the names of suites and tests with " > " here and with a blank in its report.
    const key = `${file} ${law.replaceAll(' > ', ' ')}`
    counted.set(key, (counted.get(key) ?? 0) + times)
  }
  return JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
    ({ name, assertionResults }) =>
      assertionResults
        .map((test) => ({
          file: relative(root, name),
          law: test.fullName.replace(/ \(with seed=-?\d+\)$/u, ''),
          runs: counted.get(`${name} ${test.fullName}`) ?? 0,
          failed: test.status === 'failed',
          ms: test.duration ?? 0,
          message: test.failureMessages.join('\n'),
        }))
        .filter((row) => row.runs > 0 || row.failed),
  )
}

function print(rows) {
  const width = Math.max(...rows.map((row) => row.law.length), 3)
  let file = ''
  for (const row of rows) {
    if (row.file !== file) console.log(`\n${row.file}`)
    file = row.file
    const verdict = row.failed ? 'FAILED' : 'holds'
    const times = `${row.runs} runs`.padStart(13)
    const spent = `${(row.ms / 1000).toFixed(1)} s`.padStart(8)
    console.log(`  ${row.law.padEnd(width)} ${times} ${spent}  ${verdict}`)
  }
}

function wholeNumber(name, text) {
  const n = Number(text)
  if (!Number.isSafeInteger(n) || n < 0) stop(`${name} must be a whole number, got ${text}`)
  return n
}

function stop(message) {
  console.error(message)
  process.exit(2)
}
