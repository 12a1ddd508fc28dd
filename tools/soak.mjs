// `node tools/pnpm.mjs run soak [--minutes N]`: simulated laws with fresh seeds, round after round,
// until the time is up. A failure is shrunk and kept in the corpus next to its test
// (test/seeds/*.json), where every later test run replays it first.

import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { simulationSummary } from './simulation-summary.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`--minutes must be a number above 0, got ${values.minutes}`)
  process.exit(2)
}

/** Seeds of one round; the rounds follow one another, so that none is tried twice in a soak. */
const SEEDS_A_ROUND = 1_000_000
// The simulator's own tests break laws on purpose, and so do twins: neither is soaked.
const laws = globSync('{packages,apps}/*/test/**/*.test.ts', { cwd: root }).filter(
  (file) =>
    !file.startsWith(join('packages', 'sim')) &&
    /checkLaw|sim\.test\(|testSystem\(/u.test(readFileSync(join(root, file), 'utf8')),
)
const noTwins = '^(?!.*(is caught|explained by))'
const isWindows = process.platform === 'win32'
const pattern = isWindows ? `"${noTwins}"` : noTwins

const place = mkdtempSync(join(tmpdir(), 'ashlar-soak-'))
const totals = join(place, 'totals.jsonl')
const first = Math.floor(Date.now() / 1000)
const end = Date.now() + minutes * 60_000
let failedRounds = 0
try {
  for (let round = 0; Date.now() < end; round++) {
    const seed = (first + round) * SEEDS_A_ROUND
    const { status } = spawnSync('vitest', ['run', '--project=node', '-t', pattern, ...laws], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: isWindows,
      env: { ...process.env, CI: '', SIM_SEED: `${seed}`, SIM_TOTALS: totals },
    })
    if (status !== 0) failedRounds++
    console.log(`round ${round}, seeds from ${seed}: ${status === 0 ? 'all laws hold' : 'FAILED'}`)
    console.log(simulationSummary(totals, ''))
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
if (failedRounds > 0) console.log('what failed is in test/seeds/ now: git status shows where')
process.exitCode = failedRounds > 0 ? 1 : 0
