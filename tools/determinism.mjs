// `node tools/pnpm.mjs run determinism`: 1,000 seeds of the simulator's reference world on the Node
// at hand, on Node 22 and on the development Node, with every drain, twice and under load: all must
// print one hash. Node 22 comes from npm into .toolchain/ the first time.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeFromNpm } from './from-npm.mjs'

const SEEDS = 1000
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const place = mkdtempSync(join(tmpdir(), 'ashlar-determinism-'))
const program = `
import { hashOfSeeds } from './test/reference-world.js'
console.log(await hashOfSeeds(${SEEDS}, process.argv[2]))
`

let load
try {
  compile()
  writeFileSync(join(place, 'seeds.js'), program)
  const nodes = [
    process.env.ASHLAR_HOST_NODE ?? process.execPath,
    nodeFromNpm(22),
    process.execPath,
  ]
  const found = new Map()
  for (const node of new Set(nodes)) {
    const version = run(node, ['-p', 'process.versions.node'])
    for (const drain of ['tick', 'immediate']) {
      found.set(`Node ${version}, ${drain}`, run(node, ['seeds.js', drain]))
    }
    load ??= spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
    found.set(`Node ${version}, under load, again`, run(node, ['seeds.js', 'auto']))
  }
  const [expected] = found.values()
  for (const [where, hash] of found) {
    console.log(`${hash === expected ? 'ok' : 'not ok'} ${SEEDS} seeds on ${where}: ${hash}`)
  }
  process.exitCode = new Set(found.values()).size === 1 ? 0 : 1
} finally {
  load?.kill()
  rmSync(place, { recursive: true, force: true })
}

/** The package and its reference world as JavaScript, as they are published. */
function compile() {
  const sim = join(root, 'packages/sim')
  const options = [
    ['--ignoreConfig', '--skipLibCheck', '--strict', '--rewriteRelativeImportExtensions'],
    ['--target', 'es2023', '--module', 'nodenext', '--types', 'node'],
    ['--lib', 'es2023,dom,esnext.disposable', '--rootDir', sim, '--outDir', place],
  ]
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }\n')
  run('tsc', [...options.flat(), join(sim, 'test/reference-world.ts')], sim)
}

function run(command, args, cwd = place) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args}: ${error?.message ?? stderr}${stdout}`)
  return stdout.trim()
}
