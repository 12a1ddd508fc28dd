// `node tools/pnpm.mjs run rehearse`: publishes for real, to a private registry on loopback, from a
// copy of the house; installs from there with every installer; runs what was installed wherever
// people run it; then publishes a patch and a breaking change and looks at who follows. Prints
// `ok …` or `not ok …` for each check and the matrix at the end. What it needs comes from npm into
// .toolchain/ the first time.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledInChromium } from './bundled.mjs'
import { applicationsOf, copyApplication } from './example-applications.mjs'
import { copyHouse } from './house-copy.mjs'
import { installers } from './installers.mjs'
import { Matrix } from './matrix.mjs'
import { programsOf } from './programs.mjs'
import { refusals } from './refusals.mjs'
import { startRegistry } from './rehearsal-registry.mjs'
import { runtimes } from './runtimes.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const place = mkdtempSync(join(tmpdir(), 'ashlar-rehearsal-'))
const house = join(place, 'house')
const inDocs = join(root, 'apps', 'docs', 'about', 'runs-on.md')
const names = readdirSync(join(root, 'packages'))
const matrix = new Matrix(
  'package',
  names.map((name) => `@ashlar/${name}`),
)
const byInstaller = new Matrix('installer', ['npm', 'pnpm', 'yarn', 'bun'])

let failed = 0
let registry
try {
  const before = treeState()
  check('the packages build', run('node', ['tools/build.mjs'], root))
  copyHouse(root, house)
  registry = await startRegistry(join(place, 'registry'))
  firstRound()
  tryAlone()
  for (const installer of installers(place, registry)) tryInstaller(installer)
  tryRefusals()
  tryApplications()
  // Last: a bundler leaves NODE_ENV=production behind, and npm no development dependencies then.
  await tryBrowsers()
  secondRound()
  thirdRound()
  check('the working tree is as it was', { status: before === treeState() ? 0 : 1 })
  const tables = `${matrix.table()}\n\n${byInstaller.table()}\n`
  console.log(`\n${tables}`)
  check('the tables in the docs are these', {
    status: readFileSync(inDocs, 'utf8').includes(tables) ? 0 : 1,
    stderr: `${inDocs} has others: put these there`,
  })
} finally {
  await registry?.stop()
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

function treeState() {
  return run('git', ['status', '--porcelain'], root).stdout
}

function firstRound() {
  release('the first release')
  const versions = new Map(names.map((name) => [name, versionOf(name)]))
  for (const [name, version] of versions) {
    const viewed = run('npm', ['view', `@ashlar/${name}`, 'version'], place, registry.env)
    const isThere = viewed.stdout.trim() === version && version !== '0.0.0'
    check(`@ashlar/${name} ${version} is published`, { ...viewed, status: isThere ? 0 : 1 })
  }
}

/** Makes versions of the changesets that wait, and publishes them. */
function release(what) {
  check(`${what}: versions`, run('changeset', ['version'], house))
  const publish = ['publish', '--no-git-tag']
  check(`${what}: published`, run('changeset', publish, house, registry.env))
}

/** What a user has on the disk who asks for the ring alone. */
function tryAlone() {
  const project = join(place, 'alone')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true }))
  const [{ command, args, env }] = installers(place, registry)
  check('@ashlar/ring installs alone', run(command, [...args, '@ashlar/ring'], project, env))
  const { stdout } = run(command, ['ls', '--all', '--parseable'], project)
  const along = stdout.split('\n').filter((path) => path.includes('node_modules')).length - 1
  check(`@ashlar/ring brings ${along} packages along, at most 4`, {
    status: along > 0 && along <= 4 ? 0 : 1,
    stderr: stdout,
  })
}

