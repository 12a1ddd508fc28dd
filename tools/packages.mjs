// Packs every package and tries the tarballs as a stranger would: contents, publint, attw, an
// install into an empty project, each README's example by `import` and by `require()` on the Node
// at hand and on the development Node, and a consumer's type check. Prints `ok …` or `not ok …`
// for each check; everything happens in a temporary folder that is removed at the end.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asCommonJs, examplesOf, runsOn } from './examples.mjs'

/** The compilers of consumers, by what they are installed as: 7, and 5.4 to 6. */
const COMPILERS = ['typescript', 'typescript-6', 'typescript-5.9', 'typescript-5.4']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const place = mkdtempSync(join(tmpdir(), 'ashlar-packages-'))
const consumer = join(place, 'consumer')

const packages = readdirSync(join(root, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => ({ folder: join(root, 'packages', entry.name), name: entry.name, tarball: '' }))

/** The Nodes to try, by version; the two are one where the Node at hand is new enough. */
const nodes = new Map(
  [process.env.ASHLAR_HOST_NODE ?? process.execPath, process.execPath].map((path) => [
    spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim(),
    path,
  ]),
)

let failed = 0
try {
  check('the packages build', run('node', ['tools/build.mjs'], root))
  for (const each of packages) pack(each)
  install()
  for (const { folder, name } of packages) runExamples(`@ashlar/${name}`, join(folder, 'README.md'))
  runExamples('ashlar', join(root, 'README.md'))
  for (const version of COMPILERS) typeCheck(version)
} finally {
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0

function pack(each) {
  const packed = run('pnpm', ['pack', '--pack-destination', place, '--json'], each.folder)
  check(`@ashlar/${each.name} packs`, packed)
  if (packed.status !== 0) return
  const { filename, files } = JSON.parse(packed.stdout)
  each.tarball = filename.startsWith('/') ? filename : join(place, filename)
  const text = run('tar', ['-xzOf', each.tarball, 'package/package.json'], place).stdout
  const complaints = contentComplaints(
    files.map((file) => file.path),
    text,
  )
  check(`@ashlar/${each.name} tarball holds what it should`, {
    status: complaints.length,
    stdout: complaints.join('\n'),
  })
  check(`@ashlar/${each.name} source maps lead to published files`, unmapped(each, files))
  check(`@ashlar/${each.name} publint`, run('publint', ['run', each.tarball, '--strict'], root))
  check(
    `@ashlar/${each.name} attw`,
    run('attw', [each.tarball, '--profile', 'esm-only', '--no-emoji'], root),
  )
}

/** What is wrong with the contents of a tarball, a line each. */
function contentComplaints(files, manifest) {
  const needed = ['README.md', 'CHANGELOG.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']
  const stray = files.filter((file) => /(^|\/)(test|\.tsbuildinfo)/u.test(file))
  return [
    ...needed.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...stray.map((file) => `${file} should not be published`),
    ...(manifest.includes('"source"') ? ['package.json still has the "source" condition'] : []),
    ...(manifest.includes('workspace:') ? ['package.json still has a workspace: range'] : []),
  ]
}

/** The sources that the maps in a tarball name and that are not in it. */
function unmapped({ folder }, files) {
  const published = new Set(files.map((file) => file.path))
  const maps = [...published].filter((path) => path.endsWith('.map'))
  const missing = maps.flatMap((map) =>
    JSON.parse(readFileSync(join(folder, map), 'utf8'))
      .sources.map((source) => posix.join(posix.dirname(map), source))
      .filter((source) => !published.has(source)),
  )
  return { status: maps.length > 0 ? missing.length : 1, stdout: missing.join('\n') }
}

/** Installs all tarballs into an empty project, as npm does it for anybody. */
function install() {
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n')
  const tarballs = packages.map((each) => each.tarball)
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs]
  check('the tarballs install into an empty project', run('npm', args, consumer))
}

function runExamples(label, readme) {
  for (const { code, line, node: least } of examplesOf(readme)) {
    const forms = { import: ['mjs', code], require: ['cjs', asCommonJs(code)] }
    for (const [form, [extension, text]] of Object.entries(forms)) {
      const file = join(consumer, `example-${label.replace('/', '-')}-${line}.${extension}`)
      writeFileSync(file, text)
      for (const [version, path] of nodes) {
        if (!runsOn(version, least)) continue
        const name = `${label} README.md:${line} by ${form} on Node ${version}`
        check(name, run(path, [file], consumer))
      }
    }
  }
}

/** Type-checks every example as a stranger's TypeScript, strict, by both resolutions. */
function typeCheck(version) {
  const sources = [...packages.map(({ folder }) => folder), root].flatMap((folder) =>
    examplesOf(join(folder, 'README.md')).map((example) => example.source),
  )
  const names = sources.map((source, i) => {
    writeFileSync(join(consumer, `consumer-${i}.mts`), `${source}\nexport {}\n`)
    return `consumer-${i}.mts`
  })
  const resolutions = { nodenext: 'nodenext', bundler: 'esnext' }
  for (const [moduleResolution, module] of Object.entries(resolutions)) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', lib: ['es2022', 'dom'], types: [] },
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
    }
    const project = join(consumer, `tsconfig.${moduleResolution}.json`)
    writeFileSync(project, JSON.stringify({ compilerOptions, files: names }))
    const compiler = join(root, 'node_modules', version, 'bin', 'tsc')
    const result = run(process.execPath, [compiler, '-p', project], consumer)
    check(`a consumer type-checks with ${version} under ${moduleResolution}`, result)
  }
}

function run(command, args, cwd) {
  return spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    shell: process.platform === 'win32',
  })
}

function check(name, { status, stdout, stderr, error }) {
  console.log(`${status === 0 ? 'ok' : 'not ok'} ${name}`)
  if (status === 0) return
  failed++
  console.log([error?.message, stdout, stderr].filter(Boolean).join('\n').replace(/^/gmu, '    '))
}
