// `node tools/pnpm.mjs run bench [package…] [--check] [--quick] [--cpu] [--only id]`: measures
// packages beside their peers (by CPU time with --cpu, for a busy machine), prints tables of
// ratios, writes results/<package>.json.

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Bench, cpuMs, type Row, wallMs } from './harness.ts'
import { heading, line } from './table.ts'

/** What a package's file here exports. */
export interface Subject {
  /** The npm packages that stand beside ours, whose versions the results name. */
  readonly peers: readonly string[]
  readonly measure: (bench: Bench) => void | Promise<void>
}

const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  breaker: () => import('./breaker.ts'),
  cache: () => import('./cache.ts'),
  'cache-loading': () => import('./cache-loading.ts'),
  clock: () => import('./clock.ts'),
  hash: () => import('./hash.ts'),
  history: () => import('./history.ts'),
  id: () => import('./id.ts'),
  import: () => import('./import.ts'),
  resilience: () => import('./resilience.ts'),
  ring: () => import('./ring.ts'),
  shard: () => import('./shard.ts'),
  shortener: () => import('./shortener.ts'),
  sim: () => import('./sim.ts'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    cpu: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})

let missed = 0
for (const name of positionals.length > 0 ? positionals : Object.keys(subjects)) {
  const load = subjects[name]
  if (load === undefined) {
    console.error(`no bench is called ${name}: there are ${Object.keys(subjects).join(', ')}`)
    process.exit(2)
  }
  missed += await measure(name, await load())
}
process.exitCode = values.check && missed > 0 ? 1 : 0

/** Measures one package; returns how many goals were missed. */
async function measure(name: string, subject: Subject): Promise<number> {
  const ours = `@ashlar/${name}`
  const peers = Object.fromEntries(subject.peers.map((peer) => [peer, versionOf(peer)]))
  console.log(heading(ours, peers))
  const bench = new Bench({
    ours,
    clock: values.cpu ? cpuMs : wallMs,
    only: values.only === undefined ? undefined : new RegExp(values.only),
    ...(values.quick ? { effort: { rounds: 9, slicesPerRound: 4, warmUpMs: 50 } } : {}),
    onRow: (row) => console.log(line(row, ours)),
  })
  await subject.measure(bench)
  const goals = bench.rows.filter((row) => row.met !== undefined)
  const misses = goals.filter((row) => row.met === false)
  console.log(`\n${goals.length - misses.length} of ${goals.length} goals met`)
  for (const row of misses) console.log(`missed: ${row.id}`)
  // A part of the rows, or rows measured in haste, must not replace the committed results.
  if (values.only === undefined && !values.quick) save(name, peers, bench.rows)
  return misses.length
}

function save(name: string, peers: Readonly<Record<string, string>>, rows: readonly Row[]): void {
  const rounded = rows.map((row) => ({
    ...row,
    results: Object.fromEntries(
      Object.entries(row.results).map(([candidate, { median, min, max }]) => [
        candidate,
        { median: round(median), min: round(min), max: round(max) },
      ]),
    ),
    ...(row.ratio === undefined ? {} : { ratio: round(row.ratio) }),
  }))
  const file = join(import.meta.dirname, '..', 'results', `${name}.json`)
  const date = new Date().toISOString().slice(0, 10)
  const cpu = cpus()[0]?.model ?? 'unknown'
  const result = { package: name, node: process.versions.node, cpu, date, peers, rows: rounded }
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
}

function round(n: number): number {
  return Number(n.toPrecision(4))
}

/** The installed version of a peer, read beside its entry since not all export package.json. */
function versionOf(peer: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(peer))
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (found.name === peer) return found.version
    } catch {
      // no package.json in this folder: look one up
    }
  }
  return 'unknown'
}
