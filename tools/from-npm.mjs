// Programs that come from npm into .toolchain/ on first need, each into a folder of its own: other
// Nodes, Bun, Deno, installers, a registry. Never at `npm start`, and without install scripts.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const toolchain = join(dirname(dirname(fileURLToPath(import.meta.url))), '.toolchain')
const isWindows = process.platform === 'win32'
const machine = `${isWindows ? 'win' : process.platform}-${process.arch}`

/** The path of the last Node of a major version. */
export function nodeFromNpm(major) {
  const name = `node-${machine}`
  const program = isWindows ? 'node.exe' : join('bin', 'node')
  return fromNpm(`node-${major}`, { [name]: `${major}` }, join(name, program))
}

/** The path of Bun: the platform's package holds it, the other one only a script. */
export function bunFromNpm() {
  const platform = isWindows ? 'windows' : process.platform
  const chip = process.arch === 'arm64' ? 'aarch64' : process.arch
  const name = `@oven/bun-${platform}-${chip}`
  return fromNpm('bun', { [name]: '1.4.5' }, join(name, 'bin', isWindows ? 'bun.exe' : 'bun'))
}

/** The path of Deno. */
export function denoFromNpm() {
  const platform = isWindows ? 'win32' : process.platform
  const name = `@deno/${platform}-${process.arch}${platform === 'linux' ? '-glibc' : ''}`
  return fromNpm('deno', { [name]: '2.9.6' }, join(name, isWindows ? 'deno.exe' : 'deno'))
}

/** The script of Yarn, for Node. */
export function yarnFromNpm() {
  return fromNpm('yarn', { '@yarnpkg/cli-dist': '4.18.1' }, '@yarnpkg/cli-dist/bin/yarn.js')
}

/** The folder of node_modules that holds Vite and esbuild. */
export function bundlersFromNpm() {
  return fromNpm('bundlers', { esbuild: '0.28.2', vite: '8.3.8' }, '')
}

/** The script of Verdaccio, for Node 22 or later. */
export function verdaccioFromNpm() {
  // One of its dependencies asks for a tag that not every registry serves.
  const overrides = { 'node-fetch': '2.7.0' }
  return fromNpm('verdaccio', { verdaccio: '6.10.4' }, 'verdaccio/bin/verdaccio', overrides)
}

/** Installs packages once; returns the path of something in their node_modules. */
function fromNpm(folder, dependencies, path, overrides = {}) {
  const place = join(toolchain, folder)
  const found = join(place, 'node_modules', path)
  const manifest = JSON.stringify({ private: true, dependencies, overrides })
  if (existsSync(found) && existsSync(join(place, 'complete'))) return found
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), manifest)
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  const { status, stderr, error } = spawnSync('npm', ['install', ...quiet, '--loglevel=error'], {
    cwd: place,
    encoding: 'utf8',
    shell: isWindows,
  })
  if (status !== 0) {
    throw new Error(`npm could not install ${manifest} into ${place}: ${error?.message ?? stderr}`)
  }
  writeFileSync(join(place, 'complete'), '')
  return found
}
