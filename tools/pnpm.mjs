// The bootstrap: runs pnpm with nothing but Node and npm on the machine.
//
// pnpm, and a Node for development where the one at hand is older than 22.18 (it cannot run
// TypeScript), come once from npm into .toolchain/ and are put first on PATH. The stamp file
// says what is installed there; a warm start compares it and spawns, nothing else.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = '12.21.0'
const NODE = '26.10.0'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const toolchain = join(root, '.toolchain')
const isWindows = process.platform === 'win32'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const runsTypeScript = major > 22 || (major === 22 && minor >= 18)

const nodePackage = `node-${isWindows ? 'win' : process.platform}-${process.arch}`
const wanted = [`pnpm@${PNPM}`, ...(runsTypeScript ? [] : [`${nodePackage}@${NODE}`])]

install(wanted)
run(process.argv.slice(2))

/** Installs the packages into .toolchain/ unless the stamp says that all are there already. */
function install(packages) {
  const stamp = join(toolchain, 'stamp')
  const there = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : []
  // Called from within (by a Node of .toolchain/), less is wanted: what is there must stay.
  if (packages.every((name) => there.includes(name))) return
  const want = packages.join(' ')
  mkdirSync(toolchain, { recursive: true })
  writeFileSync(join(toolchain, 'package.json'), '{ "private": true }\n')
  console.error(`Setting up ${want} in .toolchain/ (once)`)
  const { status } = spawnSync(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--loglevel=error',
      ...packages,
    ],
    { cwd: toolchain, stdio: ['ignore', 2, 2], shell: isWindows },
  )
  if (status !== 0) {
    console.error(
      `npm could not install ${want}: check that npm reaches its registry, then run again`,
    )
    process.exit(1)
  }
  writeFileSync(stamp, want)
}

/** Runs pnpm and ends as it ends, so that exit codes and Ctrl-C mean what they always mean. */
function run(args) {
  const bin = join(toolchain, 'node_modules', '.bin')
  const nodeBin = join(toolchain, 'node_modules', nodePackage, 'bin')
  const path = [...(runsTypeScript ? [] : [nodeBin]), bin, process.env.PATH]
  const child = spawn('pnpm', args, {
    stdio: 'inherit',
    shell: isWindows,
    env: {
      ...process.env,
      PATH: path.join(delimiter),
      ASHLAR_HOST_NODE: process.env.ASHLAR_HOST_NODE ?? process.execPath,
    },
  })
  // The terminal signals the whole group; this process only waits for pnpm's own ending.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`pnpm did not start (${error.message}): remove .toolchain/ and run again`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
}