function tryInstaller({ name, command, args, env }) {
  const project = join(place, `by-${name}`)
  mkdirSync(project)
  const dependencies = Object.fromEntries(names.map((each) => [`@ashlar/${each}`, 'latest']))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const installed = run(command, args, project, env)
  check(`${name} installs all packages into an empty project`, installed)
  if (installed.status !== 0) return
  const programs = programsOf(root, names, project)
  for (const runtime of runtimes()) {
    for (const program of programs) {
      if (!runtime.runs(program)) continue
      const { label, file } = program
      const result = run(runtime.command, [...runtime.args, file], project)
      check(`${label}, installed by ${name}, on ${runtime.name}`, result)
      matrix.count(`@ashlar/${program.package}`, runtime.name, result.status === 0)
      byInstaller.count(name, runtime.name, result.status === 0)
    }
  }
}

/** In the project of npm, which installs no optional peers. */
function tryRefusals() {
  for (const { what, isSaid, said } of refusals(join(place, 'by-npm'), run)) {
    check(`${what}: one line says what to do`, { status: isSaid ? 0 : 1, stderr: said })
  }
}

/** Each with the packages that were just published. */
function tryApplications() {
  const versions = allVersions()
  const [{ env }] = installers(place, registry)
  for (const name of applicationsOf(root)) {
    const folder = join(place, `application-${name}`)
    copyApplication(root, name, folder, versions)
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error']
    check(`the example ${name} installs what is published`, run('npm', install, folder, env))
    check(`the tests of the example ${name} pass on it`, run('npx', ['vitest', 'run'], folder))
  }
}

async function tryBrowsers() {
  const project = join(place, 'by-npm')
  for await (const { name, bundler, problem } of bundledInChromium(names, project)) {
    check(`@ashlar/${name}, bundled by ${bundler}, in Chromium`, {
      status: problem === undefined ? 0 : 1,
      stderr: problem,
    })
    matrix.count(`@ashlar/${name}`, `Chromium (${bundler})`, problem === undefined)
  }
}

/** A patch of one package is nobody else's business. */
function secondRound() {
  const before = allVersions()
  changeset('patch', 'A mended corner.')
  release('a patch of hash')
  const changed = changedSince(before)
  check('a patch of hash gives it alone a version', {
    status: changed.join() === 'hash' ? 0 : 1,
    stderr: `changed: ${changed}`,
  })
}

/** A breaking change takes along those that stand on it, and their changelogs say why. */
function thirdRound() {
  const before = allVersions()
  changeset('major', 'Another hash of everything.')
  release('a breaking change of hash')
  const changed = changedSince(before)
  check('a breaking change of hash takes ring and shard along, nobody else', {
    status: changed.join() === 'hash,ring,shard' ? 0 : 1,
    stderr: `changed: ${changed}`,
  })
  for (const name of ['ring', 'shard']) {
    const file = join(house, 'packages', name, 'CHANGELOG.md')
    const latest = readFileSync(file, 'utf8').split(/^## /mu)[1] ?? ''
    check(`the changelog of ${name} says why`, {
      status: latest.includes(`@ashlar/hash@${versionOf('hash')}`) ? 0 : 1,
      stderr: latest,
    })
    const published = ['view', `@ashlar/${name}`, 'dependencies', '--json']
    const { stdout } = run('npm', published, place, registry.env)
    check(`what is published of ${name} asks for the new hash`, {
      status: stdout.includes(`^${versionOf('hash')}`) ? 0 : 1,
      stderr: stdout,
    })
  }
}

function changeset(bump, text) {
  const file = join(house, '.changeset', `${bump}-of-hash.md`)
  writeFileSync(file, `---\n'@ashlar/hash': ${bump}\n---\n\n${text}\n`)
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(house, 'packages', name, 'package.json'), 'utf8')).version
}

function allVersions() {
  return new Map(names.map((name) => [name, versionOf(name)]))
}

function changedSince(before) {
  return names.filter((name) => versionOf(name) !== before.get(name))
}

function run(command, args, cwd, env = {}) {
  return spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    timeout: 300_000,
    shell: process.platform === 'win32',
  })
}

function check(name, { status, stdout, stderr, error }) {
  console.log(`${status === 0 ? 'ok' : 'not ok'} ${name}`)
  if (status === 0) return
  failed++
  console.log([error?.message, stdout, stderr].filter(Boolean).join('\n').replace(/^/gmu, '    '))
}
