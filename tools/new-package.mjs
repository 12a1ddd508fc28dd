// `node tools/pnpm.mjs run new <name> "<one line of what it is for>"`: lays the room of a new
// package, with every file that the tidy test wants, and enters it where packages are listed.

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name, purpose] = process.argv.slice(2)
const folder = join(root, 'packages', name ?? '')

if (!/^[a-z][a-z0-9-]*$/u.test(name ?? '') || !purpose) {
  stop(`give a name and a purpose: node tools/pnpm.mjs run new queue "Work that is never lost"`)
}
if (existsSync(folder)) stop(`packages/${name} exists already: choose another name`)

for (const inner of ['src', 'test']) mkdirSync(join(folder, inner), { recursive: true })
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
write('package.json', `${JSON.stringify(manifest(), null, 2)}\n`)
write('tsconfig.json', readFileSync(join(root, 'packages/hash/tsconfig.json'), 'utf8'))
write('CHANGELOG.md', `# @ashlar/${name}\n`)
write('README.md', readme())
write('src/index.ts', 'export {}\n')

edit('tsconfig.json', /("references": \[[^\]]*\})/u, `$1, { "path": "packages/${name}" }`)
edit(
  'README.md',
  /(^\| \[`@ashlar\/[^\n]+\n)(?!\| \[`@ashlar)/mu,
  `$1| [\`@ashlar/${name}\`](packages/${name}) | ${purpose} |\n`,
)
addToSuite()
console.log(`packages/${name} is there: write its README example first (CONTRIBUTING.md)`)

function manifest() {
  const entry = { types: './dist/index.d.ts', default: './dist/index.js' }
  const self = { './package.json': './package.json' }
  return {
    name: `@ashlar/${name}`,
    version: '0.0.0',
    description: purpose,
    keywords: ['distributed-systems'],
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    files: ['dist', '!dist/.tsbuildinfo', 'src', 'CHANGELOG.md'],
    exports: { '.': { source: './src/index.ts', ...entry }, ...self },
    publishConfig: { access: 'public', exports: { '.': entry, ...self } },
  }
}

function readme() {
  const headings = ['Example', 'Why this one', 'Guarantees', 'When not to use it', 'API']
  const install = `## Install\n\n\`\`\`sh\nnpm install @ashlar/${name}\n\`\`\``
  const parts = [`# @ashlar/${name}`, purpose, install, ...headings.map((h) => `## ${h}`)]
  return `${parts.join('\n\n')}\n`
}

/** The suite depends on every package: its laws and the examples' imports resolve from there. */
function addToSuite() {
  const path = join(root, 'apps/suite/package.json')
  const suite = JSON.parse(readFileSync(path, 'utf8'))
  const all = { ...suite.devDependencies, [`@ashlar/${name}`]: 'workspace:^' }
  suite.devDependencies = Object.fromEntries(
    Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  writeFileSync(path, `${JSON.stringify(suite, null, 2)}\n`)
}

function write(file, text) {
  writeFileSync(join(folder, file), text)
}

/** Enters the package in a list; says so where the list was not found as it is expected. */
function edit(file, pattern, replacement) {
  const path = join(root, file)
  const before = readFileSync(path, 'utf8')
  const after = before.replace(pattern, replacement)
  if (after === before) console.error(`${file} was not changed: add ${name} there by hand`)
  writeFileSync(path, after)
}

function stop(message) {
  console.error(message)
  process.exit(2)
}
